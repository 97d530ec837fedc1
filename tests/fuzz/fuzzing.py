"""Calls made up from an API description: how many, which, and what must be true of every answer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal

from schemathesis import Case, Response
from schemathesis.checks import not_a_server_error
from schemathesis.config import SchemathesisConfig
from schemathesis.openapi import from_dict
from schemathesis.schemas import BaseSchema

from tests.fuzz.ground import Ground
from tests.fuzz.likely import make_likely

HERE = Path(__file__).parent
EXAMPLES = 20
"""Calls of each operation: with some 150 of them, what a run can bear."""
MAY_BE_AWAY = frozenset({503, 504})
"""Statuses from 500 on that are answers, where they are documented."""
GENERATION: Final = {
    "max-examples": EXAMPLES,
    "deterministic": True,
    "no-shrink": True,
    "with-security-parameters": False,
    "database": "none",
}
PHASES: Final = {
    "examples": {"enabled": False},
    "coverage": {"enabled": False},
    "stateful": {"enabled": False},
    "fuzzing": {"extra-data-sources": {"responses": False}, "error-feedback": {"enabled": False}},
}
"""Nothing that was answered decides about later calls, so that every run makes the same ones."""


def described(document: dict[str, Any], mode: Literal["all", "positive"]) -> BaseSchema:
    """A description to make up calls from: `all` of them, or those that it allows."""
    generation = {**GENERATION, "mode": mode, "allow-x00": mode == "all"}
    return from_dict(document, config=SchemathesisConfig.from_dict({"generation": generation, "phases": PHASES}))


def facts(name: str) -> dict[str, Any]:
    """The calls of an API as the vendor's published description has them, without its prose, and as people make them."""
    document: dict[str, Any] = json.loads((HERE / f"{name}.openapi.json").read_text())
    make_likely(document)
    return document


def call(case: Case, ground: Ground, headers: Mapping[str, str]) -> Response:
    """The answer to a made-up call: JSON where it says so, and no failure of ours."""
    answer = case.call(
        base_url=ground.url, session=ground.session, headers=dict(headers), allow_redirects=False, timeout=60
    )
    if answer.status_code not in MAY_BE_AWAY & documented(case):
        case.validate_response(answer, checks=[not_a_server_error])
    if answer.content and "json" in answer.headers.get("content-type", [""])[0]:
        json.loads(answer.content)
    return answer


def documented(case: Case) -> frozenset[int]:
    """The statuses that the description names."""
    responses = case.operation.definition.raw["responses"]
    return frozenset(int(status) for status in responses if str(status).isdecimal())
