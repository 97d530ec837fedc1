"""Short ways to the inputs of plans."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter

from domain.blocks import AnyBlock, Block, Planned
from domain.effects import Goto, Wait, WaitState
from domain.facts import EventFact, Facts, JourneyFacts, Position
from domain.workflow_graph import Workflow

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
BLOCK: TypeAdapter[Any] = TypeAdapter(AnyBlock)
MESSAGE = {"subject": "Hi", "body": "<p>Hi</p>"}
IN_S = {"segment": 1}


def block(**fields: Any) -> Any:
    return BLOCK.validate_python(fields)


def workflow(start: str | None, /, **blocks: dict[str, Any]) -> Workflow:
    document: dict[str, Any] = {"blocks": {key.replace("_", "-"): body for key, body in blocks.items()}}
    return Workflow.model_validate(document if start is None else {"start": start, **document})


def email(**fields: Any) -> dict[str, Any]:
    return {"type": "email", "sending_state": "automatic", "message": MESSAGE, **fields}


def at(instant: datetime, seq: int = 10) -> Position:
    return Position(instant, seq)


def event(name: str, instant: datetime = NOW, seq: int = 1, **data: Any) -> EventFact:
    return EventFact(name=name, at=instant, seq=seq, data=data)


def facts(
    *,
    attributes: dict[str, Any] | None = None,
    events: tuple[EventFact, ...] = (),
    segments: tuple[int, ...] = (),
    trigger: EventFact | None = None,
    started: Position | None = None,
) -> Facts:
    journey = JourneyFacts(journey_id="j1", started=started or Position(NOW, 5), trigger_event=trigger)
    return Facts(
        attributes=attributes or {},
        age_start=NOW - timedelta(days=400),
        events=events,
        segments=frozenset(segments),
        journey=journey,
    )


def plan(
    subject: Block, now: datetime, facts_now: Facts, *, arrived: Position | None = None, wait: WaitState | None = None
) -> Planned:
    return subject.plan("here", arrived or Position(now, 10), now, wait, facts_now)


def due(planned: Planned) -> datetime | None:
    """The deadline of a plan that waits; the stored state must say the same."""
    assert isinstance(planned.effect, Wait)
    assert planned.wait is not None
    assert planned.wait.due_at == planned.effect.due_at
    return planned.effect.due_at


def left(planned: Planned) -> Goto:
    """The way on of a plan that leaves."""
    assert isinstance(planned.effect, Goto)
    assert planned.wait is None
    return planned.effect


def local(zone: str, *parts: int) -> datetime:
    return datetime(*parts, tzinfo=ZoneInfo(zone)).astimezone(UTC)  # type: ignore[misc, arg-type]
