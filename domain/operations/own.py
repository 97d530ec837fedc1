"""Operations of our own making."""

from __future__ import annotations

from typing import Literal

from domain.operations.base import Operation


class Reevaluate(Operation):
    """Look again at one person's memberships: the clock or somebody else's change may have moved them.

    `refs` are (kind, id) pairs of memberships (`segment`, `trigger`). `why` is `clear` or `clear_mute` where a manual
    segment is emptied, which the person leaves then (PPL-43).
    """

    op: Literal["reevaluate"] = "reevaluate"
    person_id: int
    refs: list[tuple[Literal["segment", "trigger"], int]]
    why: Literal["flip", "build", "clear", "clear_mute"] = "flip"

    def extra_keys(self) -> list[str]:
        """The person by internal number."""
        return [f"p:{self.person_id}"]


__all__ = ["Reevaluate"]
