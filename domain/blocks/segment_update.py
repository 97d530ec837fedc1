"""Manual segment update: put the journey's person into a manual segment, or take them out of it (ACT-27)."""

from __future__ import annotations

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

    def action(self) -> Act:
        """Update the segment."""
        return Act(action="segment_update")
