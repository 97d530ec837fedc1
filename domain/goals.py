"""What a campaign hopes people will do, and when that counts (CMP-16, CMP-18)."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, field_validator, model_validator

from domain.conditions import evaluate_where
from domain.documents import Document, Reference, Refusal, refused
from domain.durations import Duration
from domain.facts import EventFact, Facts
from domain.wheres import Where

SHORTEST_WINDOW = timedelta(seconds=1)
LONGEST_WINDOW = timedelta(days=90)

GoalEventName = Annotated[str, StringConstraints(min_length=1, max_length=100)]


class Goal(Document):
    """One criterion, and the window after a message's basis moment in which it converts that message."""

    event: GoalEventName | None = None
    where: Where | None = None
    enters_segment: Reference | None = None
    leaves_segment: Reference | None = None
    within: Duration = Field(default_factory=lambda: Duration.of("P7D"))
    of: Literal["sent", "opened", "clicked"] = "sent"

    @field_validator("within")
    @classmethod
    def _window(cls, within: Duration) -> Duration:
        if not SHORTEST_WINDOW <= within.delta <= LONGEST_WINDOW:
            raise refused(Refusal("range", "A conversion window is 1 second to 90 days long.", (), within.raw))
        return within

    @model_validator(mode="after")
    def _one_criterion(self) -> Goal:
        given = {"event", "enters_segment", "leaves_segment"} & self.model_fields_set
        if not given:
            raise refused(Refusal("required", "Give the goal an event, enters_segment or leaves_segment."))
        if len(given) > 1:
            raise refused(Refusal("type", f"A goal has only one of {', '.join(sorted(given))}."))
        if self.where is not None and self.event is None:
            raise refused(Refusal("not_applicable", "Only an event goal looks at data.", ("where",)))
        return self

    @property
    def segment(self) -> str | int | None:
        """The segment the goal is about, if it is about one."""
        return self.enters_segment if self.enters_segment is not None else self.leaves_segment


def goal_event_matches(goal: Goal, event: EventFact, facts: Facts) -> bool:
    """Whether the event is the goal, of this very journey where `facts` hold one (CMP-18).

    The name counts to the letter; the event must have been received after the journey began, whatever its own
    timestamp says; relative instants in `where` count from the event.
    """
    if goal.event is None or event.type != "event" or goal.event.strip() != event.name.strip():
        return False
    if facts.journey is not None and event.seq <= facts.journey.started.seq:
        return False
    return goal.where is None or evaluate_where(goal.where, event.data, facts, event.at).matched


def goal_segment_met(goal: Goal, facts: Facts) -> bool:
    """Whether a segment goal holds now, members from before included: being in it, or not being in it (CMP-16)."""
    if goal.enters_segment is not None:
        return facts.in_segment(goal.enters_segment)
    return goal.leaves_segment is not None and not facts.in_segment(goal.leaves_segment)
