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


OF_PEOPLE = frozenset({"id", "email", "cio_id", "phone", "anonymous_id"})
OF_OBJECTS = frozenset({"object_id", "object_type_id"})
NAME: Final = {"minLength": 1, "maxLength": 40}
WHEN: Final = {"minimum": 0, "maximum": 4_000_000_000}
LIKELY: Final[Mapping[str, Mapping[str, dict[str, Any]]]] = {
    "string": {
        **dict.fromkeys(("id", "cio_id", "name", "anonymous_id", "object_id", "delivery_id", "deliveryId"), NAME),
        **dict.fromkeys(("userId", "anonymousId", "previousId", "groupId", "objectId", "event", "token"), NAME),
        **{name: {"pattern": "^[1-9]$"} for name in ("object_type_id", "objectTypeId")},
        "email": {"format": "email"},
    },
    "integer": dict.fromkeys(("_timestamp", "timestamp", "last_used", "created_at"), WHEN),
}
"""What is likely to stand in a property of this type and name."""
DATE: Final = {"format": "none", "pattern": r"^20[0-3]\d-0[1-9]-[12]\dT[01]\d:[0-5]\d:[0-5]\d(\.\d{3})?Z$"}


def described(document: dict[str, Any], mode: Literal["all", "positive"]) -> BaseSchema:
    """A description to make up calls from: `all` of them, or those that it allows."""
    generation = {**GENERATION, "mode": mode, "allow-x00": mode == "all"}
    return from_dict(document, config=SchemathesisConfig.from_dict({"generation": generation, "phases": PHASES}))


def facts(name: str) -> dict[str, Any]:
    """The calls of an API as the vendor's published description has them, without its prose, and as people make them.

    By the letter of it most calls would be refused: an id may be empty, an identifier missing, a time lie before 1970.
    """
    document: dict[str, Any] = json.loads((HERE / f"{name}.openapi.json").read_text())
    _make_likely(document)
    return document


def _make_likely(schema: Any, name: str = "") -> None:
    if isinstance(schema, list):
        for item in schema:
            _make_likely(item, name)
    if not isinstance(schema, dict):
        return
    properties = schema.get("properties") or {}
    if name != "allOf" and properties and set(properties) <= OF_PEOPLE | OF_OBJECTS:
        pair = OF_OBJECTS & set(properties)
        schema.update({"required": sorted(pair)} if pair else {"minProperties": 1, "maxProperties": 1})
        schema["additionalProperties"] = False
    if schema.get("type") == "object":
        schema.setdefault("propertyNames", {"minLength": 1, "maxLength": 40})
    if isinstance(kind := schema.get("type"), str):
        schema.update(LIKELY.get(kind, {}).get(name, {}))
    if schema.get("format") == "date-time":
        schema.update(DATE)
    if "requestBody" in schema:
        schema["requestBody"]["required"] = True
    for key, part in list(schema.items()):
        _make_likely(part, name if key in ("anyOf", "items") else key)


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
