"""Objects as journeys and templates see them: the one that triggered, and the newest that somebody is related to."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final

from domain.condition_keys import OBJECTS
from domain.definitions import ObjectTypeDefinition
from domain.values import to_unix
from ingest.catalog import Campaign, Catalog
from ingest.person import Person, Thing
from ingest.records import object_record
from store import relationships
from store.database import Connection
from store.journeys import JourneyRow
from store.objects import ObjectRow
from store.relationships import Newest

MOST: Final = 10
"""How many objects of each type templates can read (CMP-07)."""


def object_shown(row: ObjectRow | Newest) -> dict[str, Any]:
    """An object as templates read it: with the instant it was made."""
    made = {"_created_in_customerio_at": to_unix(row.created_at)}
    return object_record(row.object_no, row.object_id, row.attributes) | made


async def read_triggering(conn: Connection, workspace_id: int, people: Iterable[Person]) -> None:
    """Know the objects that triggered journeys of these people, or may when the filters hold, as they are now."""
    pairs: dict[tuple[int, int], Person] = {}
    for person in people:
        triggers = [journey.trigger for journey in person.journeys]
        triggers += [retry.trigger for retry in person.retries.values()]
        pairs |= {(person.person_id, number): person for one in triggers if (number := one.get("object")) is not None}
    await _read(conn, workspace_id, pairs)


def thing_of(person: Person, journey: JourneyRow) -> Thing | None:
    """The object that triggered a journey of the person, where it is still there."""
    number = journey.trigger.get("object")
    return None if number is None else person.things.get(number)


async def read_objects(conn: Connection, catalog: Catalog, people: Collection[Person]) -> None:
    """Know the newest objects of each type that these people are related to; without any, the list is empty."""
    slugs = _slugs(catalog)
    for person in people:
        person.objects = {slug: [] for slug in slugs.values()}
    wanted = {person.person_id: person for person in people}
    for row in await relationships.newest(conn, catalog.workspace_id, list(wanted), MOST):
        listed = wanted[row.person_id].objects
        slug = slugs.get(row.object_type_id)
        if listed is not None and slug is not None:
            listed[slug].append(object_shown(row) | {"relationship": row.relationship})


def no_objects(catalog: Catalog) -> dict[str, list[dict[str, Any]]]:
    """The objects of somebody who is related to none."""
    return {slug: [] for slug in _slugs(catalog).values()}


async def read_thing(conn: Connection, workspace_id: int, person: Person, object_no: int) -> None:
    """Know an object that is about to begin a journey of somebody."""
    await _read(conn, workspace_id, {(person.person_id, object_no): person})


async def read_for_templates(
    conn: Connection, catalog: Catalog, campaign: Campaign, person: Person, journey: JourneyRow
) -> None:
    """Know what templates of a journey read besides its person, where that was loaded for something else; it may be over."""
    number = journey.trigger.get("object")
    if number is not None and number not in person.things:
        await read_thing(conn, catalog.workspace_id, person, number)
    if person.objects is None and OBJECTS in catalog.keys_for(campaign.id).records:
        await read_objects(conn, catalog, [person])


async def _read(conn: Connection, workspace_id: int, pairs: Mapping[tuple[int, int], Person]) -> None:
    if not pairs:
        return
    for (_, number), person in pairs.items():
        person.things.pop(number, None)
    for row in await relationships.triggering(conn, workspace_id, pairs):
        record = object_record(row.object_no, row.object_id, row.attributes)
        pairs[row.person_id, row.object_no].things[row.object_no] = Thing(record, row.relationship)


def _slugs(catalog: Catalog) -> dict[int, str]:
    """What templates call the lists of objects, by the number of the type; types that are not enabled have none."""
    listed = catalog.compiled.others.get("object_type", ())
    types = ((entry.id, entry.definition) for entry in listed)
    return {number: kind.slug for number, kind in types if isinstance(kind, ObjectTypeDefinition) and kind.enabled}


__all__ = [
    "MOST",
    "no_objects",
    "object_shown",
    "read_for_templates",
    "read_objects",
    "read_thing",
    "read_triggering",
    "thing_of",
]
