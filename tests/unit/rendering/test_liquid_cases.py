"""The dialect, case by case, as the files in tests/cases/liquid have it (MSG-02 to MSG-12, MSG-15, MSG-35)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from rendering.errors import RenderError
from rendering.liquid import check_syntax, render
from rendering.snippets import Snippets

CASES = Path(__file__).parents[2] / "cases" / "liquid"
CUSTOMER = {"id": "1", "email": "a@x.io", "first_name": "alex"}
NOW = "2026-01-02T03:04:05+00:00"


def cases() -> Iterator[Any]:
    for path in sorted(CASES.glob("*.json")):
        for case in json.loads(path.read_text()):
            yield pytest.param(case, id=f"{path.stem}: {case['name']}")


def outcome(case: dict[str, Any]) -> dict[str, str]:
    context = {"customer": CUSTOMER, **case.get("context", {})}
    context["snippets"] = Snippets(context.get("snippets"))
    fault = check_syntax(case["template"])
    if fault is not None:
        return {"error": fault}
    try:
        return {"result": render(case["template"], context, now=datetime.fromisoformat(case.get("now", NOW)))}
    except RenderError as error:
        return {"error": str(error)}


@pytest.mark.parametrize("case", list(cases()))
def test_case(case: dict[str, Any]) -> None:
    assert case.keys() <= {"name", "template", "context", "now", "result", "error"}
    assert outcome(case) == {name: case[name] for name in ("result", "error") if name in case}


def test_there_are_many_and_each_has_a_name_of_its_own() -> None:
    names = [parameter.id for parameter in cases()]
    assert len(names) >= 450
    assert len(set(names)) == len(names)
