"""Randomized delay: hold a person for a time drawn between a shortest and a longest (ACT-06)."""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar, Literal

from pydantic import model_validator

from domain.blocks.base import Planned, StepBlock, Visit, content_hash
from domain.documents import Refusal, refused
from domain.durations import Duration
from domain.effects import Wait, WaitState
from domain.timing import shifted
from domain.values import stable_fraction


class RandomDelay(StepBlock):
    """A wait from arrival, drawn once; who was drawn longer than the longest of now waits for that, nobody is drawn anew."""

    waits_on: ClassVar[tuple[str, ...]] = ("min", "max")

    type: Literal["random_delay"]
    min: Duration
    max: Duration

    @model_validator(mode="after")
    def _in_order(self) -> RandomDelay:
        if self.min.seconds > self.max.seconds:
            raise refused(Refusal("range", "The shortest wait is longer than the longest.", ("min",), self.min.raw))
        return self

    def definition_hash(self) -> str:
        """A digest of the bounds themselves, however they are written."""
        return content_hash({"type": self.type, "min": self.min.seconds, "max": self.max.seconds})

    def perform(self, visit: Visit, /) -> Planned:
        """Wait until arrival plus what was drawn, within the bounds as they are now."""
        drawn = visit.wait.drawn if visit.wait is not None else None
        if drawn is None:
            journey = visit.facts.journey
            fraction = stable_fraction("random_delay", "" if journey is None else journey.journey_id, visit.key)
            drawn = self.min.seconds + fraction * (self.max.seconds - self.min.seconds)
        due_at = shifted(visit.arrived_at.at, timedelta(seconds=min(drawn, self.max.seconds)))
        if visit.now >= due_at:
            return self.go_on()
        state = WaitState(due_at=due_at, drawn=drawn, definition_hash=self.definition_hash())
        return Planned(effect=Wait(kind="delay", due_at=due_at), wait=state)
