"""Send event: emit an event of the journey's person or of somebody else, which does all that events do (ACT-23)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Literal

from pydantic import model_validator

from domain.blocks.base import DataBlock
from domain.blocks.event_data import AnyEventData, data_values
from domain.blocks.target import NOBODY, AnyTarget, targeted
from domain.data_values import Value
from domain.documents import Refusal, refused
from domain.effects import Act
from domain.values import is_blank


class SendEvent(DataBlock):
    """Whose event it is, the value that names it, and its data."""

    person_at: ClassVar[tuple[str, ...]] = ("target",)

    type: Literal["send_event"]
    target: AnyTarget = "self"
    event: Value
    data: AnyEventData | None = None

    @model_validator(mode="after")
    def _named(self) -> SendEvent:
        if is_blank(self.event):
            raise refused(Refusal("length", "An event needs a name.", ("event",), self.event))
        return self

    def values(self) -> Iterator[tuple[tuple[str | int, ...], Value]]:
        """Who is meant, the name, the data."""
        yield from targeted(self.target)
        yield ("event",), self.event
        yield from data_values(self.data)

    def needs_person(self) -> str | None:
        """Whose event it is has to be said where nobody is there."""
        return NOBODY if self.target == "self" else None

    def action(self) -> Act:
        """Send it."""
        return Act(action="send_event")
