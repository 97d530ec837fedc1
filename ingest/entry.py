"""Who begins a journey: the order of decisions for one candidate (CMP-12 to CMP-15)."""

from __future__ import annotations

from collections.abc import Sequence

from domain.conditions import decide, where_fits
from domain.definitions.triggers import EventTrigger
from domain.facts import EventFact, Position
from domain.journeys import (
    Allowed,
    FrequencyEvery,
    PreviousJourney,
    entry_allowed,
    event_may_trigger,
)
from ingest.catalog import Campaign
from ingest.unit import Person, Unit, event_snapshot
from store.journeys import JourneyRow


async def enter_by_match(unit: Unit, person: Person, campaign: Campaign, at: Position) -> None:
    """Begin a journey for somebody who came to match the trigger's conditions (CMP-02)."""
    occurrence = Position(unit.now, at.seq)
    history = await unit.history(person, campaign)
    if isinstance(
        entry_allowed(campaign.definition.frequency, previous_journeys(history), occurrence, one_at_a_time=True),
        Allowed,
    ):
        entry = str(1 + max((int(row.entry) for row in history), default=0))
        unit.start_journey(person, campaign, entry=entry, started=occurrence, trigger={})


async def enter_by_event(unit: Unit, person: Person, campaign: Campaign, event: EventFact) -> None:
    """Begin a journey for an event that fits the trigger (CMP-04): age, frequency, filters, in this order."""
    trigger = campaign.definition.trigger
    if not isinstance(trigger, EventTrigger) or campaign.started_at is None:
        return
    if trigger.match.type != event.type or not trigger.match.matches(event.name):
        return
    facts = unit.facts_of(person)
    if trigger.where is not None and not where_fits(trigger.where, event.data, facts, unit.moment):
        return
    if not event_may_trigger(event, campaign.started_at, unit.now, campaign.definition.workflow):
        return
    frequency = campaign.definition.frequency
    if not isinstance(frequency, FrequencyEvery):
        previous = previous_journeys(await unit.history(person, campaign))
        if not isinstance(entry_allowed(frequency, previous, event.position), Allowed):
            return
    if campaign.definition.filters is not None and not decide(campaign.definition.filters, facts, unit.now)[0]:
        return
    unit.start_journey(
        person, campaign, entry=str(event.seq), started=event.position, trigger={"event": event_snapshot(event)}
    )


def previous_journeys(history: Sequence[JourneyRow]) -> list[PreviousJourney]:
    """Earlier journeys of a person in a campaign as frequency looks at them (CMP-14)."""
    return [
        PreviousJourney(
            Position(row.started_at, row.started_seq),
            None if row.ended_at is None else Position(row.ended_at, row.arrived_seq),
        )
        for row in history
    ]


__all__ = ["enter_by_event", "enter_by_match", "previous_journeys"]
