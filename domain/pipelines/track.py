"""Track: an event of somebody, or an instruction by its name (API-21, API-26)."""

from __future__ import annotations

from typing import Any

from domain.operations import AnonymousEvent, AnyOperation, EventKind, TrackEvent
from domain.pipelines import semantic
from domain.pipelines.envelope import Message, need_somebody, person_of, record
from domain.pipelines.findings import Findings
from domain.pipelines.iso import converted
from domain.pipelines.terms import Terms
from domain.track.limits import EVENT_NAME_BYTES, size


def operations(message: Message, terms: Terms, findings: Findings) -> list[AnyOperation]:
    """The event, what its name instructs, or both."""
    said = message.body.get("event")
    name = said.strip() if isinstance(said, str) else ""
    if not name:
        findings.fault("event", "event is required")
    elif size(name) > EVENT_NAME_BYTES:
        findings.fault("event", f"event must not be longer than {EVENT_NAME_BYTES} bytes")
    if name in terms.blocked:
        findings.note("blocked", "event", f"this source may not send '{name}'")
        return []
    instruction = semantic.instruction_of(said, terms, findings)
    properties = record(message.body, "properties", findings)
    found: list[AnyOperation] = []
    if instruction is not None:
        found += semantic.operations(instruction, message, properties, terms, findings)
    if (instruction is None or instruction in semantic.EVENTS_TOO) and need_somebody(message, findings):
        found.append(happened(message, terms, kind="event", name=name, data=converted(properties)))
    return found


def happened(message: Message, terms: Terms, *, kind: EventKind, name: str, data: dict[str, Any]) -> AnyOperation:
    """The event of the person, else of somebody anonymous; with both ids it is the person's."""
    if message.user_id is not None:
        subject = person_of(message.user_id, terms)
        return TrackEvent(subject=subject, name=name, type=kind, data=data, timestamp=message.timestamp)
    anonymous_id = message.anonymous_id or ""
    return AnonymousEvent(anonymous_id=anonymous_id, name=name, type=kind, data=data, timestamp=message.timestamp)


__all__ = ["happened", "operations"]
