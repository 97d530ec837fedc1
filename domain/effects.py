"""The closed list of what a block may ask for. A new effect is workflow code: it takes a decision record and `patched()`."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

StepOutcome = Literal["waiting", "done", "skipped", "drafted", "failed", "branched", "exited"]
WaitKind = Literal["delay", "window", "wait", "answer"]


class Effect(BaseModel):
    """Base of all effects: frozen and strict, so that what is recorded can be read again for years."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Goto(Effect):
    """Nothing left to do here: go on. `next` is a block key, or None for "what follows this path" (join, or the end).

    `path` and `branch_index` say which way a branch took (0 is `then`, 1 is `else`; wait paths count from 0 in listed order).
    """

    type: Literal["goto"] = "goto"
    next: str | None
    outcome: Literal["done", "skipped", "failed", "branched"] = "done"
    path: str | None = None
    branch_index: int | None = None
    explanation: str | None = None


class Wait(Effect):
    """Stand here until `due_at` (None: until a fact ends the wait) or until something wakes the journey."""

    type: Literal["wait"] = "wait"
    kind: WaitKind
    due_at: datetime | None


class Deliver(Effect):
    """Make and hand over this block's message; the next effect follows whatever the outcome."""

    type: Literal["deliver"] = "deliver"
    channel: str


class Act(Effect):
    """Let the action registered under `action` change the world (update a person, send an event...)."""

    type: Literal["act"] = "act"
    action: str


class Assign(Effect):
    """Let everybody who is related to the same object go the same way (ACT-15).

    `paths` are the keys of the ways with where they lead, in listed order; `drawn` is the one that was drawn for this
    journey, and for its object, where that has none yet.
    """

    type: Literal["assign"] = "assign"
    object_type: str | int
    paths: tuple[tuple[str, str | None], ...]
    drawn: str


class Exit(Effect):
    """The journey is over, for one of the stored reasons (CMP-30)."""

    type: Literal["exit"] = "exit"
    reason: Literal["completed", "exit_block", "cohort_ambiguous"]
    explanation: str | None = None


AnyEffect = Annotated[Goto | Wait | Deliver | Act | Assign | Exit, Field(discriminator="type")]


class WaitState(BaseModel):
    """What a wait remembers between plans; stored on the journey row when the wait begins.

    `due_at` never moves for a fact: it is derived again from arrival only when the block's definition changed
    (`definition_hash` differs) and from `now` when it was reached and the gate is still shut (ACT-07).
    `drawn` is a number of seconds drawn once. `released` names the path that a fact made true under the person's lock.
    An `answer` is waited for where a delivery is not over yet: `released` is then `done` or `failed`, `told` says why.
    """

    model_config = ConfigDict(frozen=True)

    due_at: datetime | None = None
    drawn: float | None = None
    definition_hash: str = ""
    released: str | None = None
    answer: bool = False
    told: str | None = None


__all__ = [
    "Act",
    "AnyEffect",
    "Assign",
    "Deliver",
    "Effect",
    "Exit",
    "Goto",
    "StepOutcome",
    "Wait",
    "WaitKind",
    "WaitState",
]
