"""Conversions: a goal occurrence is credited to the last message that can claim it (CMP-18)."""

from __future__ import annotations

from domain.facts import EventFact
from domain.goals import goal_event_matches
from ingest.catalog import Campaign
from ingest.unit import Person, Unit, microseconds
from store import conversions as store
from store.journeys import JourneyRow


async def convert(unit: Unit, person: Person, campaign: Campaign, event: EventFact | None) -> None:
    """Credit a goal occurrence of now, by processing time, to one delivery and its journey; each converts once."""
    goal = campaign.definition.goal
    if goal is None or person.is_new or not await unit.was_written_to(person, campaign):
        return
    since = microseconds(unit.now - goal.within.delta)
    candidates = await store.candidates(
        unit.conn, unit.catalog.workspace_id, person.person_id, campaign.id, basis=goal.of, since=since
    )
    for candidate in candidates:
        journey = next((j for j in person.journeys if j.journey_id == candidate.journey_id), None)
        if journey is None:
            journey = await store.journey_of(unit.conn, unit.catalog.workspace_id, candidate.journey_id)
        if journey is None or not _claims(unit, person, campaign, journey, event):
            continue
        await store.mark(
            unit.conn, unit.catalog.workspace_id, candidate.delivery_id, microseconds(unit.now), "converted"
        )
        for kind, ref in (("campaign", campaign.id), ("action", candidate.action_id)):
            unit.count(kind, ref, "converted")
        if journey.converted_at is None:
            journey.converted_at = unit.now
            unit.changed_journey(journey)
        return


def _claims(unit: Unit, person: Person, campaign: Campaign, journey: JourneyRow, event: EventFact | None) -> bool:
    goal = campaign.definition.goal
    assert goal is not None, "only campaigns with a goal convert"
    if campaign.goal_seq and journey.started_seq <= campaign.goal_seq:
        return False
    if goal.event is None:
        return True
    return event is not None and goal_event_matches(goal, event, unit.journey_facts(person, journey))


__all__ = ["convert"]
