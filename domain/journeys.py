"""Who may enter a campaign, how often, and when a journey is over early (CMP-12 to CMP-18)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import Field, ValidatorFunctionWrapHandler, WrapValidator

from domain.blocks import TimeDelay
from domain.dates import Recurrence
from domain.documents import Document, Refusal, refused
from domain.durations import Duration
from domain.facts import EventFact, Position
from domain.goals import Goal, goal_event_matches, goal_segment_met
from domain.timing import shifted
from domain.values import to_unix
from domain.workflow_graph import Workflow

BACKFILL_LIMIT = timedelta(hours=72)
FILTER_PATIENCE = timedelta(seconds=1_800)
"""How long an occurrence waits for the filters to come true, its last instant included (CMP-13)."""

ExitRule = Literal["filters", "goal", "goal_or_filters", "never"]
ExitReason = Literal["goal", "filters", "trigger"]


class FrequencyOnce(Document):
    """One journey per person, ever."""

    mode: Literal["once"]


class FrequencyEvery(Document):
    """A journey at every occurrence or re-match, at least `min_wait` after the last entry."""

    mode: Literal["every"]
    min_wait: Duration | None = None


class FrequencyOncePer(Document):
    """At most one entry within a period."""

    mode: Literal["once_per"]
    period: Duration


class FrequencyInterval(Document):
    """At the first match, then looked at anew at every interval after the latest entry (CMP-14)."""

    mode: Literal["interval"]
    interval: Duration


_MODES: dict[str, type[FrequencyOnce | FrequencyEvery | FrequencyInterval | FrequencyOncePer]] = {
    "once": FrequencyOnce,
    "every": FrequencyEvery,
    "interval": FrequencyInterval,
    "once_per": FrequencyOncePer,
}


def _read_frequency(value: Any, _handler: ValidatorFunctionWrapHandler) -> Any:
    """Choose by `mode`, so that errors point into the object as it was written."""
    if not isinstance(value, dict):
        if isinstance(value, Document):
            return value
        raise refused(Refusal("type", "A frequency is an object with a mode.", (), value))
    if "mode" not in value:
        raise refused(Refusal("required", "Give the frequency a mode.", ("mode",)))
    mode = _MODES.get(value["mode"]) if isinstance(value["mode"], str) else None
    if mode is None:
        message = f"Not a frequency; known are {', '.join(_MODES)}."
        raise refused(Refusal("enum", message, ("mode",), value["mode"]))
    return mode.model_validate(value)


Frequency = Annotated[
    FrequencyOnce | FrequencyEvery | FrequencyInterval | FrequencyOncePer,
    Field(discriminator="mode"),
    WrapValidator(_read_frequency),
]
"""How often the same person may begin the campaign (CMP-14)."""


class PreviousJourney(NamedTuple):
    """One earlier journey of the person in the campaign; `ended` is None while it runs."""

    started: Position
    ended: Position | None


class Allowed(NamedTuple):
    """The frequency lets the occurrence in."""


class Refused(NamedTuple):
    """The frequency keeps the occurrence out; it is lost, never queued."""

    reason: Literal["once", "in_journey", "before_end", "min_wait", "period", "interval", "day"]
    explanation: str


def entry_allowed(
    frequency: Frequency,
    previous: Sequence[PreviousJourney],
    occurrence: Position,
    *,
    one_at_a_time: bool = False,
) -> Allowed | Refused:
    """Whether a trigger occurrence may begin a journey (CMP-14).

    `occurrence` is the event, or for a segment trigger the false-to-true transition; `one_at_a_time` holds for segment
    triggers, where a transition during a journey counts for nothing. Waits are counted between starts, ends included.
    """
    if not previous:
        return Allowed()
    if isinstance(frequency, FrequencyOnce):
        return Refused("once", "The person has been in this campaign before.")
    overlapping = _overlapping(previous, occurrence) if one_at_a_time else None
    if overlapping is not None:
        return overlapping
    last = max(journey.started for journey in previous)
    return _too_soon(frequency, occurrence.at - last.at) or Allowed()


class Rounds(NamedTuple):
    """The instants at which somebody is looked at: so many times the interval after their latest entry (CMP-14)."""

    anchor: datetime
    interval: timedelta

    def after(self, instant: datetime) -> datetime:
        """The first of them later than an instant."""
        passed = max(0, (instant - self.anchor) // self.interval)
        return shifted(self.anchor, (passed + 1) * self.interval)

    def has(self, instant: datetime) -> bool:
        """Whether an instant is one of them."""
        since = instant - self.anchor
        return since >= self.interval and not since % self.interval


def rounds_of(frequency: FrequencyInterval, previous: Sequence[PreviousJourney]) -> Rounds | None:
    """When somebody with this past is looked at; None who has not entered yet."""
    if not previous:
        return None
    return Rounds(max(journey.started for journey in previous).at, frequency.interval.delta)


def interval_allowed(
    frequency: FrequencyInterval,
    previous: Sequence[PreviousJourney],
    occurrence: Position,
    *,
    check: datetime | None,
    since: datetime | None = None,
) -> Allowed | Refused:
    """Whether somebody who matches may begin a journey at fixed intervals (CMP-14).

    `check` is the instant that has come at which they are looked at; without it they have just come to match, which counts
    the first time only. Whose journeys were all over when the frequency ceased to be `once`, at `since`, has to come to
    match anew, the interval being over (CMP-24).
    """
    rounds = rounds_of(frequency, previous)
    if rounds is None:
        return Allowed()
    if any(journey.ended is None for journey in previous):
        return Refused("in_journey", "The person is in a journey of this campaign.")
    if are_over(previous, since):
        return _overlapping(previous, occurrence) or _too_soon(frequency, occurrence.at - rounds.anchor) or Allowed()
    if check is not None and rounds.has(check):
        return Allowed()
    return Refused("interval", "At fixed intervals people are looked at again so long after their latest entry.")


def are_over(previous: Sequence[PreviousJourney], since: datetime | None) -> bool:
    """Whether all of these journeys ended by an instant."""
    return since is not None and all(journey.ended is not None and journey.ended.at <= since for journey in previous)


def date_allowed(
    recurrence: Recurrence, previous: Sequence[PreviousJourney], entered: Sequence[date], day: date
) -> Allowed | Refused:
    """Whether a day of somebody's may begin a journey (CMP-05); `entered` are the days that have.

    `in_journey` is no refusal for good: such a day waits until the journey has ended.
    """
    if recurrence == "once" and previous:
        return Refused("once", "The date has begun a journey before.")
    if any(day <= other for other in entered):
        return Refused("day", "This day, or a later one, has begun a journey already.")
    if any(journey.ended is None for journey in previous):
        return Refused("in_journey", "The person is in a journey of this campaign.")
    return Allowed()


def _too_soon(frequency: FrequencyEvery | FrequencyInterval | FrequencyOncePer, since: timedelta) -> Refused | None:
    """Why somebody may not enter again who entered so long ago; waits end with their last instant."""
    if isinstance(frequency, FrequencyOncePer):
        if since < frequency.period.delta:
            return Refused("period", "The person entered within the period.")
    elif isinstance(frequency, FrequencyInterval):
        if since < frequency.interval.delta:
            return Refused("interval", "The interval since the last entry is not over.")
    elif frequency.min_wait is not None and since < frequency.min_wait.delta:
        return Refused("min_wait", "The minimum wait since the last entry is not over.")
    return None


def _overlapping(previous: Sequence[PreviousJourney], occurrence: Position) -> Refused | None:
    if any(journey.ended is None for journey in previous):
        return Refused("in_journey", "The person is in a journey of this campaign.")
    if any(journey.ended is not None and occurrence <= journey.ended for journey in previous):
        return Refused("before_end", "The trigger came true before the last journey ended.")
    return None


def leading_delay(workflow: Workflow) -> TimeDelay | None:
    """The time delay that is the very first block, if it is one (CMP-12)."""
    first = workflow.blocks.get(workflow.start) if workflow.start is not None else None
    return first if isinstance(first, TimeDelay) else None


def age_limit(workflow: Workflow) -> timedelta:
    """How old an event may be and still trigger: 72 hours, or the leading delay where that is longer (CMP-12)."""
    delay = leading_delay(workflow)
    return max(BACKFILL_LIMIT, delay.duration.delta) if delay is not None else BACKFILL_LIMIT


def event_may_trigger(
    event: EventFact, campaign_started_at: datetime, processed_at: datetime, workflow: Workflow
) -> bool:
    """Whether the event is neither older than the campaign's start, in whole seconds, nor past the age limit (CMP-12)."""
    return why_too_old(event, campaign_started_at, processed_at, workflow) is None


def why_too_old(
    event: EventFact, campaign_started_at: datetime, processed_at: datetime, workflow: Workflow
) -> Literal["before_start", "too_old"] | None:
    """Why an event is no trigger any more: it is older than the campaign's start, or past the age limit."""
    if to_unix(event.at) < to_unix(campaign_started_at):
        return "before_start"
    return None if processed_at - event.at < age_limit(workflow) else "too_old"


def first_arrival(workflow: Workflow, entered: Position, trigger_event: EventFact | None) -> Position:
    """When the person counts as having arrived at the first block: for a leading delay, at the trigger event (ACT-05)."""
    if trigger_event is not None and leading_delay(workflow) is not None:
        return Position(trigger_event.at, entered.seq)
    return entered


def exit_verdict(
    rule: ExitRule, filters_matched: bool, goal_met: bool, *, rechecks_trigger: bool = False
) -> ExitReason | None:
    """Why the journey ends early now, None if it does not (CMP-16).

    With `rechecks_trigger` (segment triggers) `filters_matched` says whether the trigger still holds.
    """
    if rule in {"goal", "goal_or_filters"} and goal_met:
        return "goal"
    if rule in {"filters", "goal_or_filters"} and not filters_matched:
        return "trigger" if rechecks_trigger else "filters"
    return None


__all__ = [
    "FILTER_PATIENCE",
    "Allowed",
    "ExitReason",
    "ExitRule",
    "Frequency",
    "FrequencyEvery",
    "FrequencyInterval",
    "FrequencyOnce",
    "FrequencyOncePer",
    "Goal",
    "PreviousJourney",
    "Refused",
    "Rounds",
    "age_limit",
    "are_over",
    "date_allowed",
    "entry_allowed",
    "event_may_trigger",
    "exit_verdict",
    "first_arrival",
    "goal_event_matches",
    "goal_segment_met",
    "interval_allowed",
    "leading_delay",
    "rounds_of",
    "why_too_old",
]
