"""What people did: stored at its own time, then settled (PPL-13, PPL-15, PPL-16)."""

from __future__ import annotations

import hashlib
from datetime import datetime

from domain.facts import EventFact, Position
from domain.operations import TrackEvent
from domain.values import from_unix, to_unix
from ingest.identify import FUTURE_LIMIT, create, owner_of
from ingest.settle import Change, settle
from ingest.unit import Person, Unit, microseconds

LAST_VISIT = "_last_visit"


async def track(unit: Unit, operation: TrackEvent, at: Position, new_id: int) -> None:
    """Apply an event; somebody unknown is created, a cio_id of nobody is dropped. `at` is when it was received."""
    person = owner_of(unit, operation.subject)
    if person is None:
        if operation.subject.kind == "cio_id":
            return
        person = create(unit, operation.subject, at, new_id)
    before = unit.nobody() if person.fresh else unit.facts_of(person)
    happened = _instant(operation, at.at)
    name = operation.name.strip()
    event = EventFact(name, happened, at.seq, operation.data, operation.type, operation.event_id)
    start = person.row.age_start
    unit.add_event(person, event)
    touched = _visit(person, happened, at) if operation.type in ("page", "screen") else frozenset()
    data = {"data": operation.data, "event_id": operation.event_id}
    unit.record(person, operation.type, name, data, Position(happened, at.seq))
    aged = person.row.age_start != start
    await settle(unit, person, Change(before, at, attributes=touched, event=event, aged=aged))


def event_id_hash(event_id: str) -> bytes:
    """The form in which event ids are remembered."""
    return hashlib.sha256(event_id.encode()).digest()


def _instant(operation: TrackEvent, received: datetime) -> datetime:
    """The event's own time, the time of receipt where it has none or lies more than five minutes ahead."""
    if operation.timestamp is None:
        return received
    try:
        happened = from_unix(operation.timestamp)
    except OverflowError:
        return received
    return received if happened > received + FUTURE_LIMIT else happened


def _visit(person: Person, happened: datetime, at: Position) -> frozenset[str]:
    """Pages and screens move the last visit forward, never back."""
    seen = to_unix(happened)
    before = person.attributes.get(LAST_VISIT)
    if isinstance(before, int | float) and before >= seen:
        return frozenset()
    person.row.attributes = {**person.row.attributes, LAST_VISIT: seen}
    person.row.attribute_times = {**person.row.attribute_times, LAST_VISIT: microseconds(at.at)}
    person.changed = True
    person.touch()
    return frozenset({LAST_VISIT})


__all__ = ["event_id_hash", "track"]
