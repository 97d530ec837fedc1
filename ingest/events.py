"""What people did: stored at its own time, then settled (PPL-13, PPL-15, PPL-16)."""

from __future__ import annotations

from datetime import datetime

from domain.facts import EventFact, Position
from domain.operations import TrackEvent
from domain.outcomes import Done
from domain.values import from_unix, to_unix
from ingest.creation import FUTURE_LIMIT, create, owner_of
from ingest.settle import Change, settle
from ingest.unit import Person, Unit, microseconds

LAST_VISIT = "_last_visit"


async def track(unit: Unit, operation: TrackEvent, at: Position) -> Done:
    """Apply an event; somebody unknown is created, a cio_id of nobody is dropped. `at` is when it was received."""
    person = owner_of(unit, operation.subject)
    if person is None:
        if operation.subject.kind == "cio_id" or operation.existing_only:
            return Done("failed" if operation.existing_only else "ignored", note="Person does not exist.")
        person = await create(unit, operation.subject, at)
    if person is None:
        return Done("suppressed")
    happened = instant_of(operation.timestamp, at.at)
    name = operation.name.strip()
    event = EventFact(name, happened, at.seq, operation.data, operation.type, operation.event_id, operation.depth)
    unit.seen.note(operation.type, name, None, unit.source)
    await happen(unit, person, event, at)
    return Done("applied", person.person_id, _late(operation.timestamp, happened, at.at))


async def happen(unit: Unit, person: Person, event: EventFact, at: Position) -> None:
    """Record an event of somebody known and settle what follows; `at` is when it became known."""
    before = unit.nobody() if person.fresh else unit.facts_of(person)
    start = person.row.age_start
    unit.add_event(person, event)
    touched = _visit(person, event.at, at) if event.type in ("page", "screen") else frozenset()
    data = {"data": event.data, "event_id": event.event_id}
    unit.record(person, event.type, event.name, data, Position(event.at, at.seq))
    aged = person.row.age_start != start
    await settle(unit, person, Change(before, at, attributes=touched, event=event, aged=aged))


def instant_of(timestamp: int | None, received: datetime) -> datetime:
    """An event's own time, the time of receipt where it has none or lies more than five minutes ahead (PPL-15)."""
    if timestamp is None:
        return received
    try:
        happened = from_unix(timestamp)
    except OverflowError:
        return received
    return received if happened > received + FUTURE_LIMIT else happened


def _late(timestamp: int | None, happened: datetime, received: datetime) -> str | None:
    """What the log says of a timestamp that was not taken."""
    clamped = timestamp is not None and happened == received and timestamp > to_unix(received)
    return "The timestamp lies in the future; the event counts as of its receipt." if clamped else None


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


__all__ = ["LAST_VISIT", "happen", "instant_of", "track"]
