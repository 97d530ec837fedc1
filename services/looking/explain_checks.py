"""The checks of somebody's entry as they came out, or as they would come out now (CMP-34)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from domain.conditions import Condition, evaluate, evaluate_where
from domain.dates import next_entry, reading
from domain.definitions.triggers import (
    DateTrigger,
    EventTrigger,
    FormTrigger,
    ObjectTrigger,
    RelationshipTrigger,
    SegmentTrigger,
)
from domain.facts import EventFact, Facts, JourneyFacts, Position, RelatedFact
from domain.ids import cio_object_id
from domain.journeys import (
    FrequencyEvery,
    Refused,
    age_limit,
    entry_allowed,
    why_too_old,
)
from domain.values import to_unix
from ingest.catalog import Campaign
from ingest.entry import is_over, previous_journeys
from store.entry_refusals import Refusal
from store.entry_retries import EntryRetry
from store.journeys import JourneyRow
from store.reads.explaining import TriggerRead

Check = dict[str, Any]
ORDER: Final = ("running", "trigger", "age", "audience", "fan_out", "frequency", "concurrency", "filters")
"""The checks in their order; those that a trigger does not have are left out."""
CHECK_OF: Final = {
    "not_running": "running",
    "trigger_data": "trigger",
    "before_start": "age",
    "too_old": "age",
    "audience": "audience",
    "fan_out": "fan_out",
    "frequency": "frequency",
    "filters": "filters",
}
"""Which check a step of a refusal belongs to."""
_MESSAGES: Final = {
    "trigger_data": "The data of the event did not fit what the trigger asks of them.",
    "before_start": "The event happened before the campaign was started.",
    "too_old": "The event was too old when it was received.",
    "audience": "The person does not belong to the audience.",
    "fan_out": "The occurrence was for more people than one may begin journeys for, so nobody began.",
    "filters": "The filters did not hold.",
}
_AT_ONCE: Final = frozenset({"in_journey", "before_end"})


@dataclass(frozen=True)
class Case:
    """One person and one campaign, with everything that is known of the two; lists are newest first."""

    campaign: Campaign
    now: datetime
    facts: Facts
    journeys: Sequence[JourneyRow] = ()
    refusals: Sequence[Refusal] = ()
    retries: Sequence[EntryRetry] = ()
    events: Sequence[EventFact] = ()
    kept: TriggerRead | None = None
    object_type: int | None = None
    started_with: str = "future"

    @property
    def related(self) -> list[RelatedFact]:
        """The person's relationships to objects of the trigger's type."""
        return [thing for thing in self.facts.related if thing.object_type_id == self.object_type]


def check(name: str, /, *, passed: bool, message: str, **evidence: Any) -> Check:
    """One check in the contract's shape."""
    return {"check": name, "passed": passed, "evidence": evidence, "message": message}


def before(case: Case, name: str) -> Iterator[Check]:
    """The checks that come before one, all of them passed."""
    for other in ORDER[: ORDER.index(name)]:
        if applies(case.campaign, other):
            yield passed(case, other)


def applies(campaign: Campaign, name: str) -> bool:
    """Whether entering the campaign includes the check."""
    trigger = campaign.definition.trigger
    by_object = isinstance(trigger, ObjectTrigger | RelationshipTrigger)
    if name in ("audience", "fan_out"):
        return by_object
    if name == "age":
        return isinstance(trigger, EventTrigger | FormTrigger)
    if name == "concurrency":
        return trigger.single
    return name != "filters" or campaign.definition.filters is not None


def passed(case: Case, name: str) -> Check:
    """A check that let the occurrence through."""
    if name == "running":
        campaign = case.campaign
        started = None if campaign.started_at is None else to_unix(campaign.started_at)
        message = "People could begin the campaign."
        return check(name, passed=True, message=message, state=campaign.state, started_at=started)
    return check(name, passed=True, message="Passed.")


def recorded(case: Case, refusal: Refusal) -> list[Check]:
    """The checks up to the one that was written down as failed."""
    evidence = {**refusal.evidence, "at": to_unix(refusal.at), "occurrence": refusal.occurrence}
    name = CHECK_OF.get(refusal.step, "trigger")
    message = str(refusal.evidence.get("explanation") or _MESSAGES.get(refusal.step, "The check failed."))
    if name == "frequency" and refusal.evidence.get("reason") in _AT_ONCE and applies(case.campaign, "concurrency"):
        name = "concurrency"
    waiting = next((row for row in case.retries if _is_of(row, refusal)), None)
    if waiting is not None and not is_over(waiting, case.campaign, case.now):
        evidence["waiting"] = True
        message += " The occurrence waits and is tried again."
    return [*before(case, name), check(name, passed=False, message=message) | {"evidence": evidence}]


def _is_of(row: EntryRetry, refusal: Refusal) -> bool:
    day = row.trigger.get("date")
    entry = day["day"] if isinstance(day, dict) else row.entry
    return entry == refusal.occurrence and row.occurred_seq == refusal.seq


def not_running(case: Case) -> Check | None:
    """Why nobody begins the campaign at all, None where people do."""
    campaign = case.campaign
    if campaign.state == "running":
        return None
    words = {
        "draft": "The campaign has not been started.",
        "starting": "The campaign is being started: it is still being found out who matches already.",
        "stopping": "The campaign is being stopped and lets nobody in any more.",
        "stopped": "The campaign is stopped.",
        "archived": "The campaign is archived.",
    }
    return check("running", passed=False, message=words[campaign.state], state=campaign.state)


def as_of_now(case: Case, event: EventFact | None) -> list[Check]:
    """The checks as they come out for somebody of whom nothing is written down; the last one failed."""
    stopped = not_running(case)
    if stopped is not None:
        return [stopped]
    trigger = case.campaign.definition.trigger
    if isinstance(trigger, EventTrigger | FormTrigger):
        return list(_by_event(case, trigger, event))
    if isinstance(trigger, SegmentTrigger):
        failed = _by_match(case, trigger)
    elif isinstance(trigger, DateTrigger):
        failed = _by_date(case, trigger)
    elif isinstance(trigger, ObjectTrigger | RelationshipTrigger):
        failed = _by_object(case, trigger)
    else:
        message = "Calls of its webhook begin this campaign; nobody travels it."
        failed = check("trigger", passed=False, message=message, type=trigger.type)
    return [*before(case, failed["check"]), failed]


def _by_event(case: Case, trigger: EventTrigger | FormTrigger, event: EventFact | None) -> Iterator[Check]:
    campaign, definition = case.campaign, case.campaign.definition
    yield passed(case, "running")
    if event is None:
        said = {"type": trigger.match.type, "name": trigger.match.pattern}
        if isinstance(trigger, FormTrigger):
            said["forms"] = list(trigger.forms)  # type: ignore[assignment]
        yield check("trigger", passed=False, message="The person has not done what the trigger names.", **said)
        return
    seen = {"event": event.name, "event_id": event.event_id, "timestamp": to_unix(event.at), "data": dict(event.data)}
    if trigger.where is not None:
        verdict = evaluate_where(trigger.where, event.data, case.facts, case.now)
        if not verdict.matched:
            yield check("trigger", passed=False, message=_MESSAGES["trigger_data"], reason=verdict.reason, **seen)
            return
    yield check("trigger", passed=True, message="The event fits the trigger.", **seen)
    started = campaign.started_at or case.now
    # One that came too late was written down, so that only the start is asked about.
    why = why_too_old(event, started, event.at, definition.workflow)
    limits = {"started_at": to_unix(started), "limit": int(age_limit(definition.workflow).total_seconds())}
    if why == "before_start":
        yield check("age", passed=False, message=_MESSAGES[why], **limits)
        return
    yield check("age", passed=True, message="The event was recent enough.", **limits)
    refused = None
    if not isinstance(definition.often, FrequencyEvery):
        allowed = entry_allowed(definition.often, previous_journeys(case.journeys), event.position)
        refused = allowed if isinstance(allowed, Refused) else None
    if refused is not None:
        yield check("frequency", passed=False, message=refused.explanation, reason=refused.reason)
        return
    yield passed(case, "frequency")
    if definition.filters is not None:
        verdict = evaluate(definition.filters, case.facts, case.now)
        if not verdict.matched:
            yield check("filters", passed=False, message=_MESSAGES["filters"], reason=verdict.reason)
            return
        yield check("filters", passed=True, message="The filters hold now.", reason=verdict.reason)
    # Nothing was written down of it, so that it was never looked at: it came with a merge, or before the trigger was this.
    message = "The event was not looked at: it was inherited in a merge, or the trigger was another then."
    yield check("trigger", passed=False, message=message, timestamp=to_unix(event.at))


def _by_match(case: Case, trigger: SegmentTrigger) -> Check:
    verdict = evaluate(trigger.conditions, case.facts, case.now, explain=True)
    leaves = [
        {"at": leaf.pointer, "result": leaf.result, "actual": leaf.actual, "note": leaf.note} for leaf in verdict.leaves
    ]
    if not verdict.matched:
        message = "The person does not match the trigger's conditions."
        return check("trigger", passed=False, message=message, reason=verdict.reason, leaves=leaves)
    since = None if case.kept is None or not case.kept.member else to_unix(case.kept.since)
    if case.journeys:
        message = "The person has been in the campaign, and has not come to match anew since."
    elif case.started_with == "future":
        message = "The person matched before the campaign was started or changed; only who comes to match enters."
    else:
        message = "The person matches, and has not been looked at yet."
    seen = {"matched_since": since, "audience": case.started_with, "leaves": leaves}
    return check("trigger", passed=False, message=message, **seen)


def _by_date(case: Case, trigger: DateTrigger) -> Check:
    found = reading(trigger, case.facts.attributes)
    seen: dict[str, Any] = {
        "field": trigger.field,
        "value": found.value,
        "timezone": found.zone.key,
        "timezone_from": found.source,
        "offset_days": trigger.offset_days,
    }
    if found.value is None:
        return check("trigger", passed=False, message="The person has no such attribute.", **seen)
    if found.day is None:
        return check("trigger", passed=False, message="The value of the attribute names no day.", **seen)
    fire = next_entry(trigger, case.facts.attributes, case.now)
    seen |= {"day": found.day.isoformat(), "next_at": None if fire is None else to_unix(fire.at)}
    message = "The day is over." if fire is None else "The day has not come yet."
    return check("trigger", passed=False, message=message, **seen)


def _by_object(case: Case, trigger: ObjectTrigger | RelationshipTrigger) -> Check:
    related = case.related
    things = [{"cio_object_id": cio_object_id(thing.object_no)} for thing in related]
    seen: dict[str, Any] = {"object_type": trigger.object_type, "related": things}
    if not related:
        return check("trigger", passed=False, message="The person is related to no object of the type.", **seen)
    where = trigger.where
    for thing, said in zip(related, things, strict=True):
        record = thing.object if isinstance(trigger, ObjectTrigger) else thing.relationship
        said["reason"] = "" if where is None else evaluate_where(where, record, case.facts, case.now).reason
    fitting = [
        thing
        for thing in related
        if where is None
        or evaluate_where(
            where, thing.object if isinstance(trigger, ObjectTrigger) else thing.relationship, case.facts, case.now
        ).matched
    ]
    if not fitting:
        return check("trigger", passed=False, message="What the trigger asks for holds of none of them.", **seen)
    if isinstance(trigger.audience, Condition) and not _is_meant(case, trigger.audience, fitting):
        return check("audience", passed=False, message=_MESSAGES["audience"], **seen)
    message = "Nothing has come to fit the trigger since the campaign was started."
    return check("trigger", passed=False, message=message, **seen)


def _is_meant(case: Case, audience: Condition, things: Sequence[RelatedFact]) -> bool:
    for thing in things:
        inside = JourneyFacts("", Position(case.now, 0), object=thing.object, relationship=thing.relationship)
        if evaluate(audience, replace(case.facts, journey=inside), case.now).matched:
            return True
    return False


__all__ = ["ORDER", "Case", "Check", "applies", "as_of_now", "before", "check", "not_running", "passed", "recorded"]
