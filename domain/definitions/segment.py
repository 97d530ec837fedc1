"""Segment: the people who meet conditions, kept up to date, or those put into it by hand (PPL-29, PPL-40, PPL-43)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Literal, Self

from pydantic import model_validator

from domain.condition_rules import check_condition
from domain.conditions import Condition
from domain.definitions.base import Definition, Name, Surroundings, Use
from domain.definitions.condition_uses import check_uses, uses_of
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
        """The segments it is made of, and what else its conditions name."""
        if self.conditions is not None:
            yield from uses_of(self.conditions, "/conditions")

    def check(self, around: Surroundings, /) -> Iterator[Problem]:
        """Segments of segments, once; and what conditions of a segment may look at."""
        if self.conditions is None:
            return
        uses = list(self.uses())
        below = [use for use in uses if use.kind == "segment"]
        rings = {use.ref: around.ring_of_segments(self.key, use.ref) for use in below}
        yield from check_condition(
            self.conditions,
            "segment",
            pointer="/conditions",
            segment_has_segments=lambda ref: not rings.get(ref) and around.segment_has_segments(ref),
        )
        yield from check_uses(uses, around)
        above = [key for kind, key in around.users("segment", self.key) if kind == "segment"] if below else []
        for use in below:
            ring = rings[use.ref]
            if ring:
                way = ", which uses ".join(f"'{key}'" for key in ring).replace(", which uses", " uses", 1)
                message = f"A segment cannot be made of itself: {way}."
                yield Problem(code="nested_segment", pointer=use.pointer, message=message)
            elif above:
                message = f"The segment '{above[0]}' uses this one, which therefore cannot use segments itself."
                yield Problem(code="nested_segment", pointer=use.pointer, message=message)
