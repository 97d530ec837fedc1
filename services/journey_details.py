"""What an operator reads on a journey's page in the Temporal UI: keys, ids and instants, nothing personal."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from ingest.catalog import Campaign
from store.journeys import JourneyRow, StepRow

MOST_STEPS = 25


def details_of(journey: JourneyRow, campaign: Campaign | None, steps: Sequence[StepRow]) -> str:
    """Campaign, path so far, and what is waited for until when, in Markdown."""
    name = campaign.key if campaign is not None else "removed"
    lines = [f"**Campaign** `{name}` (id {journey.campaign_id}) for person {journey.person_id}", ""]
    ordered = sorted(steps, key=lambda step: step.seq_num)
    if len(ordered) > MOST_STEPS:
        lines.append(f"- {len(ordered) - MOST_STEPS} earlier steps")
    lines += [_line(step) for step in ordered[-MOST_STEPS:]]
    lines += ["", _state(journey)]
    return "\n".join(lines)


def _line(step: StepRow) -> str:
    way = f" to `{step.path}`" if step.path else ""
    left = f", left {_instant(step.left_at)}" if step.left_at is not None else ""
    return f"- `{step.block}` ({step.output_type}): {step.outcome}{way}, arrived {_instant(step.created_at)}{left}"


def _state(journey: JourneyRow) -> str:
    if not journey.active:
        ended = f" at {_instant(journey.ended_at)}" if journey.ended_at is not None else ""
        return f"**{journey.state}** ({journey.reason}){ended}"
    if journey.parked:
        until = _instant(journey.due_at) if journey.due_at is not None else "a fact comes"
        return f"**Waiting** at `{journey.block}` until {until}"
    return f"**At** `{journey.block}`"


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


__all__ = ["details_of"]
