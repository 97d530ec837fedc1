"""Things that happened, counted: how often, over which time, and whether the person has been known long enough (PPL-36)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, Self

from pydantic import PlainSerializer, PlainValidator, WithJsonSchema

from domain.documents import Refusal, refused
from domain.durations import Duration
from domain.facts import Facts
from domain.operators import Decision
from domain.subjects.base import Moment
from domain.subjects.times import Times
from domain.subjects.windows import WindowCount
from domain.values import LAST_TIMESTAMP, to_unix_ceiling


def _read_between(raw: Any) -> tuple[int, int]:
    if not isinstance(raw, list | tuple) or any(not isinstance(x, int) or isinstance(x, bool) for x in raw):
        raise refused(Refusal("type", "Give a list of two Unix times.", (), raw))
    if len(raw) != 2:
        raise refused(Refusal("length", "Give exactly two Unix times.", (), raw))
    if not all(0 <= x < LAST_TIMESTAMP for x in raw):
        raise refused(Refusal("range", "Unix times lie between 0 and 99999999999.", (), raw))
    return raw[0], raw[1]


Between = Annotated[
    tuple[int, int],
    PlainValidator(_read_between),
    PlainSerializer(list),
    WithJsonSchema({"type": "array", "minItems": 2, "maxItems": 2, "items": {"type": "integer", "minimum": 0}}),
]
"""Two Unix times, both included."""


@dataclass(frozen=True)
class Counting:
    """A test of how often something happened; `span` are the seconds of a window that ends now, None without one.

    `inverse`, and `times` that zero satisfies, look for something not done: with a window these also demand that the
    person has been known for at least its length.
    """

    times: Times
    span: int | None
    inverse: bool

    @classmethod
    def of(cls, times: Times | None, within: Duration | None, *, inverse: bool) -> Self:
        """The test that a body asks for; at least once where nothing is said."""
        return cls(times or Times(), None if within is None else within.seconds, inverse)

    @cached_property
    def needs_age(self) -> bool:
        """Whether the person must have been known for the length of the window."""
        return self.span is not None and (self.inverse or self.times.zero_passes)

    @cached_property
    def enough(self) -> int:
        """From which count on it does not matter what else there is, where no window moves."""
        return self.times.count if self.times.word == "at_least" else self.times.count + 1

    def decide(self, window: WindowCount, facts: Facts) -> Decision:
        """The test of what was counted, and when the moving window or the person's age turns it."""
        if self.span is None:
            return self.times.allows(window.count) != self.inverse, None
        known = to_unix_ceiling(facts.age_start) + self.span if self.needs_age else None

        def holds(count: int, at: int) -> bool:
            return self.times.allows(count) != self.inverse and (known is None or at >= known)

        return window.decide(holds, () if known is None else (known,))

    def age_note(self, facts: Facts, moment: Moment) -> str:
        """What an explanation says where the person has not been known for long enough, empty where that is no matter."""
        if not self.needs_age or self.span is None:
            return ""
        known = moment.unix - to_unix_ceiling(facts.age_start)
        return "" if known >= self.span else f"; known for {max(known, 0)} s, {self.span} s are needed"


__all__ = ["Between", "Counting"]
