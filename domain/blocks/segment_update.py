"""Manual segment update: put the journey's person into a manual segment, or take them out of it (ACT-27)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from domain.blocks.base import DataBlock
from domain.documents import Reference
from domain.effects import Act


class SegmentUpdate(DataBlock):
    """The segment, and whether the person becomes a member or none; that it is a manual one the campaign checks."""

    type: Literal["segment_update"]
    segment: Reference
    action_: Literal["add", "remove"] = Field(alias="action")

    @property
    def adds(self) -> bool:
        """Whether the person becomes a member."""
        return self.action_ == "add"

    def references(self) -> Iterator[tuple[tuple[str | int, ...], str, str | int]]:
        """The segment."""
        yield ("segment",), "segment", self.segment

    def needs_person(self) -> str | None:
        """Members are people."""
        return "There is no person to put into a segment."

    def action(self) -> Act:
        """Update the segment."""
        return Act(action="segment_update")
