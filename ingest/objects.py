"""Things that are not people: made, changed and removed by facts (PPL-25, API-13, API-23)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from domain.condition_keys import RELATED
from domain.facts import Position
from domain.ids import cio_object_id
from domain.object_attributes import write
from domain.operations import OBJECT_BY_CIO_ID, DeleteObject, IdentifyObject, Name, ObjectRef, ReevaluateRelated
from domain.outcomes import Done
from ingest.creation import written_at
from ingest.object_triggers import object_written
from ingest.object_types import refused_type
from ingest.unit import OWN_SOURCE, TOMBSTONES, Unit, microseconds
from store import objects, people, relationships
from store.objects import ObjectRow

NO_OBJECT = "Object does not exist"


class Object(NamedTuple):
    """An object as other facts refer to it; `row` is what was read of it under its lock."""

    number: int
    type_id: int
    object_id: str
    row: ObjectRow

    @property
    def named(self) -> dict[str, Any]:
        """How lines of the activity log name it."""
        return {
            "object_type_id": str(self.type_id),
            "object_id": self.object_id,
            "cio_object_id": cio_object_id(self.number),
        }


async def find_object(unit: Unit, ref: ObjectRef) -> Object | None:
    """The object a fact names, None where there is none."""
    owner = unit.names.get(ref.name)
    if owner is None:
        return None
    row = await objects.lock(unit.conn, unit.catalog.workspace_id, -owner)
    return None if row is None else _known(unit, row)


async def make_object(unit: Unit, ref: ObjectRef, at: Position) -> Object | str:
    """A new object without attributes, or why there cannot be one."""
    row = await _made(unit, ref, at)
    return row.note or NO_OBJECT if isinstance(row, Done) else _known(unit, row)


async def identify_object(
    unit: Unit, operation: IdentifyObject, at: Position, *, said_at: datetime | None = None
) -> Done:
    """Add an object or update its attributes; what has waited was `said_at` an earlier instant than it is applied at."""
    owner = unit.names.get(operation.object.name)
    row = await objects.lock(unit.conn, unit.catalog.workspace_id, -owner) if owner is not None else None
    if row is None:
        if operation.update_only:
            return Done("failed", note=f"{NO_OBJECT}, and the call may not create it.")
        made = await _made(unit, operation.object, at)
        if isinstance(made, Done):
            return made
        row = made
    elif operation.create_only:
        return Done("ignored", note="The object exists already.")
    return await _write(unit, row, operation, at, said_at or written_at(operation.timestamp, at.at))


async def delete_object(unit: Unit, operation: DeleteObject, at: Position) -> Done:
    """Remove an object with all its relationships."""
    found = await find_object(unit, operation.object)
    if found is None:
        return Done("ignored", note=NO_OBJECT)
    workspace_id = unit.catalog.workspace_id
    parted = await relationships.part_from(unit.conn, workspace_id, found.number)
    await objects.delete(unit.conn, workspace_id, found.number)
    unit.names = {name: None if owner == -found.number else owner for name, owner in unit.names.items()}
    # Whom it leaves is not locked: they get their line in the log, after those written so far.
    await unit.flush()
    lines = [
        people.ActivityRow(person_id, "delete_relationship", found.object_id, found.named, at.at, unit.now, at.seq)
        for person_id in parted
    ]
    await people.insert_activities(unit.conn, workspace_id, lines, unit.now)
    await unit.changed(parted, RELATED)
    await _tell_concerned(unit, found)
    _record(unit, found, "delete", {"relationships": len(parted)}, at)
    return Done("applied")


async def _made(unit: Unit, ref: ObjectRef, at: Position) -> ObjectRow | Done:
    """The object under lock: a new one, or one that a fact nobody could put in order has just made."""
    if ref.object_id is None:
        return Done("ignored", note=NO_OBJECT)
    refused = await refused_type(unit, ref.object_type_id)
    if refused is not None:
        return refused
    row, created = await objects.ensure(
        unit.conn, unit.catalog.workspace_id, ref.object_type_id, ref.object_id, unit.now
    )
    if created:
        _record(unit, _known(unit, row), "create", {}, at)
        object_written(unit, row, None, at)
    return row


def _known(unit: Unit, row: ObjectRow) -> Object:
    """The object, which facts of this unit now find by either of its names."""
    found = Object(row.object_no, row.object_type_id, row.object_id, row)
    unit.names[ObjectRef(object_type_id=found.type_id, object_id=found.object_id).name] = -found.number
    unit.names[Name(OBJECT_BY_CIO_ID, cio_object_id(found.number))] = -found.number
    return found


async def _write(unit: Unit, row: ObjectRow, operation: IdentifyObject, at: Position, happened: datetime) -> Done:
    """Write attributes and log what that did."""
    thing = _known(unit, row)
    for name, value in operation.attributes.items():
        unit.seen.note(f"object:{thing.type_id}", name, value, unit.source)
    done = write(row.attributes, row.attribute_times, operation.attributes, microseconds(happened))
    if done.values:
        oldest = microseconds(unit.now - TOMBSTONES)
        times = {n: micros for n, micros in done.times.items() if n in done.attributes or micros >= oldest}
        before, row.attributes, row.attribute_times = row.attributes, done.attributes, times
        await objects.update(unit.conn, unit.catalog.workspace_id, row)
        _record(unit, thing, "attribute_change", {"attributes": done.values, "before": done.before}, at)
        await _tell_concerned(unit, thing)
        object_written(unit, row, before, at)
    if done.failed:
        _record(unit, thing, "failed_attribute_change", {"reasons": done.failed}, at)
    if done.skipped:
        skipped = {"attributes": done.skipped, "reason": "A later write came first."}
        unit.record(None, "skipped_update", thing.object_id, {**thing.named, **skipped}, at)
    return Done("applied", note=done.note)


async def _tell_concerned(unit: Unit, thing: Object) -> None:
    """Have everybody looked at again who is related to an object that has changed, or in a journey of it (PPL-39)."""
    compiled, public = unit.catalog.compiled, cio_object_id(thing.number)
    if RELATED not in compiled.keys.record_kinds:
        return
    here = [
        person.person_id
        for person in unit.people.values()
        if thing.number in person.things
        or any(related.object["cio_object_id"] == public for related in person.records.related)
    ]
    await unit.renew(here, frozenset({RELATED}))
    # Relating takes the object's lock, which is held here: nobody can become related unseen.
    if RELATED in compiled.watched_records and await relationships.concerned(
        unit.conn, unit.catalog.workspace_id, thing.number, 0, 1
    ):
        unit.append(ReevaluateRelated(object_no=thing.number), OWN_SOURCE)


def _record(unit: Unit, thing: Object, what: str, data: Mapping[str, Any], at: Position) -> None:
    unit.record(None, f"_o:{thing.type_id}:{what}", thing.object_id, {**thing.named, **data}, at)


__all__ = ["NO_OBJECT", "Object", "delete_object", "find_object", "identify_object", "make_object"]
