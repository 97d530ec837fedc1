"""People who leave: deleted with everything of theirs, and, where they ask for it, never taken in again (PPL-11, PPL-12)."""

from __future__ import annotations

import json
from itertools import chain
from urllib.parse import quote

from domain.facts import Position
from domain.ids import cio_id
from domain.operations import DeletePerson, Identifier, SuppressPerson, UnsuppressPerson, key_of_name
from domain.outcomes import Done
from ingest.creation import owner_of
from ingest.suppressing import hashed
from ingest.unit import Erased, Person, Unit
from store import erasure, merges, suppressions

DELETED = "The person was deleted."
NOBODY = Done("ignored", note="The person does not exist.")


async def delete(unit: Unit, operation: DeletePerson, at: Position) -> Done:
    """Remove somebody; the same identifier later means somebody new."""
    person = owner_of(unit, operation.subject)
    if person is None:
        return NOBODY
    await _erase(unit, person, at)
    return Done("erased")


async def suppress(unit: Unit, operation: SuppressPerson, at: Position) -> Done:
    """Remove somebody, if they are there, and refuse their identifiers from now on."""
    person = owner_of(unit, operation.subject)
    if person is None and operation.subject.kind == "cio_id":
        return NOBODY
    names = {operation.subject.name} if operation.subject.kind != "cio_id" else set()
    if person is not None:
        names |= set(person.names)
        if unit.catalog.settings.identifiers == "id_only" and isinstance(person.attributes.get("email"), str):
            # Kept for the day when the workspace makes addresses identifiers.
            names.add(Identifier(kind="email", value=person.attributes["email"]).name)
        await _erase(unit, person, at)
    workspace = unit.catalog.workspace
    pairs = [(name.kind, hashed(workspace, name)) for name in sorted(names)]
    await suppressions.add(unit.conn, workspace.workspace_id, pairs, at.seq, at.at)
    unit.suppressed |= names
    return Done("erased")


async def unsuppress(unit: Unit, operation: UnsuppressPerson, _at: Position) -> Done:
    """Let identifiers be taken again that were suppressed together."""
    workspace, subject = unit.catalog.workspace, operation.subject
    free = await suppressions.lift(unit.conn, workspace.workspace_id, subject.kind, hashed(workspace, subject.name))
    if not free:
        return Done("ignored", note="The identifier is not suppressed.")
    unit.suppressed = {name for name in unit.suppressed if hashed(workspace, name) not in free}
    return Done("applied")


async def _erase(unit: Unit, person: Person, at: Position) -> None:
    """End what the person is in, then remove everything that is theirs from every table."""
    workspace_id = unit.catalog.workspace_id
    for journey in list(person.journeys):
        unit.end_journey(
            person,
            journey,
            state="exited_early",
            reason="person_deleted",
            explanation=DELETED,
            why="person deleted",
        )
    for segment_id in sorted(person.segments):
        unit.count("segment", segment_id, "members", -1)
    for name in (*person.attributes, *person.kinds):
        unit.seen.held("attribute", name, -1)
    unit.count("workspace", 0, "people", -1)
    values = [getattr(person.row, kind) for kind in person.kinds]
    # Refused calls hold names as callers wrote them: percent-encoded in paths, in bodies with the escapes of JSON.
    forms = [(quote(v, safe=""), json.dumps(v)[1:-1], json.dumps(v, ensure_ascii=False)[1:-1]) for v in values]
    values = list(dict.fromkeys([*values, *chain.from_iterable(forms)]))
    names = [Identifier(kind="cio_id", value=person.cio_id).name, *person.names]
    keys = [key_of_name(name) for name in names]
    await unit.flush()
    numbers = [person.person_id, *await merges.merged(unit.conn, workspace_id, person.person_id)]
    # What others hold of those who were merged into the person is found by their numbers.
    keys += [key_of_name(Identifier(kind="cio_id", value=cio_id(number)).name) for number in numbers[1:]]
    unit.erased.append(Erased(frozenset(numbers), frozenset(keys)))
    unsent = await erasure.erase(unit.conn, workspace_id, person.person_id, keys=keys, values=values, now=unit.now)
    for campaign_id, action_id, transactional_id in unsent:
        for what, ref in (("campaign", campaign_id), ("action", action_id), ("transactional", transactional_id)):
            if ref is not None:
                unit.count(what, ref, "undeliverable")
    unit.forget(person.person_id)
    unit.record(None, "profile_delete", None, {"cio_id": person.cio_id}, at)


__all__ = ["delete", "suppress", "unsuppress"]
