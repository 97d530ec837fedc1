"""Who may enter a campaign, how often, and when a journey is over early (CMP-12 to CMP-18)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import Field, ValidatorFunctionWrapHandler, WrapValidator

from domain.blocks import TimeDelay
from domain.documents import Document, Refusal, refused
from domain.durations import Duration
from domain.facts import EventFact, Position
from domain.goals import Goal, goal_event_matches, goal_segment_met
from domain.values import to_unix
from domain.workflow_graph import Workflow

BACKFILL_LIMIT = timedelta(hours=72)

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

    reason: Literal["once", "in_journey", "before_end", "min_wait", "period", "interval"]
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
    if to_unix(event.at) < to_unix(campaign_started_at):
        return False
    return processed_at - event.at < age_limit(workflow)


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
    "age_limit",
    "entry_allowed",
    "event_may_trigger",
    "exit_verdict",
    "first_arrival",
    "goal_event_matches",
    "goal_segment_met",
    "leading_delay",
]
