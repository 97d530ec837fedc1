"""Conversions: a goal occurrence is credited to the last message that can claim it (CMP-18, CHN-15)."""

from __future__ import annotations

from typing import Any

from domain.condition_keys import messages_that
from domain.facts import EventFact, Position
from domain.goals import goal_event_matches
from domain.patterns import fold_name
from ingest.belongings import read_thing
from ingest.catalog import Campaign
from ingest.journey_views import candidate as would_be
from ingest.unit import Person, Unit, microseconds
from store import broadcasts, people
from store import conversions as store
from store.conversions import Candidate
from store.journeys import JourneyRow
from store.message_events import MessageEvent
from store.people import Need

CONVERTED = "converted"


async def convert(
    unit: Unit, person: Person, campaign: Campaign, event: EventFact | None, at: Position, *, inherited: bool = False
) -> None:
    """Credit a goal occurrence of now, by processing time, to one delivery and its journey; each converts once.

    A delivery of a broadcast has no journey, and converts by itself.

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
        journey = await _way_to(unit, person, campaign, candidate)
        if journey is None or not _claims(unit, person, campaign, journey, event):
            continue
        await store.mark(unit.conn, unit.catalog.workspace_id, candidate.delivery_id, microseconds(unit.now), CONVERTED)
        unit.count("action", candidate.action_id, CONVERTED)
        if not candidate.holdout:
            unit.count("campaign", campaign.id, CONVERTED)
        if candidate.journey_id is not None and journey.converted_at is None:
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


async def _way_to(unit: Unit, person: Person, campaign: Campaign, candidate: Candidate) -> JourneyRow | None:
    """The journey of a delivery; of a broadcast's one that is nowhere stored, as old as the delivery, with the data of the trigger."""
    workspace_id = unit.catalog.workspace_id
    if candidate.journey_id is None:
        return would_be(
            workspace_id,
            campaign.id,
            person.person_id,
            Position(candidate.created_at, 0),
            {"data": await _trigger_data(unit, campaign, candidate)},
        )
    journey = next((j for j in person.journeys if j.journey_id == candidate.journey_id), None)
    if journey is None:
        journey = await store.journey_of(unit.conn, workspace_id, candidate.journey_id)
    if journey is not None and (number := journey.trigger.get("object")) is not None:
        await read_thing(unit.conn, workspace_id, person, number)
    return journey


async def _trigger_data(unit: Unit, campaign: Campaign, candidate: Candidate) -> dict[str, Any]:
    """What the call said to the recipient, where the goal compares anything."""
    goal = campaign.definition.goal
    if goal is None or goal.where is None or candidate.trigger_no is None:
        return {}
    found = await broadcasts.recipient_data(
        unit.conn, unit.catalog.workspace_id, campaign.id, candidate.trigger_no, candidate.recipient_no or 0
    )
    return found or {}


def _claims(unit: Unit, person: Person, campaign: Campaign, journey: JourneyRow, event: EventFact | None) -> bool:
    goal = campaign.definition.goal
    assert goal is not None, "only campaigns with a goal convert"
    if campaign.has_no_goal_for(journey.created_at, journey.started_seq):
        return False
    if goal.event is None:
        return True
    return event is not None and goal_event_matches(goal, event, unit.journey_facts(person, journey))


__all__ = ["convert", "inherit"]
