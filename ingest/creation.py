"""Whose a name is, and the beginning of somebody new."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from domain.facts import Position
from domain.operations import Identifier
from domain.values import from_unix
from ingest.unit import Person, Unit, microseconds

FUTURE_LIMIT: Final = timedelta(minutes=5)
"""How far ahead of its receipt a caller's instant may lie; one further ahead counts as the time of receipt."""


_SECOND: Final = timedelta(seconds=1) - timedelta(microseconds=1)


def written_at(timestamp: int | None, received: datetime) -> datetime:
    """The moment of a write, which orders it: its receipt where it says none, or one far ahead that would lock what it writes.

    A timestamp has whole seconds. The last of its second counts, or else it would be older than what was received within.
    """
    if timestamp is None:
        return received
    try:
        said = from_unix(timestamp)
    except OverflowError:
        return received
    if said > received:
        return said if said <= received + FUTURE_LIMIT else received
    return min(said + _SECOND, received)


def owner_of(unit: Unit, name: Identifier) -> Person | None:
    """Whose name this is, if it is somebody's."""
    owner = unit.names.get(name.name)
    return unit.people.get(owner) if owner is not None else None


async def create(unit: Unit, subject: Identifier, at: Position) -> Person | None:
    """A new person with this name; None where the name must not come back."""
    if unit.is_suppressed(subject):
        return None
    person = unit.create_person(await unit.numbers.next())
    setattr(person.row, subject.kind, subject.value)
    unit.name(subject.name, person.person_id)
    person.row.attribute_times[subject.kind] = microseconds(at.at)
    unit.record(person, "person_created", None, {subject.kind: subject.value}, at)
    unit.seen.held("attribute", subject.kind, 1)
    unit.count("workspace", 0, "people")
    return person


__all__ = ["FUTURE_LIMIT", "create", "owner_of", "written_at"]
