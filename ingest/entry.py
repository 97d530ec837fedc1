"""Who begins a journey: the order of decisions for one candidate (CMP-12 to CMP-15)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from domain.condition_keys import Keys
from domain.conditions import decide, where_fits
from domain.dates import Fire
from domain.definitions.triggers import DateTrigger, EventTrigger, FormTrigger
from domain.facts import EventFact, Position
from domain.journeys import (
    FrequencyEvery,
    FrequencyInterval,
    PreviousJourney,
    Refused,
    Rounds,
    are_over,
    date_allowed,
    entry_allowed,
    interval_allowed,
    rounds_of,
    why_too_old,
)
from domain.values import to_unix
from ingest.catalog import Campaign
from ingest.dates import day_of, snapshot
from ingest.journey_views import candidate, trigger_event
from ingest.unit import Person, Unit, event_snapshot
from store.entry_retries import EntryRetry
from store.journeys import JourneyRow


class Occurrence(NamedTuple):
    """Something that may begin a journey of a campaign with many at a time.

    `entry` makes entering idempotent (unique per campaign and person); `trigger` is the snapshot that the journey keeps:
    `event`, or `data` as Liquid's `trigger` with, for objects, the internal number of the `object`.
    """

    position: Position
    entry: str
    trigger: dict[str, Any]


async def enter_by_match(
    unit: Unit, person: Person, campaign: Campaign, at: Position, check: datetime | None = None
) -> None:
    """Begin a journey for somebody who came to match the trigger's conditions (CMP-02), or matches them at a `check`."""
    occurrence = Position(unit.now if check is None else check, at.seq)
    history = await unit.history(person, campaign)
    previous, frequency = previous_journeys(history), campaign.definition.often
    if isinstance(frequency, FrequencyInterval):
        allowed = interval_allowed(frequency, previous, occurrence, check=check, since=campaign.interval_since)
    else:
        allowed = entry_allowed(frequency, previous, occurrence, one_at_a_time=True)
    if isinstance(allowed, Refused):
        _refuse(unit, person, campaign, (occurrence, "match"), allowed)
        return
    unit.start_journey(person, campaign, entry=_running_number(history), started=occurrence, trigger={})
    await _keep_check(unit, person, campaign)


async def checks(
    unit: Unit, person: Person, campaign: Campaign, came: datetime | None
) -> tuple[datetime | None, datetime | None]:
    """The instant that has come, where somebody who matches is looked at then, and when they are looked at next."""
    rounds = rounds_in(campaign, previous_journeys(await unit.history(person, campaign)))
    if rounds is None:
        return None, None
    return came if came is not None and rounds.has(came) else None, rounds.after(unit.now)


def rounds_in(campaign: Campaign, previous: Sequence[PreviousJourney]) -> Rounds | None:
    """When somebody with this past is looked at because the campaign's interval is over; None where they are not."""
    frequency = campaign.definition.often
    if not isinstance(frequency, FrequencyInterval) or are_over(previous, campaign.interval_since):
        return None
    return rounds_of(frequency, previous)


async def _keep_check(unit: Unit, person: Person, campaign: Campaign) -> None:
    """Have somebody who has just entered looked at when the interval is over."""
    if not isinstance(campaign.definition.often, FrequencyInterval):
        return
    _, check = await checks(unit, person, campaign, None)
    key = ("trigger", campaign.id)
    kept = person.memberships.get(key)
    if check is not None and kept is not None and kept.member:
        unit.set_membership(person, key, True, check if kept.flips_at is None else min(check, kept.flips_at))


async def enter_by_event(unit: Unit, person: Person, campaign: Campaign, event: EventFact) -> None:
    """Begin a journey for an event that fits the trigger (CMP-04): data, age, frequency, filters, in this order."""
    trigger = campaign.definition.trigger
    if not isinstance(trigger, EventTrigger | FormTrigger) or campaign.started_at is None:
        return
    if not _is_about(trigger, event):
        return
    evidence = {"event": event.name, "event_id": event.event_id, "timestamp": to_unix(event.at)}
    where = trigger.where
    if where is not None and not where_fits(where, event.data, unit.facts_of(person), unit.moment):
        if not where.customer_attributes and not where.clock:
            # It comes out the same whenever it is asked, so that nothing need be written down: most events end here.
            return
        why = "trigger_data"
    else:
        why = why_too_old(event, campaign.started_at, unit.now, campaign.definition.workflow) or ""
    if why:
        unit.entries.refuse(campaign.id, person.person_id, event.position, str(event.seq), step=why, evidence=evidence)
        return
    occurrence = Occurrence(event.position, str(event.seq), {"event": event_snapshot(event)})
    await begin(unit, person, campaign, occurrence)


async def enter_by_date(unit: Unit, person: Person, campaign: Campaign, fire: Fire, at: Position) -> None:
    """Begin a journey for a date that has come (CMP-05): frequency, one at a time, filters, in this order."""
    await begin(unit, person, campaign, Occurrence(Position(fire.at, at.seq), fire.day.isoformat(), snapshot(fire)))


async def begin(
    unit: Unit, person: Person, campaign: Campaign, occurrence: Occurrence, retry: EntryRetry | None = None
) -> JourneyRow | None:
    """Begin a journey for an occurrence that its trigger has let through: frequency, then filters (CMP-15, steps 5 to 7).

    The person is loaded and locked. None where there is none, or not yet: an occurrence that fails the filters waits for
    them (CMP-13), a date waits for the journey under way to end (CMP-05). `retry` is the occurrence where it waited.
    """
    refused = await _refused_by_the_past(unit, person, campaign, occurrence)
    position = occurrence.position if retry is None else Position(retry.occurred_at, retry.occurred_seq)
    if refused is not None:
        _refuse(unit, person, campaign, (position, occurrence.entry), refused)
        if refused.reason == "in_journey" and isinstance(campaign.definition.trigger, DateTrigger):
            unit.entries.wait(person, campaign.id, position, occurrence.trigger)
        elif retry is not None:
            unit.entries.drop(person, retry)
        return None
    if not passes_filters(unit, person, campaign, occurrence):
        kept = unit.entries.park(person, campaign.id, occurrence.entry, position, occurrence.trigger)
        if retry is not None and retry is not kept:
            unit.entries.drop(person, retry)
        until = None if kept.until is None else to_unix(kept.until)
        unit.entries.refuse(
            campaign.id, person.person_id, position, occurrence.entry, step="filters", evidence={"retried_until": until}
        )
        return None
    if retry is not None:
        unit.entries.drop(person, retry)
    entry = occurrence.entry
    if campaign.definition.trigger.single:
        entry = _running_number(await unit.history(person, campaign))
    return unit.start_journey(person, campaign, entry=entry, started=occurrence.position, trigger=occurrence.trigger)


def passes_filters(unit: Unit, person: Person, campaign: Campaign, occurrence: Occurrence) -> bool:
    """Whether the campaign's filters hold of somebody for whom the occurrence might begin a journey (CMP-13)."""
    filters = campaign.definition.filters
    if filters is None:
        return True
    would_be = candidate(
        unit.catalog.workspace_id, campaign.id, person.person_id, occurrence.position, occurrence.trigger
    )
    return decide(filters, unit.journey_facts(person, would_be), unit.now)[0]


async def try_again(unit: Unit, person: Person, at: Position, touched: Callable[[Keys], bool]) -> None:
    """Try what waits for somebody, after a change of them: filters may have come true, a journey may have ended.

    `touched` says whether the change may have turned an answer that looks at these keys.
    """
    for row in list(person.retries.values()):
        campaign = unit.catalog.campaigns.get(row.campaign_id)
        if campaign is None or is_over(row, campaign, unit.now):
            unit.entries.drop(person, row)
        elif _is_worth_it(person, row, campaign, touched) and _still_fits(unit, person, row, campaign):
            day = day_of(row.trigger)
            entry = row.entry if day is None else day.isoformat()
            began = Occurrence(Position(unit.now, at.seq), entry, row.trigger)
            await begin(unit, person, campaign, began, row)


def is_over(row: EntryRetry, campaign: Campaign, now: datetime) -> bool:
    """Whether an occurrence waits in vain: too long, or for a campaign that has stopped, or started anew, since."""
    if not campaign.enters or campaign.started_at is None or row.parked_at < campaign.started_at:
        return True
    return row.until is not None and now > row.until


def _is_worth_it(person: Person, row: EntryRetry, campaign: Campaign, touched: Callable[[Keys], bool]) -> bool:
    if row.until is None:
        return not any(journey.campaign_id == row.campaign_id for journey in person.journeys)
    filters = campaign.definition.filters
    return filters is None or touched(filters.keys)


def _still_fits(unit: Unit, person: Person, row: EntryRetry, campaign: Campaign) -> bool:
    """Comparisons of the event's data with the person are made again; those with fixed values stay as they came out."""
    trigger = campaign.definition.trigger
    if not isinstance(trigger, EventTrigger | FormTrigger) or trigger.where is None:
        return True
    would_be = candidate(
        unit.catalog.workspace_id,
        campaign.id,
        person.person_id,
        Position(row.occurred_at, row.occurred_seq),
        row.trigger,
    )
    event = trigger_event(would_be)
    if event is None or not trigger.where.customer_attributes:
        return True
    return where_fits(trigger.where, event.data, unit.facts_of(person), unit.moment)


async def _refused_by_the_past(
    unit: Unit, person: Person, campaign: Campaign, occurrence: Occurrence
) -> Refused | None:
    """Why earlier journeys keep the occurrence from beginning one, if they do (CMP-14)."""
    trigger, frequency = campaign.definition.trigger, campaign.definition.often
    if isinstance(trigger, DateTrigger):
        day = day_of(occurrence.trigger)
        assert day is not None, "what a date begins knows its day"
        history = await unit.history(person, campaign)
        days = [other for row in history if (other := day_of(row.trigger)) is not None]
        allowed = date_allowed(trigger.recurrence, previous_journeys(history), days, day)
    elif isinstance(frequency, FrequencyEvery):
        return None
    else:
        allowed = entry_allowed(frequency, previous_journeys(await unit.history(person, campaign)), occurrence.position)
    return allowed if isinstance(allowed, Refused) else None


def _refuse(unit: Unit, person: Person, campaign: Campaign, what: tuple[Position, str], refused: Refused) -> None:
    position, occurrence = what
    evidence: Mapping[str, Any] = {"reason": refused.reason, "explanation": refused.explanation}
    unit.entries.refuse(campaign.id, person.person_id, position, occurrence, step="frequency", evidence=evidence)


def _is_about(trigger: EventTrigger | FormTrigger, event: EventFact) -> bool:
    """Whether the event is one of the kind that the trigger names, whatever its data say."""
    named = trigger.match.type == event.type and trigger.match.matches(event.name)
    return named and (not isinstance(trigger, FormTrigger) or trigger.is_of(event.data))


def _running_number(history: Sequence[JourneyRow]) -> str:
    return str(1 + max((int(row.entry) for row in history if row.entry.isdigit()), default=0))


def previous_journeys(history: Sequence[JourneyRow]) -> list[PreviousJourney]:
    """Earlier journeys of a person in a campaign as frequency looks at them (CMP-14)."""
    return [
        PreviousJourney(
            Position(row.started_at, row.started_seq),
            None if row.ended_at is None else Position(row.ended_at, row.arrived_seq),
        )
        for row in history
    ]


__all__ = [
    "Occurrence",
    "begin",
    "checks",
    "enter_by_date",
    "enter_by_event",
    "enter_by_match",
    "is_over",
    "passes_filters",
    "previous_journeys",
    "rounds_in",
    "try_again",
]
