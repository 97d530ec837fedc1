"""Operations of our own making."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from domain.operations.base import Operation


class Reevaluate(Operation):
    """Look again at one person's memberships: the clock or somebody else's change may have moved them.

    `refs` are (kind, id) pairs of memberships (`segment`, `trigger`). `why` is `clear` or `clear_mute` where a manual
    segment is emptied, which the person leaves then (PPL-43). With `records`, what conditions look at besides attributes
    and events has changed: words of `domain.condition_keys.Keys.records`.
    """

    op: Literal["reevaluate"] = "reevaluate"
    person_id: int
    refs: list[tuple[Literal["segment", "trigger"], int]]
    why: Literal["flip", "build", "clear", "clear_mute", "records"] = "flip"
    records: list[str] = Field(default_factory=list)

    def extra_keys(self) -> list[str]:
        """The person by internal number."""
        return [f"p:{self.person_id}"]


class ReevaluateRelated(Operation):
    """Look again at everybody related to an object, some at a time: it has changed (PPL-39).

    `after` is the internal number of the last person who has been seen to.
    """

    op: Literal["reevaluate_related"] = "reevaluate_related"
    object_no: int
    after: int = 0

    def extra_keys(self) -> list[str]:
        """The object by internal number."""
        return [f"o:{self.object_no}"]


__all__ = ["Reevaluate", "ReevaluateRelated"]
