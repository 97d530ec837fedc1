"""True/false branch: two paths by one set of conditions (ACT-12)."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from domain.blocks.base import BranchBlock, Placed, Planned, Visit, Way, take
from domain.conditions import Condition, evaluate
from domain.documents import Key


class TrueFalse(BranchBlock):
    """A branch decided once, on arrival; without conditions everybody takes `else`."""

    nullable: ClassVar[frozenset[str]] = frozenset({"then", "else", "join"})

    type: Literal["true_false"]
    conditions: Condition | None = None
    then: Key | None = None
    else_: Key | None = Field(default=None, alias="else")

    def placed_conditions(self) -> list[Placed]:
        """The deciding conditions."""
        return [] if self.conditions is None else [Placed(("conditions",), "true_false", self.conditions)]

    def ways(self) -> list[Way]:
        """`then` and `else`."""
        return [Way(self.then, ("then",)), Way(self.else_, ("else",))]

    def decide(self, visit: Visit, /) -> Planned:
        """Take `then` (0) where all conditions hold, otherwise `else` (1)."""
        if self.conditions is None:
            return take(self.else_, 1, "else", "No conditions are configured.")
        verdict = evaluate(self.conditions, visit.facts, visit.now)
        if verdict.matched:
            return take(self.then, 0, "then", verdict.reason)
        return take(self.else_, 1, "else", verdict.reason)
