"""What happens to objects and relationships that may begin journeys, and the snapshot these keep (CMP-07, CMP-08).

Nobody but the person of a relationship is locked here: for everybody else a fact is appended that finds out who they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

from domain.conditions import where_fits
from domain.definitions import ObjectTypeDefinition
from domain.definitions.triggers import ObjectTrigger, RelationshipTrigger
from domain.facts import Facts, Position
from domain.operations import FanOut
from domain.values import same
from domain.wheres import Where
from ingest.belongings import object_shown, read_thing
from ingest.catalog import Campaign, Catalog
from ingest.entry import Occurrence, begin
from ingest.person import Person
from ingest.records import object_record
from ingest.unit import OWN_SOURCE, Unit
from store import journey_entries
from store.objects import ObjectRow

TAKEN: Final = frozenset({"customer", "relationship"})
"""What templates call the person and the relationship that triggered: an object type of that name gets an underscore."""


class Happened(NamedTuple):
    """A relationship that a fact has made (`before` None) or changed."""

    person: Person
    thing: ObjectRow
    before: Mapping[str, Any] | None
    after: Mapping[str, Any]


def object_written(unit: Unit, thing: ObjectRow, before: Mapping[str, Any] | None, at: Position) -> None:
    """Begin what a write to an object triggers; `before` are its attributes until then, None where it has just been made."""
    campaigns = unit.catalog.compiled.by_object.get(thing.object_type_id, ())
    if not campaigns:
        return
    was = {} if before is None else object_record(thing.object_no, thing.object_id, before)
    now = object_record(thing.object_no, thing.object_id, thing.attributes)
    for campaign in campaigns:
        trigger = campaign.definition.trigger
        assert isinstance(trigger, ObjectTrigger), "these campaigns are entered by objects"
        if not takes_in(campaign, at.at):
            continue
        if _is_altered(trigger.where, was, now) and where_fits(trigger.where, now, unit.nobody(), unit.moment):
            occurrence = FanOut(
                campaign_id=campaign.id,
                object_no=thing.object_no,
                entry=f"{at.seq}-{thing.object_no}",
                at=at.at,
                seq=at.seq,
                data=object_data(unit.catalog, thing),
            )
            unit.append(occurrence, OWN_SOURCE)


async def relationship_written(unit: Unit, happened: Happened, at: Position) -> None:
    """Begin what a relationship triggers that has been made or changed; its person has been settled already."""
    person, thing, before, after = happened
    for campaign in unit.catalog.compiled.by_relationship.get(thing.object_type_id, ()):
        trigger = campaign.definition.trigger
        assert isinstance(trigger, RelationshipTrigger), "these campaigns are entered by relationships"
        if not takes_in(campaign, at.at):
            continue
        if not relationship_triggers(trigger, before, after, unit.facts_of(person), unit):
            continue
        data = relationship_data(unit.catalog, thing, after, person.profile)
        entry = f"{at.seq}-{thing.object_no}-{person.person_id}"
        if trigger.audience == "person":
            await enter(unit, person, campaign, Occurrence(at, entry, kept(data, thing.object_no, person.person_id)))
            continue
        occurrence = FanOut(
            campaign_id=campaign.id,
            object_no=thing.object_no,
            entry=entry,
            at=at.at,
            seq=at.seq,
            data=data,
            trigger_person=person.person_id,
        )
        unit.append(occurrence, OWN_SOURCE)


def takes_in(campaign: Campaign, at: datetime) -> bool:
    """Whether an occurrence may begin journeys: one of before the latest start is none of the future (CMP-21)."""
    return campaign.enters and (campaign.started_at is None or at >= campaign.started_at)


def relationship_triggers(
    trigger: RelationshipTrigger,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any],
    facts: Facts,
    unit: Unit,
) -> bool:
    """Whether what has become of a relationship is what the trigger waits for; `facts` are those of its person."""
    where = trigger.where
    if trigger.change == "added":
        return before is None and (where is None or where_fits(where, after, facts, unit.moment))
    assert where is not None, "what changes has to come to something"
    return _is_altered(where, before or {}, after) and where_fits(where, after, facts, unit.moment)


async def enter(
    unit: Unit, person: Person, campaign: Campaign, occurrence: Occurrence, since: int | None = None
) -> None:
    """Begin a journey for an occurrence, unless it has begun one of this person already.

    With `since` neither if a fact after that has begun one of the same object: it came while the campaign was starting.
    """
    if await unit.has_entered(person, campaign, occurrence.entry):
        return
    if since is not None and await _began_by_itself(unit, person, campaign, occurrence.trigger, since):
        return
    # Filters look at it, and at the relationship of whom they are asked about.
    await read_thing(unit.conn, unit.catalog.workspace_id, person, occurrence.trigger["object"])
    await begin(unit, person, campaign, occurrence)


async def _began_by_itself(
    unit: Unit, person: Person, campaign: Campaign, trigger: Mapping[str, Any], since: int
) -> bool:
    """Whether the same has happened to the object since, so that the person has entered for it, or waits for the filters."""
    same_one = [trigger.get(name) for name in ("object", "person")]
    known = [(row.campaign_id, row.started_seq, row.trigger) for row in person.journeys]
    known += [(row.campaign_id, row.occurred_seq, row.trigger) for row in person.retries.values()]
    if any(
        number == campaign.id and seq > since and [one.get("object"), one.get("person")] == same_one
        for number, seq, one in known
    ):
        return True
    workspace_id = unit.catalog.workspace_id
    return await journey_entries.has_begun_since(
        unit.conn, workspace_id, campaign.id, person.person_id, trigger, since=since
    )


def kept(data: Mapping[str, Any], object_no: int, trigger_person: int | None) -> dict[str, Any]:
    """What a journey keeps of its trigger: the data as of then, and the numbers of the object and of whose relationship."""
    found: dict[str, Any] = {"data": dict(data), "object": object_no}
    return found if trigger_person is None else {**found, "person": trigger_person}


def object_data(catalog: Catalog, thing: ObjectRow) -> dict[str, Any]:
    """What templates read of an object that triggers."""
    entry = catalog.find("object_type", thing.object_type_id)
    if entry is None or not isinstance(entry.definition, ObjectTypeDefinition):
        return {}
    slug = entry.definition.singular_slug
    return {f"_{slug}" if slug in TAKEN else slug: object_shown(thing)}


def relationship_data(
    catalog: Catalog, thing: ObjectRow, relationship: Mapping[str, Any], profile: Mapping[str, Any]
) -> dict[str, Any]:
    """What templates read of a relationship that triggers: itself, its person, the object."""
    return {**object_data(catalog, thing), "relationship": dict(relationship), "customer": dict(profile)}


def _is_altered(where: Where, before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Whether anything the comparisons look at is something else than before."""
    paths = {leaf.body.path for leaf in where.comparisons()}
    return any(not same(list(path.read(before)), list(path.read(after))) for path in paths)


__all__ = [
    "Happened",
    "enter",
    "kept",
    "object_data",
    "object_written",
    "relationship_data",
    "relationship_triggers",
    "relationship_written",
    "takes_in",
]
