"""What people do before they are known: kept inert, attached when their anonymous id is bound (PPL-09, PPL-10, API-23)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from domain.facts import EventFact, Position
from domain.operations import (
    ANONYMOUS,
    AnonymousEvent,
    BindAnonymous,
    Edge,
    Identifier,
    IdentifyObject,
    Name,
    ParkGroup,
    TrackEvent,
)
from domain.outcomes import Done
from domain.values import to_unix
from ingest import events, relationships
from ingest.creation import owner_of
from ingest.objects import identify_object
from ingest.unit import Person, Unit
from store import anonymous as store
from store.anonymous import AnonymousRow

KEPT: Final = timedelta(days=30)
"""How long what is anonymous waits for its person, from its receipt."""
TAIL: Final = timedelta(minutes=5)
"""How long after an anonymous id was bound its events still go to the person."""
EVENT: Final = "event"
GROUP: Final = "group"


async def keep_event(unit: Unit, operation: AnonymousEvent, at: Position) -> Done:
    """Keep an anonymous event, or attach it where its id was bound at most five minutes ago."""
    happened = events.instant_of(operation.timestamp, at.at)
    name = operation.name.strip()
    unit.seen.note(operation.type, name, None, unit.source)
    invited = await _invite(unit, operation, at)
    if invited is not None:
        return invited
    person = await _bound_lately(unit, operation.anonymous_id, at)
    if person is not None:
        event = EventFact(name, happened, at.seq, operation.data, operation.type, operation.event_id)
        await events.happen(unit, person, event, at)
        _log_merged(unit, person, operation.anonymous_id, [to_unix(event.at)], at)
        return Done("applied", person.person_id)
    row = AnonymousRow(
        operation.anonymous_id, at.seq, EVENT, at.at, happened, name, operation.type, operation.data, operation.event_id
    )
    await store.insert(unit.conn, unit.catalog.workspace_id, row)
    return Done("applied", note="Kept as an anonymous event.")


async def _invite(unit: Unit, operation: AnonymousEvent, at: Position) -> Done | None:
    """An event without an id that names its recipient, where the workspace takes such (API-07)."""
    who = operation.invited
    settings = unit.catalog.settings
    if who is None or not settings.invite_events or settings.identifiers == "id_only":
        return None
    if unit.is_suppressed(who):
        return Done("suppressed")
    invited = TrackEvent(
        subject=who,
        name=operation.name,
        type=operation.type,
        data=operation.data,
        timestamp=operation.timestamp,
    )
    return await events.track(unit, invited, at)


async def park(unit: Unit, operation: ParkGroup, at: Position) -> Done:
    """Keep what a group call says of somebody not known yet; apply it where their id was bound a moment ago."""
    person = await _bound_lately(unit, operation.anonymous_id, at)
    if person is not None:
        await _join(unit, person, operation, at, said_at=events.instant_of(operation.timestamp, at.at))
        return Done("applied", person.person_id)
    data = operation.model_dump(mode="json", include={"object", "attributes", "relationship"})
    happened = events.instant_of(operation.timestamp, at.at)
    row = AnonymousRow(operation.anonymous_id, at.seq, GROUP, at.at, happened, None, None, data, None)
    await store.insert(unit.conn, unit.catalog.workspace_id, row)
    return Done("applied", note="Kept until the anonymous id is identified.")


async def bind(unit: Unit, operation: BindAnonymous, at: Position) -> Done:
    """Make an anonymous id somebody's, with everything it did in the last thirty days."""
    person = owner_of(unit, operation.subject)
    if person is None:
        return Done("ignored", note="The person does not exist.")
    return await bind_id(unit, person, operation.anonymous_id, at)


async def bind_id(unit: Unit, person: Person, anonymous_id: str, at: Position) -> Done:
    """The same, for somebody who is loaded. An id serves once: whose it has become it stays."""
    if not unit.catalog.settings.anonymous_merge:
        return Done("ignored", person.person_id, "Anonymous events are not merged in this workspace.")
    name = Name(ANONYMOUS, anonymous_id)
    owner = unit.names.get(name)
    if owner is not None:
        if owner == person.person_id:
            return Done("applied", person.person_id)
        return Done("ignored", person.person_id, "The anonymous id has become another person's.")
    await unit.reload([person.person_id])
    person = unit.people[person.person_id]
    workspace_id = unit.catalog.workspace_id
    await store.bind(unit.conn, workspace_id, anonymous_id, person.person_id, at.at)
    unit.names[name] = person.person_id
    rows = await store.take(unit.conn, workspace_id, anonymous_id, received_from=at.at - KEPT)
    merged: list[int] = []
    for row in rows:
        if row.op == EVENT:
            event = EventFact(row.name or "", row.at, row.seq, row.data, row.type or "event", row.event_id)
            await events.happen(unit, person, event, Position(at.at, row.seq))
            merged.append(to_unix(event.at))
        else:
            parked = ParkGroup(anonymous_id=anonymous_id, **row.data)
            await _join(unit, person, parked, at, said_at=row.at)
    if merged:
        _log_merged(unit, person, anonymous_id, merged, at)
    return Done("applied", person.person_id)


async def _bound_lately(unit: Unit, anonymous_id: str, at: Position) -> Person | None:
    """Whose the id has become, where that was not longer ago than the tail lasts."""
    owner = unit.names.get(Name(ANONYMOUS, anonymous_id)) if anonymous_id else None
    if owner is None or owner not in unit.people:
        return None
    bound_at = await store.bound_at(unit.conn, unit.catalog.workspace_id, anonymous_id)
    if bound_at is None or at.at > bound_at + TAIL:
        return None
    await unit.reload([owner])
    return unit.people.get(owner)


async def _join(unit: Unit, person: Person, parked: ParkGroup, at: Position, *, said_at: datetime) -> None:
    if parked.attributes is not None:
        told = IdentifyObject(object=parked.object, attributes=parked.attributes)
        await identify_object(unit, told, at, said_at=said_at)
    who = Identifier(kind="cio_id", value=person.cio_id)
    edge = Edge(person=who, object=parked.object, attributes=parked.relationship)
    await relationships.relate(unit, person, edge, at)


def _log_merged(unit: Unit, person: Person, anonymous_id: str, happened: Sequence[int], at: Position) -> None:
    data: dict[str, Any] = {
        "count": len(happened),
        "oldest_event_timestamp": min(happened),
        "anonymous_id": anonymous_id,
    }
    unit.record(person, "anon_merge", None, data, at)


__all__ = ["KEPT", "TAIL", "bind", "bind_id", "keep_event", "park"]
