"""Segments that people are put into and taken out of by hand, and what follows from each move (PPL-43, API-11)."""

from __future__ import annotations

from domain.facts import Position
from domain.operations import Reevaluate, SegmentMember
from domain.outcomes import Done
from ingest.catalog import ManualSegment
from ingest.creation import create, owner_of
from ingest.settle import Change, settle
from ingest.unit import Person, Unit

NO_SEGMENT = Done("ignored", note="There is no such manual segment.")
CLEARED = "The segment was cleared."


async def change_membership(unit: Unit, operation: SegmentMember, at: Position) -> Done:
    """Put somebody in, who is added if need be, or take them out; being in or out already is no change.

    Nobody is added by a cio_id, nor by a row of a file, which names people who exist.
    """
    segment = unit.catalog.compiled.manual_segments.get(operation.segment_id)
    if segment is None:
        return _none(unit, operation.segment_id)
    person = owner_of(unit, operation.subject)
    if person is None and operation.row is not None:
        return Done("failed", note="Person does not exist.")
    if person is None:
        if not operation.member or operation.subject.kind == "cio_id":
            return Done("ignored", note=f"Nobody has this {operation.subject.kind}.")
        person = await create(unit, operation.subject, at)
    if person is None:
        return Done("suppressed")
    word = "Added" if operation.member else "Removed"
    await move(unit, person, segment, member=operation.member, reason=f"{word} by {unit.source}", at=at)
    return Done("applied", person.person_id)


async def move(unit: Unit, person: Person, segment: ManualSegment, *, member: bool, reason: str, at: Position) -> bool:
    """Make somebody a member or none and settle what follows; returns whether that changed anything."""
    before = unit.nobody() if person.fresh else unit.facts_of(person)
    if not _set(unit, person, segment, member=member, reason=reason, at=at):
        return False
    await settle(unit, person, Change(before, at, moved=frozenset({segment.id})))
    return True


async def clear(unit: Unit, person: Person, operation: Reevaluate, at: Position) -> Done:
    """Take one person out of a segment that is being emptied.

    `clear_mute` releases nobody and starts nothing. With `clear`, who has left already may go on from a wait as well: an
    earlier clearing may have been mute.
    """
    mute = operation.why == "clear_mute"
    for _, ref in operation.refs:
        segment = unit.catalog.compiled.manual_segments.get(ref)
        if segment is None:
            return _none(unit, ref)
        before, number = unit.facts_of(person), frozenset({segment.id})
        if _set(unit, person, segment, member=False, reason=CLEARED, at=at):
            await settle(unit, person, Change(before, at, moved=number, mute=mute))
        elif not mute:
            await settle(unit, person, Change(before, at, looked_at=number))
    return Done("applied", person.person_id)


def _none(unit: Unit, segment_id: int) -> Done:
    """Why there is no such segment to put anybody into or take them out of."""
    archived = unit.catalog.compiled.archived_segments.get(segment_id)
    return NO_SEGMENT if archived is None else Done("ignored", note=f"The segment '{archived.key}' is archived.")


def _set(unit: Unit, person: Person, segment: ManualSegment, *, member: bool, reason: str, at: Position) -> bool:
    if not unit.set_membership(person, ("segment", segment.id), member, None):
        return False
    unit.count("segment", segment.id, "members", 1 if member else -1)
    data = {"segment_id": segment.id, "segment": segment.key, "reason": reason}
    unit.record(person, "segment_enter" if member else "segment_leave", segment.name, data, at)
    return True


__all__ = ["change_membership", "clear", "move"]
