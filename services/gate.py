"""What services ask of Temporal, without knowing it: start a journey's workflow, wake it, start a task's."""

from __future__ import annotations

from typing import Protocol

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


__all__ = ["BroadcastRef", "Gate", "GateRefused", "JourneyStart", "SendBatch", "TaskRef", "TemporalAway"]
