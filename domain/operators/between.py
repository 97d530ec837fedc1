"""`between`: from one instant to another, both included."""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, Any, Literal, Self

from pydantic import PlainSerializer, PlainValidator, WithJsonSchema

from domain.facts import Facts
from domain.lookups import Lookup
from domain.operators.base import Operator, first_change
from domain.operators.operands import Instant, refuse
from domain.values import as_timestamp


def _read_bounds(raw: Any) -> tuple[Instant, Instant]:
    if not isinstance(raw, list | tuple):
        raise refuse("type", "The value is a list of two instants.", raw)
    if len(raw) != 2:
        raise refuse("length", "The value is a list of exactly two instants.", None)
    return Instant.read(raw[0]), Instant.read(raw[1])


Bounds = Annotated[
    tuple[Instant, Instant],
    PlainValidator(_read_bounds),
    PlainSerializer(lambda bounds: [bound.dump() for bound in bounds]),
    WithJsonSchema({"type": "array", "minItems": 2, "maxItems": 2}),
]


class Between(Operator):
    """The timestamp is one of the bounds or lies between them (PPL-33)."""

    operator: Literal["between"] = "between"
    value: Bounds

    @cached_property
    def lookups(self) -> tuple[Lookup, ...]:
        """The bounds that have to be looked up."""
        return tuple(bound.lookup for bound in self.value if bound.lookup)

    @property
    def clock(self) -> bool:
        """Whether a bound moves with the clock."""
        return any(bound.moves for bound in self.value)

    def bound(self, facts: Facts) -> Self | None:
        """Itself with both bounds in place; None where one of them is no timestamp."""
        first, last = (bound.bound(facts) for bound in self.value)
        return None if first is None or last is None else self.with_operand((first, last))

    def matches(self, value: Any, now: int) -> bool:
        """Whether the value is a timestamp within the bounds."""
        timestamp = as_timestamp(value)
        first, last = (bound.at(now) for bound in self.value)
        return timestamp is not None and first is not None and last is not None and first <= timestamp <= last

    def flips_at(self, value: Any, now: int) -> int | None:
        """The next second at which a moving bound passes the timestamp and changes the answer."""
        timestamp = as_timestamp(value)
        if timestamp is None:
            return None
        first, last = self.value
        candidates = [first.reached(timestamp + 1, now), last.reached(timestamp, now)]
        return first_change(lambda at: self.matches(value, at), candidates, now)
