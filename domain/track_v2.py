"""Entities of the Track API's second version as operations (API-13)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pydantic_core import to_json

from domain import track
from domain.emails import bare_address
from domain.operations import Identifier
from domain.track import CIO_PREFIX, Call, CallRefused, Fault, Rules

ENTITY_BYTES: Final = 32 * 1024
EVENTS: Final = frozenset({"event", "page", "screen"})


def entity(body: Any, rules: Rules) -> Call:
    """The operation that one `{"type", "action", ...}` asks for; raises CallRefused."""
    if not isinstance(body, Mapping):
        raise CallRefused([Fault("invalid", "", "an operation must be a JSON object")])
    if len(to_json(body)) >= ENTITY_BYTES:
        raise CallRefused([Fault("too_long", "", f"an operation must be smaller than {ENTITY_BYTES} bytes")])
    action = _action(body)
    subject = _subject(body.get("identifiers"), rules)
    attributes = body.get("attributes")
    attributes = {} if attributes is None else attributes
    if action == "identify":
        call = track.identify(subject, attributes, rules, timestamp=body.get("timestamp"))
        later = tuple(name for name in track.LATER if name in body)
        return Call(call.operation, call.ignored + later)
    return track.event(subject, body, data_field="attributes", kind=action)


def _action(body: Mapping[str, Any]) -> str:
    kind, action = body.get("type"), body.get("action")
    missing = [
        Fault("required", name, f"{name} must be present")
        for name, value in (("type", kind), ("action", action))
        if value is None or value == ""
    ]
    if missing:
        raise CallRefused(missing)
    if kind != "person" or not isinstance(action, str) or (action != "identify" and action not in EVENTS):
        said = f"'{kind}' '{action}'" if isinstance(kind, str) and isinstance(action, str) else "this type and action"
        raise CallRefused([Fault("unknown_action", "action", f"{said[:100]} is not supported")])
    return action


def _subject(identifiers: Any, rules: Rules) -> Identifier:
    """The person named by exactly one of id, email and cio_id."""
    if identifiers is None or identifiers == {}:
        raise CallRefused(track.id_faults(None, "identifiers"))
    if not isinstance(identifiers, Mapping):
        raise CallRefused([Fault("invalid", "identifiers", "identifiers must be a hash")])
    given = [name for name in identifiers if name != "anonymous_id"]
    if len(given) != 1 or given[0] not in ("id", "email", "cio_id"):
        message = "identifiers must hold exactly one of id, email and cio_id"
        raise CallRefused([Fault("invalid", "identifiers", message)])
    (kind,) = given
    value = identifiers[kind]
    faults = [
        Fault(fault.reason, f"identifiers.{kind}", fault.message.replace("id attribute", f"{kind} attribute", 1))
        for fault in track.id_faults(value)
    ]
    if not faults and kind == "email":
        faults = _email_faults(value, rules)
    if faults:
        raise CallRefused(faults)
    if kind == "id":
        return Identifier(kind="id", value=value)
    return Identifier(kind="email", value=value.strip()) if kind == "email" else _by_cio_id(value)


def _by_cio_id(value: str) -> Identifier:
    return Identifier(kind="cio_id", value=value.removeprefix(CIO_PREFIX))


def _email_faults(value: str, rules: Rules) -> list[Fault]:
    if not rules.email_identifies:
        return [Fault("invalid", "identifiers.email", "email is not an identifier in this workspace")]
    if bare_address(value) is None:
        return [Fault("invalid", "identifiers.email", "email is not a valid address")]
    return []


__all__ = ["ENTITY_BYTES", "entity"]
