"""What services ask of Temporal, without knowing it: start a journey's workflow, wake it, start a task's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from domain.sends import BroadcastRef, SendBatch
from domain.task_steps import TaskRef
from store.outbox import JourneyStart


class TemporalAway(Exception):
    """Temporal cannot be reached, or cannot take anything now: keep everything and try again later."""


class GateRefused(Exception):
    """Temporal refused this one request; `code` says why, in Temporal's word."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


Trouble = Literal["nondeterminism", "failing", "timing_out", "planning", "activity", "unpolled", "resting"]
"""What keeps a workflow that runs; `resting` is none: nothing is in hand and nothing is asked for."""


@dataclass(frozen=True, slots=True)
class Look:
    """What Temporal knows of the latest run of a workflow.

    `trouble` is None while something is in hand that has not failed; `since` is when it began, `told` how Temporal or
    the SDK puts it. Neither holds a value of anybody: failures of activities are codes.
    """

    status: str
    run_id: str
    trouble: Trouble | None = None
    since: datetime | None = None
    attempts: int = 0
    told: str = ""

    @property
    def running(self) -> bool:
        """Whether the run is open."""
        return self.status == "running"


class Watch(Protocol):
    """How workflows are looked at and ended from outside; every call may raise `TemporalAway` or `GateRefused`."""

    async def look(self, workflow_id: str, real_now: datetime) -> Look | None:
        """The latest run of a workflow; None where Temporal knows none."""

    async def end_run(self, workflow_id: str, run_id: str, why: str) -> bool:
        """Terminate one run; False where it was over already."""


class Gate(Protocol):
    """The way to the workflows; every call may raise `TemporalAway` or `GateRefused`."""

    async def start_journey(self, start: JourneyStart, *, again: bool = False) -> bool:
        """Have the workflow running; False where there was one already.

        `again` starts it even if a closed one of the id exists, which is for journeys that are known to be under way.
        """

    async def wake_journey(self, workflow_id: str, why: str, upto_seq: int) -> bool:
        """Have the workflow look again; False where none is running."""

    async def start_task(self, task: TaskRef, what: str) -> bool:
        """Have the workflow of an open task running; False where there was one already. `what` is for people to read."""

    async def start_sends(self, batch: SendBatch) -> bool:
        """Have these deliveries sent by a workflow; False where there is one for the first of them already."""

    async def wake_broadcast(self, trigger: BroadcastRef, why: str) -> None:
        """Have the workflow of a trigger running, and look again."""


class Keeping(Gate, Watch, Protocol):
    """Both: what is needed to start something anew that hangs."""


__all__ = [
    "BroadcastRef",
    "Gate",
    "GateRefused",
    "JourneyStart",
    "Keeping",
    "Look",
    "SendBatch",
    "TaskRef",
    "TemporalAway",
    "Trouble",
    "Watch",
]
