"""Calls made up from an API description: how many, which, and what must be true of every answer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import schemathesis
from schemathesis import Case, Response
from schemathesis.checks import not_a_server_error
from schemathesis.config import SchemathesisConfig
from schemathesis.openapi import from_dict
from schemathesis.schemas import BaseSchema
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

HERE = Path(__file__).parent
EXAMPLES = 20
"""Calls of each operation: with some 130 of them, what a run can bear."""
MAY_BE_AWAY = frozenset({503, 504})
"""Statuses from 500 on that are answers, where they are documented."""
OURS = (status_code_conformance, content_type_conformance, response_schema_conformance)


def described(document: dict[str, Any], *, examples: int = EXAMPLES) -> BaseSchema:
    """A description to make up calls from: the same calls in every run, whatever was answered before."""
    generation = {
        "max-examples": examples,
        "deterministic": True,
        "no-shrink": True,
        "with-security-parameters": False,
        "database": "none",
    }
    quiet = {"extra-data-sources": {"responses": False}}
    phases = {
        "examples": {"enabled": False},
        "coverage": {"enabled": False},
        "stateful": {"enabled": False},
        "fuzzing": {**quiet, "error-feedback": {"enabled": False}},
    }
    return from_dict(document, config=SchemathesisConfig.from_dict({"generation": generation, "phases": phases}))


def facts(name: str) -> dict[str, Any]:
    """What the vendor's published description of an API says of its calls, without its prose."""
    document: dict[str, Any] = json.loads((HERE / f"{name}.openapi.json").read_text())
    return document


def call(case: Case, url: str, headers: Mapping[str, str]) -> Response:
    """The answer to a made-up call, which is JSON if it is anything that says so, and no failure of ours."""
    answer = case.call(base_url=url, headers=dict(headers), allow_redirects=False, timeout=60)
    if answer.status_code not in MAY_BE_AWAY & documented(case):
        case.validate_response(answer, checks=[not_a_server_error])
    kind = answer.headers.get("content-type", [""])[0]
    if answer.content and "json" in kind:
        json.loads(answer.content)
    return answer


def documented(case: Case) -> frozenset[int]:
    """The statuses that the description names."""
    responses = case.operation.definition.raw["responses"]
    return frozenset(int(status) for status in responses if str(status).isdecimal())


__all__ = ["OURS", "call", "described", "documented", "facts", "schemathesis"]
