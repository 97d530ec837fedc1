"""What planning a journey answers, and how a journey is named: all that the workflow ever sees."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

StepKind = Literal["wait", "deliver", "ended"]


class JourneyRef(BaseModel):
    """One journey by its key in the database; the workflow keeps nothing else."""

    model_config = ConfigDict(frozen=True)

    workspace_id: int
    journey_id: str


class AdvanceInput(JourneyRef):
    """Ask what the journey needs next; `why` is for people to read."""

    why: str = "start"


class DeliverMessageInput(JourneyRef):
    """Hand over the message of one block."""

    block: str
    action_id: int


class StepResult(BaseModel):
    """What the journey needs next: to wait (`due_at` None: for a fact only), to deliver, or nothing any more.

    `details` is Markdown for the operator's view: campaign, path so far, what is waited for; keys and instants only.
    """

    model_config = ConfigDict(frozen=True)

    kind: StepKind
    block: str | None = None
    label: str | None = None
    action_id: int | None = None
    channel: str | None = None
    due_at: datetime | None = None
    sandbox: bool = False
    state: str | None = None
    reason: str | None = None
    details: str = ""


__all__ = ["AdvanceInput", "DeliverMessageInput", "JourneyRef", "StepKind", "StepResult"]
