"""Who belongs to what: people and objects are related, what is said of it changes, and they are parted (PPL-26)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from domain.condition_keys import RELATED
from domain.facts import Facts, Position
from domain.object_attributes import write
from domain.operations import ChangeRelationships, Edge, Name
from domain.outcomes import Done, Outcome
from ingest.creation import create, owner_of
from ingest.object_triggers import Happened, relationship_written
from ingest.objects import NO_OBJECT, Object, find_object, make_object
from ingest.record_changes import settle_records
from ingest.unit import Person, Unit
from store import relationships as store
from store.relationships import Pair, RelationshipRow

NO_PERSON = "Person does not exist"
SUPPRESSED = "The person is suppressed."


class Ends(NamedTuple):
    """A person and an object, and what is said of their belonging together."""

    person: Person
    thing: Object
    edge: Edge


async def change_relationships(unit: Unit, operation: ChangeRelationships, at: Position) -> Done:
    """Relate or part every pair of the operation; what cannot be related is left out, and the note says why."""
    notes: dict[str, None] = {}
    ends: list[Ends] = []
    befores: dict[int, Facts] = {}
    things: dict[Name, Object] = {}
    for edge in operation.edges:
        found = await _ends(unit, operation, edge, things, at)
        if isinstance(found, str):
            notes[found] = None
            continue
        person = found.person
        if person.person_id not in befores:
            befores[person.person_id] = unit.nobody() if person.fresh else unit.facts_of(person)
        ends.append(found)
    happened: list[Happened] = []
    if operation.action == "delete":
        changed = await _part(unit, ends, at)
    else:
        changed, happened, more = await _relate(unit, ends, at)
        notes |= dict.fromkeys(more)
    await _after(unit, changed, befores, at)
    for change in happened:
        await relationship_written(unit, change, at)
    one = next(iter(befores)) if len(befores) == 1 else None
    return Done("applied" if ends else _why_nothing(operation, notes), one, "; ".join(notes) or None)


def _why_nothing(operation: ChangeRelationships, notes: Collection[str]) -> Outcome:
    """The word for an operation that related or parted nobody."""
    if set(notes) == {SUPPRESSED}:
        return "suppressed"
    missing = set(notes) <= {NO_PERSON, NO_OBJECT, SUPPRESSED}
    return "ignored" if missing and not operation.existing_only else "failed"


async def relate(unit: Unit, person: Person, edge: Edge, at: Position) -> None:
    """Relate somebody who is loaded with an object, which is made if need be; `edge` says the rest."""
    thing = await find_object(unit, edge.object) or await make_object(unit, edge.object, at)
    if isinstance(thing, Object):
        before = unit.nobody() if person.fresh else unit.facts_of(person)
        changed, happened, _ = await _relate(unit, [Ends(person, thing, edge)], at)
        await _after(unit, changed, {person.person_id: before}, at)
        for one in happened:
            await relationship_written(unit, one, at)


async def _ends(
    unit: Unit, operation: ChangeRelationships, edge: Edge, things: dict[Name, Object], at: Position
) -> Ends | str:
    """Both ends of a relationship, made where they may be; else why not. Nobody is made for want of an object.

    `things` are objects of the operation that are known already.
    """
    person = owner_of(unit, edge.person)
    parts = operation.action == "delete"
    existing = operation.existing_people or operation.existing_only or edge.person.kind == "cio_id"
    if person is None and (parts or existing):
        return NO_PERSON
    if person is None and unit.is_suppressed(edge.person):
        return SUPPRESSED
    thing = things.get(edge.object.name) or await find_object(unit, edge.object)
    if thing is None:
        made = NO_OBJECT if parts or operation.existing_only else await make_object(unit, edge.object, at)
        if not isinstance(made, Object):
            return made
        thing = made
    things[edge.object.name] = thing
    person = person or await create(unit, edge.person, at)
    return SUPPRESSED if person is None else Ends(person, thing, edge)


async def _relate(unit: Unit, ends: Sequence[Ends], at: Position) -> tuple[set[int], list[Happened], list[str]]:
    """Write relationships and log them; returns whose have changed, what may begin journeys, and what did not fit."""
    workspace_id = unit.catalog.workspace_id
    known = await store.find(unit.conn, workspace_id, _pairs(ends)) if ends else {}
    rows: dict[Pair, RelationshipRow] = {}
    happened: list[Happened] = []
    notes: list[str] = []
    for end in ends:
        person, thing, edge = end
        pair = (person.person_id, thing.number)
        row = known.get(pair)
        for name, value in edge.attributes.items():
            unit.seen.note(f"relationship:{thing.type_id}", name, value, unit.source)
        done = write(row.attributes if row is not None else {}, {}, edge.attributes)
        if row is None or done.values:
            rows[pair] = known[pair] = RelationshipRow(person.person_id, thing.number, done.attributes)
            before = None if row is None else row.attributes
            happened.append(Happened(person, thing.row, before, done.attributes))
        if row is None:
            _record(unit, "add_relationship", end, done.attributes, at)
        elif done.values:
            changed = {"attributes": done.values, "before": done.before}
            unit.record(person, "relationship_attribute_change", thing.object_id, {**thing.named, **changed}, at)
        if done.failed:
            reasons = {"reasons": done.failed}
            unit.record(person, "relationship_failed_attribute_change", thing.object_id, {**thing.named, **reasons}, at)
            notes.append(done.note or "")
    await store.save(unit.conn, workspace_id, list(rows.values()), unit.now)
    return {person_id for person_id, _ in rows}, happened, notes


async def _part(unit: Unit, ends: Sequence[Ends], at: Position) -> set[int]:
    """Remove relationships and log those that were there; returns whose."""
    workspace_id = unit.catalog.workspace_id
    known = await store.find(unit.conn, workspace_id, _pairs(ends)) if ends else {}
    await store.delete(unit.conn, workspace_id, list(known))
    whose = {person_id for person_id, _ in known}
    for end in ends:
        row = known.pop((end.person.person_id, end.thing.number), None)
        if row is not None:
            _record(unit, "delete_relationship", end, row.attributes, at)
    return whose


async def _after(unit: Unit, changed: Collection[int], befores: Mapping[int, Facts], at: Position) -> None:
    """What follows for those whose relationships have changed; whoever is new is among them."""
    await settle_records(unit, {number: before for number, before in befores.items() if number in changed}, at, RELATED)


def _pairs(ends: Sequence[Ends]) -> list[Pair]:
    return list({(end.person.person_id, end.thing.number) for end in ends})


def _record(unit: Unit, kind: str, end: Ends, attributes: Mapping[str, Any], at: Position) -> None:
    """A line for the person and one for the object."""
    person, thing, _ = end
    unit.record(person, kind, thing.object_id, {**thing.named, "attributes": attributes}, at)
    # The object's line stays when the person goes, so what is said of the person stands in theirs only.
    unit.record(None, f"_o:{thing.type_id}:{kind}", thing.object_id, {**thing.named, "cio_id": person.cio_id}, at)


__all__ = ["NO_OBJECT", "NO_PERSON", "change_relationships", "relate"]
