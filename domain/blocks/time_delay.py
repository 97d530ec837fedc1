"""Time delay: hold a person for a fixed duration (ACT-05)."""

from __future__ import annotations

from typing import ClassVar, Literal

from domain.blocks.base import Planned, StepBlock, Visit, content_hash
from domain.durations import Duration
from domain.effects import Wait, WaitState
from domain.timing import shifted


class TimeDelay(StepBlock):
    """A wait from arrival for a duration; zero passes through."""

    waits_on: ClassVar[tuple[str, ...]] = ("duration",)

    type: Literal["time_delay"]
    duration: Duration

    def definition_hash(self) -> str:
        """A digest of the length itself, however it is written."""
        return content_hash({"type": self.type, "seconds": self.duration.seconds})

    def perform(self, visit: Visit, /) -> Planned:
        """Wait until arrival plus the duration as it is defined now (CMP-25)."""
        due_at = shifted(visit.arrived_at.at, self.duration.delta)
        if visit.now >= due_at:
            return self.go_on()
        state = WaitState(due_at=due_at, definition_hash=self.definition_hash())
        return Planned(effect=Wait(kind="delay", due_at=due_at), wait=state)
