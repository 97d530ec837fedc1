"""Why somebody did, or did not, begin a campaign, and why its messages were or were not sent (CMP-34, ACT-37)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from domain.blocks import DeliveringBlock
from domain.condition_keys import RELATED, Keys
from domain.definitions.triggers import (
    DateTrigger,
    EventTrigger,
    FormTrigger,
    ObjectTrigger,
    RelationshipTrigger,
    SegmentTrigger,
)
from domain.errors import NotFound
from domain.facts import EventFact
from domain.ids import cio_object_id
from domain.values import to_unix
from ingest.catalog import Campaign, Catalog, Catalogs
from ingest.reading import read_facts
from services.looking import people
from services.looking.explain_checks import ORDER, Case, Check, applies, as_of_now, check, passed, recorded
from services.looking.people import IdType
from store import entry_refusals, entry_retries, journeys
from store.database import Connection, Database
from store.entry_refusals import NOBODY, Refusal
from store.journeys import JourneyRow, StepRow
from store.reads import candidates, explaining, messages
from store.reads.messages import MessageFilter, MessageRead

MOST: Final = 200
"""How many refusals and messages are looked at, the latest ones."""
MOST_JOURNEYS: Final = 20
"""Of how many journeys it is told what became of their messages."""
_EARLY: Final = frozenset({"goal", "filters", "trigger"})


async def explained(
    db: Database,
    catalogs: Catalogs,
    workspace_id: int,
    ref: str | int,
    whom: tuple[str, IdType],
    *,
    occurrence: str | None = None,
    real_now: datetime,
) -> dict[str, Any]:
    """The checks in order up to the first that failed, for the latest occurrence or the one asked for.

    `occurrence` is the id of an event, the day of a date, or the `occurrence` of a refusal. Raises NotFound for a campaign,
    a person or an occurrence that does not exist.
    """
    async with db.connection() as conn:
        catalog = await catalogs.get(conn, workspace_id)
        campaign = next((one for one in catalog.campaigns.values() if ref in (one.id, one.key)), None)
        if campaign is None:
            raise NotFound("campaign", ref)
        person = await people.named(conn, workspace_id, *whom)
        case = await _case(conn, catalog, campaign, person.person_id, catalog.now(real_now))
        entered, checks = _answer(case, occurrence)
        told = case.journeys[:MOST_JOURNEYS]
        steps = await journeys.steps_of_many(conn, told)
        which = MessageFilter(person_id=person.person_id, campaign_id=campaign.id)
        sent = await messages.page(conn, workspace_id, which, before=None, limit=MOST)
    return {
        "entered": entered is not None,
        "journey_id": None if entered is None else entered.journey_id,
        "checks": checks,
        "journeys": _journeys(campaign, told, steps, sent),
    }


async def _case(conn: Connection, catalog: Catalog, campaign: Campaign, person_id: int, now: datetime) -> Case:
    workspace_id, trigger = catalog.workspace_id, campaign.definition.trigger
    rows = await candidates.by_numbers(conn, workspace_id, [person_id])
    if not rows:
        raise NotFound("customer", person_id)
    facts = (await read_facts(conn, catalog, rows, _keys(campaign)))[person_id]
    history = await journeys.history_of(conn, workspace_id, [campaign.id], [person_id])
    refusals = await entry_refusals.of_person(conn, workspace_id, campaign.id, person_id, limit=MOST)
    object_type = None
    if isinstance(trigger, ObjectTrigger | RelationshipTrigger):
        object_type = catalog.directory.id_of("object_type", trigger.object_type)
        refusals += await entry_refusals.of_person(conn, workspace_id, campaign.id, NOBODY, limit=MOST)
        known = {cio_object_id(thing.object_no) for thing in facts.related}
        refusals = [one for one in refusals if one.person_id != NOBODY or one.evidence.get("cio_object_id") in known]
    return Case(
        campaign=campaign,
        now=now,
        facts=facts,
        journeys=sorted(history, key=lambda row: (row.started_at, row.started_seq), reverse=True),
        refusals=sorted(refusals, key=lambda one: (one.at, one.seq), reverse=True),
        retries=await entry_retries.of_person(conn, workspace_id, person_id, campaign.id),
        events=_events(campaign, facts.events),
        kept=await explaining.trigger(conn, workspace_id, person_id, campaign.id),
        object_type=object_type,
        started_with=campaign.audience or "future",
    )


def _keys(campaign: Campaign) -> Keys:
    """What explaining looks at of the person."""
    trigger, filters = campaign.definition.trigger, campaign.definition.filters
    keys = Keys() if filters is None else filters.keys
    if isinstance(trigger, EventTrigger | FormTrigger):
        keys |= Keys(events=(trigger.match,))
    elif isinstance(trigger, SegmentTrigger):
        keys |= trigger.conditions.keys
    elif isinstance(trigger, DateTrigger):
        keys |= trigger.keys
    elif isinstance(trigger, ObjectTrigger | RelationshipTrigger):
        keys |= Keys(records=frozenset({RELATED}))
    return keys


def _events(campaign: Campaign, events: Iterable[EventFact]) -> list[EventFact]:
    """The events that the trigger names, those received last first."""
    trigger = campaign.definition.trigger
    if not isinstance(trigger, EventTrigger | FormTrigger):
        return []
    named = (event for event in events if event.type == trigger.match.type and trigger.match.matches(event.name))
    about = [event for event in named if not isinstance(trigger, FormTrigger) or trigger.is_of(event.data)]
    return sorted(about, key=lambda event: event.seq, reverse=True)


def _answer(case: Case, occurrence: str | None) -> tuple[JourneyRow | None, list[Check]]:
    """The journey that the occurrence began, if it did, and the checks."""
    if occurrence is not None:
        return _of_one(case, occurrence)
    event = case.events[0] if case.events else None
    if event is not None:
        # What somebody did last is what is asked about, whatever they did before.
        return _of_event(case, event)
    journey = case.journeys[0] if case.journeys else None
    refusal = case.refusals[0] if case.refusals else None
    if journey is not None and (refusal is None or refusal.at < journey.created_at):
        return journey, _entered(case, journey)
    if refusal is not None:
        return _of_refusal(case, refusal)
    return None, as_of_now(case, None)


def _of_one(case: Case, occurrence: str) -> tuple[JourneyRow | None, list[Check]]:
    for event in case.events:
        if occurrence in (event.event_id, str(event.seq)):
            return _of_event(case, event)
    for journey in case.journeys:
        if occurrence in _names(journey):
            return journey, _entered(case, journey)
    for refusal in case.refusals:
        if occurrence in (refusal.occurrence, refusal.evidence.get("event_id")):
            return _of_refusal(case, refusal)
    raise NotFound("occurrence", occurrence)


def _names(journey: JourneyRow) -> set[Any]:
    """What the occurrence of a journey may be called."""
    day = journey.trigger.get("date")
    return {journey.entry, journey.journey_id, day["day"] if isinstance(day, dict) else journey.entry}


def _of_event(case: Case, event: EventFact) -> tuple[JourneyRow | None, list[Check]]:
    entry = str(event.seq)
    for journey in case.journeys:
        if journey.entry == entry:
            return journey, _entered(case, journey)
    for refusal in case.refusals:
        if refusal.occurrence == entry:
            return None, recorded(case, refusal)
    return None, as_of_now(case, event)


def _of_refusal(case: Case, refusal: Refusal) -> tuple[JourneyRow | None, list[Check]]:
    """What waited may have begun since."""
    if refusal.occurrence != "match":
        for journey in case.journeys:
            if refusal.occurrence in _names(journey):
                return journey, _entered(case, journey)
    return None, recorded(case, refusal)


def _entered(case: Case, journey: JourneyRow) -> list[Check]:
    checks = [passed(case, name) for name in ORDER if applies(case.campaign, name)]
    at_once = journey.reason in _EARLY and not journey.steps
    message = f"The journey ended before its first block: {journey.explanation}" if at_once else "The journey began."
    evidence = {"started_at": to_unix(journey.started_at), "trigger": dict(journey.trigger)}
    return [*checks, check("exit_at_entry", passed=not at_once, message=message, **evidence)]


def _journeys(
    campaign: Campaign, told: Sequence[JourneyRow], steps: Iterable[StepRow], sent: Iterable[MessageRead]
) -> list[dict[str, Any]]:
    by_journey: dict[str, dict[int, StepRow]] = defaultdict(dict)
    for step in steps:
        by_journey[step.journey_id][step.action_id] = step
    deliveries = {(one.journey_id, one.action_id): one for one in sent}
    return [
        {
            "id": journey.journey_id,
            "state": journey.state,
            "reason": journey.reason,
            "explanation": journey.explanation,
            "started_at": to_unix(journey.started_at),
            "ended_at": None if journey.ended_at is None else to_unix(journey.ended_at),
            "messages": _messages(campaign, journey, by_journey[journey.journey_id], deliveries),
        }
        for journey in told
    ]


def _messages(
    campaign: Campaign,
    journey: JourneyRow,
    steps: Mapping[int, StepRow],
    deliveries: Mapping[tuple[str | None, int | None], MessageRead],
) -> list[dict[str, Any]]:
    """What became of each message of the workflow in one journey."""
    blocks = campaign.definition.workflow.blocks.items()
    places = {campaign.actions[key]: key for key, block in blocks if isinstance(block, DeliveringBlock)}
    # Blocks that are gone by now, or were others then, made messages as well.
    places |= {number: step.block for number, step in steps.items() if step.delivery_id is not None}
    order = sorted(places, key=lambda number: (steps[number].seq_num if number in steps else 1_000_000, number))
    return [
        _message((places[number], number), steps.get(number), deliveries.get((journey.journey_id, number)), journey)
        for number in order
    ]


def _message(
    place: tuple[str, int], step: StepRow | None, delivery: MessageRead | None, journey: JourneyRow
) -> dict[str, Any]:
    block, action_id = place
    told: dict[str, Any] = {"block": block, "action_id": action_id, "delivery_id": None, "status": None}
    if delivery is not None:
        told |= {"delivery_id": delivery.delivery_id, "status": delivery.status}
    if step is None:
        there = journey.active and journey.block == block
        words = "The journey stands at it." if there else "The journey has not come to it."
        ended = f"The journey was over before: {journey.explanation or journey.reason}."
        return told | {"outcome": "not_reached", "explanation": words if journey.active else ended}
    why = step.explanation
    if delivery is not None and delivery.failure_message is not None:
        why = delivery.failure_message
    elif step.outcome == "drafted" and why is None:
        why = "The block makes drafts, which somebody has to send."
    return told | {"outcome": step.outcome, "explanation": why}


__all__ = ["explained"]
