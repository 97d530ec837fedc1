"""Segment: the people who meet conditions, kept up to date (PPL-29, PPL-40)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Literal

from pydantic import field_validator

from domain.condition_rules import check_condition
from domain.conditions import Condition, segment_refs
from domain.definitions.base import Definition, Name, Surroundings, Use
from domain.documents import Refusal, refused
from domain.errors import Problem


class SegmentDefinition(Definition):
    """A dynamic segment."""

    initial_state: ClassVar[str | None] = "building"

    kind: Literal["segment"]
    name: Name
    type: Literal["dynamic", "manual"] = "dynamic"
    conditions: Condition

    @field_validator("type")
    @classmethod
    def _dynamic(cls, kind: str) -> str:
        if kind == "manual":
            raise refused(Refusal("not_applicable", "Manual segments are not in this version.", (), kind))
        return kind

    def uses(self) -> Iterator[Use]:
        """The segments it is made of."""
        for pointer, ref in segment_refs(self.conditions):
            yield Use("segment", ref, f"/conditions{pointer}")

    def check(self, around: Surroundings, /) -> Iterator[Problem]:
        """Segments of segments, once; and what conditions of a segment may look at."""
        yield from check_condition(
            self.conditions, "segment", pointer="/conditions", segment_has_segments=around.segment_has_segments
        )
        below = list(self.uses())
        above = [key for kind, key in around.users("segment", self.key) if kind == "segment"] if below else []
        if above:
            message = f"The segment '{above[0]}' uses this one, which therefore cannot use segments itself."
            for use in below:
                yield Problem(code="nested_segment", pointer=use.pointer, message=message)
