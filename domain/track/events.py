"""Event calls: of somebody known, and of an anonymous id (API-06, API-07, PPL-13)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from domain.operations import AnonymousEvent, EventKind, Identifier, TrackEvent
from domain.track.calls import Call, CallRefused, Fault, refuse_if
from domain.track.identifiers import ANONYMOUS_ID
from domain.track.limits import (
    EVENT_DATA_BYTES,
    EVENT_NAME_BYTES,
    EVENT_NAME_CHARACTERS,
    moment,
    optional_text,
    size,
)


class _Said(NamedTuple):
    name: str
    type: EventKind
    data: dict[str, Any]
    timestamp: int | None
    event_id: str | None


def event(subject: Identifier, body: Any, *, data_field: str = "data", kind: EventKind | None = None) -> Call:
    """The operation of `POST /customers/{identifier}/events` and of v2 `event`, `page`, `screen`; raises CallRefused.

    An anonymous id in it binds nothing: only identify does.
    """
    faults: list[Fault] = []
    said = _read(body, data_field, kind, faults)
    refuse_if(faults)
    return Call((TrackEvent(subject=subject, **said._asdict()),))


def anonymous_event(
    body: Any, *, anonymous_id: Any = None, data_field: str = "data", kind: EventKind | None = None
) -> Call:
    """The operation of `POST /events`, and of v2 events of an `anonymous_id`, which then stands beside the body."""
    faults: list[Fault] = []
    said = _read(body, data_field, kind, faults)
    given = body.get(ANONYMOUS_ID) if anonymous_id is None else anonymous_id
    who = optional_text(given, ANONYMOUS_ID, ANONYMOUS_ID, faults)
    refuse_if(faults)
    return Call((AnonymousEvent(anonymous_id=who, **said._asdict()),))


def _read(body: Any, data_field: str, kind: EventKind | None, faults: list[Fault]) -> _Said:
    if not isinstance(body, Mapping):
        raise CallRefused([Fault("invalid", "", "the event must be a hash")])
    name = body.get("name")
    name = name.strip() if isinstance(name, str) else ""
    faults += _name_faults(name)
    data = body.get(data_field)
    data = {} if data is None else data
    if not isinstance(data, dict):
        faults.append(Fault("invalid", data_field, "event data must be a hash"))
    elif size(data) > EVENT_DATA_BYTES:
        message = f"event data cannot be longer than {EVENT_DATA_BYTES} bytes"
        faults.append(Fault("too_long", data_field, message))
    event_id = optional_text(body.get("id"), "id", "event id", faults) or None
    when = moment(body.get("timestamp"), "timestamp", faults)
    said = kind or body.get("type")
    return _Said(name, said if said in ("page", "screen") else "event", data, when, event_id)


def _name_faults(name: str) -> list[Fault]:
    if not name:
        return [Fault("required", "name", "event name must not be blank")]
    faults = []
    if size(name) > EVENT_NAME_BYTES:
        message = f"event name cannot be longer than {EVENT_NAME_BYTES} bytes"
        faults.append(Fault("too_long", "name", message))
    if len(name) >= EVENT_NAME_CHARACTERS:
        message = f"event name must be less than {EVENT_NAME_CHARACTERS} characters"
        faults.append(Fault("too_long", "name", message))
    return faults


__all__ = ["anonymous_event", "event"]
