"""Conversions: a goal occurrence is credited to the last message that can claim it (CMP-18)."""

from __future__ import annotations

from domain.condition_keys import messages_that
from domain.facts import EventFact, Position
from domain.goals import goal_event_matches
from domain.patterns import fold_name
from ingest.belongings import read_thing
from ingest.catalog import Campaign
from ingest.unit import Person, Unit, microseconds
from store import conversions as store
from store import people
from store.journeys import JourneyRow
from store.message_events import MessageEvent
from store.people import Need

CONVERTED = "converted"


async def convert(
    unit: Unit, person: Person, campaign: Campaign, event: EventFact | None, at: Position, *, inherited: bool = False
) -> None:
    """Credit a goal occurrence of now, by processing time, to one delivery and its journey; each converts once.

    `at` is the position of the fact that it comes of.
    One that is `inherited` happened when it says it did, so that only what was sent before can claim it.
    """
    goal = campaign.definition.goal
    if goal is None or person.is_new or not await unit.was_written_to(person, campaign):
        return
    happened = event.at if inherited and event is not None else unit.now
    candidates = await store.candidates(
        unit.conn,
        unit.catalog.workspace_id,
        person.person_id,
        campaign.id,
        basis=goal.of,
        since=microseconds(happened - goal.within.delta),
        until=microseconds(happened) if inherited else None,
        calls=campaign.converting_calls,
    )
    for candidate in candidates:
        journey = next((j for j in person.journeys if j.journey_id == candidate.journey_id), None)
        if journey is None:
            journey = await store.journey_of(unit.conn, unit.catalog.workspace_id, candidate.journey_id)
        if journey is not None and (number := journey.trigger.get("object")) is not None:
            await read_thing(unit.conn, unit.catalog.workspace_id, person, number)
        if journey is None or not _claims(unit, person, campaign, journey, event):
            continue
        await store.mark(unit.conn, unit.catalog.workspace_id, candidate.delivery_id, microseconds(unit.now), CONVERTED)
        unit.count("action", candidate.action_id, CONVERTED)
        if not candidate.holdout:
            unit.count("campaign", campaign.id, CONVERTED)
        if journey.converted_at is None:
            journey.converted_at = unit.now
            unit.changed_journey(journey)
        unit.happened(MessageEvent(candidate.delivery_id, at.seq, CONVERTED, unit.now, human=True))
        await unit.changed([person.person_id], messages_that(CONVERTED))
        return


async def inherit(unit: Unit, primary: Person, secondary: Person, at: Position) -> None:
    """Credit what the secondary of a merge did to messages of the primary (PPL-07), unless it has counted already.

    What the primary did is not credited to messages of the secondary.
    """
    compiled = unit.catalog.compiled
    goals = sorted({campaign.id for found in compiled.goal_events.values() for campaign in found})
    if not goals:
        return
    done = await store.converting(unit.conn, unit.catalog.workspace_id, secondary.person_id, goals)
    need = Need(names=frozenset(("event", fold_name(name)) for name in compiled.goal_events))
    found = await people.events_of(unit.conn, unit.catalog.workspace_id, {secondary.person_id: need})
    for event in sorted((event for _, event in found), key=lambda event: event.position):
        for campaign in compiled.goal_events.get(event.name.strip(), ()):
            if campaign.id not in done:
                await convert(unit, primary, campaign, event, at, inherited=True)


def _claims(unit: Unit, person: Person, campaign: Campaign, journey: JourneyRow, event: EventFact | None) -> bool:
    goal = campaign.definition.goal
    assert goal is not None, "only campaigns with a goal convert"
    if campaign.has_no_goal_for(journey.created_at, journey.started_seq):
        return False
    if goal.event is None:
        return True
    return event is not None and goal_event_matches(goal, event, unit.journey_facts(person, journey))


__all__ = ["convert", "inherit"]
