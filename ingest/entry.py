"""Who begins a journey: the order of decisions for one candidate (CMP-12 to CMP-15)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from domain.conditions import decide, where_fits
from domain.definitions.triggers import EventTrigger, FormTrigger
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


class Occurrence(NamedTuple):
    """Something that may begin a journey of a campaign with many at a time.

    `entry` makes entering idempotent (unique per campaign and person); `trigger` is the snapshot that the journey keeps:
    `event`, or `data` as Liquid's `trigger` with, for objects, the internal number of the `object`.
    """

    position: Position
    entry: str
    trigger: dict[str, Any]


async def enter_by_match(unit: Unit, person: Person, campaign: Campaign, at: Position) -> None:
    """Begin a journey for somebody who came to match the trigger's conditions (CMP-02)."""
    occurrence = Position(unit.now, at.seq)
    history = await unit.history(person, campaign)
    if isinstance(
        entry_allowed(campaign.definition.often, previous_journeys(history), occurrence, one_at_a_time=True),
        Allowed,
    ):
        entry = str(1 + max((int(row.entry) for row in history), default=0))
        unit.start_journey(person, campaign, entry=entry, started=occurrence, trigger={})


async def enter_by_event(unit: Unit, person: Person, campaign: Campaign, event: EventFact) -> None:
    """Begin a journey for an event that fits the trigger (CMP-04): age, frequency, filters, in this order."""
    trigger = campaign.definition.trigger
    if not isinstance(trigger, EventTrigger | FormTrigger) or campaign.started_at is None:
        return
    if not _is_about(trigger, event):
        return
    facts = unit.facts_of(person)
    if trigger.where is not None and not where_fits(trigger.where, event.data, facts, unit.moment):
        return
    if not event_may_trigger(event, campaign.started_at, unit.now, campaign.definition.workflow):
        return
    occurrence = Occurrence(event.position, str(event.seq), {"event": event_snapshot(event)})
    await begin(unit, person, campaign, occurrence)


async def begin(unit: Unit, person: Person, campaign: Campaign, occurrence: Occurrence) -> JourneyRow | None:
    """Begin a journey for an occurrence that its trigger has let through: frequency, then filters (CMP-15, steps 5 to 7).

    The person is loaded and locked. None where there is none, or not yet.
    """
    frequency = campaign.definition.often
    if not isinstance(frequency, FrequencyEvery):
        previous = previous_journeys(await unit.history(person, campaign))
        if not isinstance(entry_allowed(frequency, previous, occurrence.position), Allowed):
            return None
    filters = campaign.definition.filters
    if filters is not None and not decide(filters, unit.facts_of(person), unit.now)[0]:
        return None
    return unit.start_journey(
        person, campaign, entry=occurrence.entry, started=occurrence.position, trigger=occurrence.trigger
    )


def _is_about(trigger: EventTrigger | FormTrigger, event: EventFact) -> bool:
    """Whether the event is one of the kind that the trigger names, whatever its data say."""
    named = trigger.match.type == event.type and trigger.match.matches(event.name)
    return named and (not isinstance(trigger, FormTrigger) or trigger.is_of(event.data))


def previous_journeys(history: Sequence[JourneyRow]) -> list[PreviousJourney]:
    """Earlier journeys of a person in a campaign as frequency looks at them (CMP-14)."""
    return [
        PreviousJourney(
            Position(row.started_at, row.started_seq),
            None if row.ended_at is None else Position(row.ended_at, row.arrived_seq),
        )
        for row in history
    ]


__all__ = ["Occurrence", "begin", "enter_by_event", "enter_by_match", "previous_journeys"]
