"""Operations of our own making."""

from __future__ import annotations

from typing import Literal

from domain.operations.base import Operation


class Reevaluate(Operation):
    """Look again at one person's memberships: the clock or somebody else's change may have moved them.

    `refs` are (kind, id) pairs of memberships (`segment`, `trigger`).
    """

    op: Literal["reevaluate"] = "reevaluate"
    person_id: int
    refs: list[tuple[Literal["segment", "trigger"], int]]
    why: Literal["flip", "build"] = "flip"

    def extra_keys(self) -> list[str]:
        """The person by internal number."""
        return [f"p:{self.person_id}"]


__all__ = ["Reevaluate"]
