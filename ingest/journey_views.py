"""What a journey's row means to conditions and plans."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from domain.effects import WaitState
from domain.facts import EventFact, JourneyFacts, Position
from domain.values import to_unix
from ingest.person import Thing
from store.journeys import ACTIVE, JourneyRow, StepRow


def journey_context(
    journey: JourneyRow, thing: Thing | None = None, paths: Mapping[str, str] | None = None
) -> JourneyFacts:
    """What conditions can see of a journey; `thing` is the triggering object with the person's relationship, as now."""
    arrived = Position(journey.arrived_at, journey.arrived_seq) if journey.arrived_at and journey.parked else None
    return JourneyFacts(
        journey_id=journey.journey_id,
        started=Position(journey.started_at, journey.started_seq),
        attributes=journey.attributes,
        trigger_event=trigger_event(journey),
        trigger=journey.trigger.get("data"),
        wait_started=arrived,
        campaign_id=journey.campaign_id,
        object=thing.object if thing is not None else None,
        relationship=thing.relationship if thing is not None else None,
        paths=paths or {},
    )


def trigger_event(journey: JourneyRow) -> EventFact | None:
    """The event that started the journey, from its snapshot."""
    kept = journey.trigger.get("event")
    if kept is None:
        return None
    at = datetime.fromisoformat(kept["at"])
    return EventFact(kept["name"], at, kept["seq"], kept["data"], kept["type"], kept.get("id"))


def candidate(
    workspace_id: int, campaign_id: int, person_id: int, started: Position, trigger: Mapping[str, Any]
) -> JourneyRow:
    """The journey that an occurrence would begin, as conditions would see it; it is never stored."""
    return JourneyRow(
        workspace_id=workspace_id,
        journey_id="",
        workflow_id="",
        campaign_id=campaign_id,
        person_id=person_id,
        entry="",
        single=False,
        state=ACTIVE,
        version=0,
        started_at=started.at,
        started_seq=started.seq,
        created_at=started.at,
        trigger=dict(trigger),
    )


def event_snapshot(event: EventFact) -> dict[str, Any]:
    """What a journey keeps of its trigger event."""
    return {
        "name": event.name,
        "type": event.type,
        "id": event.event_id,
        "timestamp": to_unix(event.at),
        "at": event.at.isoformat(),
        "seq": event.seq,
        "data": dict(event.data),
        **({"depth": event.depth} if event.depth else {}),
    }


def wait_state(journey: JourneyRow) -> WaitState | None:
    """What the wait that the journey stands in remembers."""
    return None if journey.wait is None else WaitState.model_validate(journey.wait)


def step_of(journey: JourneyRow, action_id: int, **values: Any) -> StepRow:
    """A new step of the journey, next in order."""
    journey.steps += 1
    return StepRow(
        workspace_id=journey.workspace_id,
        journey_id=journey.journey_id,
        action_id=action_id,
        started_at=journey.started_at,
        seq_num=journey.steps,
        **values,
    )


__all__ = ["candidate", "event_snapshot", "journey_context", "step_of", "trigger_event", "wait_state"]
