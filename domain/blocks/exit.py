"""Exit: the journey is over (ACT-16)."""

from __future__ import annotations

from typing import Literal

from domain.blocks.base import Block, Planned, Visit, Way
from domain.effects import Exit


class ExitBlock(Block):
    """The end of a path, and of the journey that gets there."""

    type: Literal["exit"]

    def ways(self) -> list[Way]:
        """There is none."""
        return []

    def decide(self, visit: Visit, /) -> Planned:
        """End the journey."""
        return Planned(
            effect=Exit(reason="exit_block", explanation=f"Reached the exit block '{self.label(visit.key)}'.")
        )
