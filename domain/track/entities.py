"""One operation of the Track API's second version, chosen by its type and action (API-13)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pydantic_core import to_json

from domain.track import objects, people
from domain.track.calls import Call, CallRefused, Fault, Rules
from domain.track.limits import ENTITY_BYTES
from domain.track.metrics import delivery_event


def _delivery(body: Mapping[str, Any], _rules: Rules) -> Call:
    return delivery_event(body)


MATRIX: Final[Mapping[str, Mapping[str, people.Reader]]] = {
    "person": people.ACTIONS,
    "object": objects.ACTIONS,
    "delivery": {"event": _delivery},
}
"""Every type with its actions."""


def entity(body: Any, rules: Rules) -> Call:
    """What one `{"type", "action", ...}` asks for; raises CallRefused."""
    if not isinstance(body, Mapping):
        raise CallRefused([Fault("invalid", "", "an operation must be a JSON object")])
    if len(to_json(body)) >= ENTITY_BYTES:
        raise CallRefused([Fault("too_long", "", f"an operation must be smaller than {ENTITY_BYTES} bytes")])
    return _reader(body)(body, rules)


def _reader(body: Mapping[str, Any]) -> people.Reader:
    kind, action = body.get("type"), body.get("action")
    missing = [
        Fault("required", name, f"{name} must be present")
        for name, value in (("type", kind), ("action", action))
        if value is None or value == ""
    ]
    if missing:
        raise CallRefused(missing)
    found = MATRIX.get(kind, {}).get(action) if isinstance(kind, str) and isinstance(action, str) else None
    if found is None:
        said = f"'{kind}' '{action}'" if isinstance(kind, str) and isinstance(action, str) else "this type and action"
        raise CallRefused([Fault("unknown_action", "action", f"{said[:100]} is not supported")])
    return found


__all__ = ["MATRIX", "entity"]
