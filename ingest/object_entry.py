"""Whom an occurrence of an object or a relationship is for: found without locks, entered one by one (CMP-07, CMP-08)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final, NamedTuple

from domain.conditions import Condition, decide_at, where_fits
from domain.definitions.triggers import ObjectTrigger, RelationshipTrigger
from domain.facts import Facts, JourneyFacts, Position
from domain.ids import cio_object_id
from domain.operations import AnyOperation, EnterCampaign, FanOut
from domain.outcomes import Done
from domain.subjects import Moment
from ingest.catalog import Campaign, Catalog
from ingest.entry import Occurrence
from ingest.object_triggers import TAKEN, enter, kept, object_data, relationship_data, takes_in
from ingest.person import profile_of
from ingest.records import object_record
from ingest.unit import OWN_SOURCE, Unit
from store import log, merges, objects, relationships
from store.database import Connection
from store.objects import ObjectRow
from store.relationships import Member

MOST: Final = 1_000
"""How many journeys one occurrence begins at most; where it is for more people, nobody's (CMP-07)."""
PAGE: Final = 2_000
OBJECTS_PAGE: Final = 200
FAILED: Final = "failed_object_journeys"
FAILED_NAME: Final = "Failed Journeys for Object/Relationship Campaign"
_OVER: Final = "The campaign does not take people in any more, or has been started since."
_GONE: Final = "The person is gone."
GONE: Final = Done("erased")
"""Somebody has been removed whose data the fact held: people begin all the same, and the fact is not kept."""


class Started(NamedTuple):
    """A start of a campaign: what tells it from any other, and what was last accepted before it."""

    entry: str
    since: int | None


class CurrentPage(NamedTuple):
    """What a page of a start came to: the last object looked at, and how many (0: none is left)."""

    last: int
    looked: int


async def fan_out(unit: Unit, operation: FanOut, at: Position) -> Done:
    """Find whom an occurrence is for, some at a time, and have them enter one by one unless there are too many."""
    campaign = unit.catalog.campaigns.get(operation.campaign_id)
    if campaign is None or not takes_in(campaign, operation.at):
        return Done("ignored", note=_OVER)
    trigger = campaign.definition.trigger
    if not isinstance(trigger, ObjectTrigger | RelationshipTrigger):
        return Done("ignored", note=_OVER)
    # What earlier facts of this batch have changed is not in the tables yet.
    await unit.flush()
    found, last = list(operation.found), operation.after
    if trigger.audience == "everyone" and not operation.each:
        rest = MOST + 1 - len(found)
        page = await relationships.people_of(unit.conn, unit.catalog.workspace_id, operation.object_no, last, rest)
        found += page
    else:
        members = await relationships.members_page(
            unit.conn, unit.catalog.workspace_id, operation.object_no, last, PAGE
        )
        found += [member.person.person_id for member in members if _is_meant(unit, operation, trigger, member)]
        if len(members) == PAGE and len(found) <= MOST:
            further = {"after": members[-1].person.person_id, "found": found}
            unit.append(operation.model_copy(update=further), OWN_SOURCE)
            return Done("applied")
    if len(found) > MOST:
        await _refuse(unit, campaign, operation, at)
        return Done("applied", note=f"It is for more than {MOST} people, so nobody begins.")
    position = Position(operation.at, operation.seq or at.seq)
    data, gone = await _what_is_left(unit, operation.data, operation.trigger_person)
    for entry in await _entries(unit, campaign, operation.model_copy(update={"data": data}), position, found):
        unit.append(entry, OWN_SOURCE)
    return GONE if gone else Done("applied")


async def enter_campaign(unit: Unit, operation: EnterCampaign, _at: Position) -> Done:
    """Begin the journey of one person, or of whom they have been merged into meanwhile.

    The outcome names nobody: the fact also holds what is somebody else's, and is found by the names of both.
    """
    person = unit.people.get(operation.person_id)
    if person is None:
        primary = await merges.into(unit.conn, unit.catalog.workspace_id, operation.person_id)
        if primary is None:
            return Done("ignored", note=_GONE)
        unit.append(operation.model_copy(update={"person_id": primary}), OWN_SOURCE)
        return Done("applied")
    campaign = unit.catalog.campaigns.get(operation.campaign_id)
    if campaign is None or not takes_in(campaign, operation.at):
        return Done("ignored", note=_OVER)
    data, gone = await _what_is_left(unit, operation.trigger["data"], operation.trigger.get("person"))
    occurrence = Occurrence(Position(operation.at, operation.seq), operation.entry, {**operation.trigger, "data": data})
    await enter(unit, person, campaign, occurrence, operation.since)
    return GONE if gone else Done("applied")


async def _what_is_left(unit: Unit, data: dict[str, Any], whose: int | None) -> tuple[dict[str, Any], bool]:
    """What may still be said of a trigger: of somebody who has been removed since nothing is, and True."""
    if whose is None or whose in unit.people or not await merges.is_gone(unit.conn, unit.catalog.workspace_id, whose):
        return data, False
    return {name: value for name, value in data.items() if name not in TAKEN}, True


async def current_page(
    conn: Connection,
    catalog: Catalog,
    campaign: Campaign,
    started: Started,
    *,
    after: int,
    now: datetime,
    real_now: datetime,
) -> CurrentPage:
    """Have those enter, object by object, for whom the trigger holds already when its campaign starts (CMP-21).

    Whatever has come to match since the start begins a journey by itself, which nobody then begins a second time.
    """
    trigger = campaign.definition.trigger
    assert isinstance(trigger, ObjectTrigger | RelationshipTrigger), "only these are entered object by object"
    number = catalog.directory.id_of("object_type", trigger.object_type)
    if number is None:
        return CurrentPage(after, 0)
    page = await objects.page_of_type(conn, catalog.workspace_id, number, after=after, limit=OBJECTS_PAGE)
    begun = [
        FanOut(
            campaign_id=campaign.id,
            object_no=thing.object_no,
            entry=f"{started.entry}-{thing.object_no}",
            at=now,
            data=object_data(catalog, thing),
            each=isinstance(trigger, RelationshipTrigger),
            since=started.since,
        )
        for thing in page
        if isinstance(trigger, RelationshipTrigger) or _holds(catalog, trigger, thing, now)
    ]
    entries = [log.entry_of(catalog.workspace_id, operation, OWN_SOURCE) for operation in begun]
    await log.append(conn, entries, real_now)
    return CurrentPage(page[-1].object_no, len(page)) if page else CurrentPage(after, 0)


def _holds(catalog: Catalog, trigger: ObjectTrigger, thing: ObjectRow, now: datetime) -> bool:
    """Whether an object fits the trigger."""
    record = object_record(thing.object_no, thing.object_id, thing.attributes)
    nobody = Facts(attributes={}, age_start=now, directory=catalog.directory)
    return where_fits(trigger.where, record, nobody, Moment.of(now))


def _is_meant(unit: Unit, operation: FanOut, trigger: ObjectTrigger | RelationshipTrigger, member: Member) -> bool:
    """Whether somebody belongs to the audience, or with `each`, whether their relationship triggers by itself."""
    facts = Facts(
        attributes=profile_of(member.person),
        age_start=member.person.age_start,
        segment_ids=unit.catalog.segment_ids,
        directory=unit.catalog.directory,
    )
    if operation.each:
        since = unit.catalog.campaigns[operation.campaign_id].started_at
        began = isinstance(trigger, RelationshipTrigger) and trigger.change == "added"
        if began and since is not None and member.since > since:
            return False
        where = trigger.where
        return where is None or where_fits(where, member.relationship, facts, unit.moment)
    if not isinstance(trigger.audience, Condition):
        return True
    inside = JourneyFacts("", Position(unit.now, 0), trigger=operation.data, relationship=member.relationship)
    return decide_at(trigger.audience, replace(facts, journey=inside), unit.moment)[0]


async def _entries(
    unit: Unit, campaign: Campaign, operation: FanOut, position: Position, found: Sequence[int]
) -> list[AnyOperation]:
    """The facts that follow for the people found."""
    number, trigger = operation.object_no, campaign.definition.trigger
    whom = operation.trigger_person
    if not operation.each:
        keeps = kept(operation.data, number, whom)
        return [_entry(operation, operation.entry, position, person_id, keeps) for person_id in found]
    thing = await objects.get(unit.conn, unit.catalog.workspace_id, number)
    if thing is None:
        return []
    following: list[AnyOperation] = []
    for member in await relationships.members(unit.conn, unit.catalog.workspace_id, number, found):
        person_id = member.person.person_id
        data = relationship_data(unit.catalog, thing, member.relationship, profile_of(member.person))
        entry = f"{operation.entry}-{person_id}"
        if isinstance(trigger, RelationshipTrigger) and trigger.audience == "person":
            following.append(_entry(operation, entry, position, person_id, kept(data, number, person_id)))
        else:
            following.append(
                FanOut(
                    campaign_id=campaign.id,
                    object_no=number,
                    entry=entry,
                    at=position.at,
                    seq=position.seq,
                    data=data,
                    trigger_person=person_id,
                    since=operation.since,
                )
            )
    return following


def _entry(operation: FanOut, entry: str, position: Position, person_id: int, trigger: dict[str, Any]) -> EnterCampaign:
    return EnterCampaign(
        person_id=person_id,
        campaign_id=operation.campaign_id,
        entry=entry,
        at=position.at,
        seq=position.seq,
        trigger=trigger,
        since=operation.since,
    )


async def _refuse(unit: Unit, campaign: Campaign, operation: FanOut, at: Position) -> None:
    """Say why nobody begins: in the activity log, and where it is explained who begins a campaign."""
    position = Position(operation.at, operation.seq or at.seq)
    data: dict[str, Any] = {
        "campaign_id": campaign.id,
        "campaign": campaign.key,
        "cio_object_id": cio_object_id(operation.object_no),
        "reason": f"More than {MOST} people would have begun a journey.",
    }
    thing = await objects.get(unit.conn, unit.catalog.workspace_id, operation.object_no)
    if thing is not None:
        data |= {"object_type_id": str(thing.object_type_id), "object_id": thing.object_id}
    unit.record(None, FAILED, FAILED_NAME, data, position)
    unit.entries.refuse(campaign.id, 0, position, operation.entry, step="fan_out", evidence={"more_than": MOST, **data})


__all__ = ["FAILED", "MOST", "CurrentPage", "Started", "current_page", "enter_campaign", "fan_out"]
