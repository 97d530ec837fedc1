"""Segment: the people who meet conditions, kept up to date, or those put into it by hand (PPL-29, PPL-40, PPL-43)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Literal, Self

from pydantic import model_validator

from domain.condition_rules import check_condition
from domain.conditions import Condition, segment_refs
from domain.definitions.base import Definition, Name, Surroundings, Use
from domain.documents import Refusal, refused
from domain.errors import Problem


class SegmentDefinition(Definition):
    """A segment; `conditions` is None where it is manual."""

    initial_state: ClassVar[str | None] = "building"
    unchanging: ClassVar[tuple[str, ...]] = ("type",)

    kind: Literal["segment"]
    name: Name
    type: Literal["dynamic", "manual"] = "dynamic"
    conditions: Condition | None = None

    @model_validator(mode="after")
    def _conditions_where_dynamic(self) -> Self:
        if self.type == "manual" and self.conditions is not None:
            message = "People are put into a manual segment one by one: leave the conditions out."
            raise refused(Refusal("not_applicable", message, ("conditions",), self.conditions))
        if self.type == "dynamic" and self.conditions is None:
            raise refused(Refusal("required", "Say who is in the segment, or make it manual.", ("conditions",)))
        return self

    def uses(self) -> Iterator[Use]:
        """The segments it is made of."""
        if self.conditions is not None:
            for pointer, ref in segment_refs(self.conditions):
                yield Use("segment", ref, f"/conditions{pointer}")

    def check(self, around: Surroundings, /) -> Iterator[Problem]:
        """Segments of segments, once; and what conditions of a segment may look at."""
        if self.conditions is None:
            return
        yield from check_condition(
            self.conditions, "segment", pointer="/conditions", segment_has_segments=around.segment_has_segments
        )
        below = list(self.uses())
        above = [key for kind, key in around.users("segment", self.key) if kind == "segment"] if below else []
        if above:
            message = f"The segment '{above[0]}' uses this one, which therefore cannot use segments itself."
            for use in below:
                yield Problem(code="nested_segment", pointer=use.pointer, message=message)
