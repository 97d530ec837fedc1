"""What every comparison is: a field, a test with its operand, and perhaps its complement."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, Self, cast

from pydantic import Field, SerializationInfo, SerializerFunctionWrapHandler, StrictBool, StrictStr, model_serializer

from domain.documents import Document
from domain.facts import Facts
from domain.lookups import Lookup, read_lookup
from domain.paths import Path, compile_path
from domain.values import text_form

MAX_FIELD = 512

Decision = tuple[bool, int | None]
"""Whether something holds, and the Unix second before which the clock alone cannot change that (None: never)."""


class Operator(Document):
    """A comparison of one value with an operand; subclasses say when it `matches` and when the clock may turn it.

    `now` is whole Unix seconds everywhere below this class (PPL-33 is evaluated to the second).
    """

    field: StrictStr = Field(min_length=1, max_length=MAX_FIELD)
    operator: str
    inverse: StrictBool = False

    @model_serializer(mode="wrap")
    def _omit_absent(self, handler: SerializerFunctionWrapHandler, _info: SerializationInfo) -> dict[str, Any]:
        dumped: dict[str, Any] = handler(self)
        names = ("field", "operator", "value", "inverse") if self.inverse else ("field", "operator", "value")
        return {name: dumped[name] for name in names if name in dumped}

    @cached_property
    def path(self) -> Path:
        """Where the value is."""
        return compile_path(self.field)

    @cached_property
    def lookups(self) -> tuple[Lookup, ...]:
        """The operands that have to be looked up."""
        value = getattr(self, "value", None)
        return (value,) if isinstance(value, Lookup) else ()

    @property
    def clock(self) -> bool:
        """Whether the clock alone can change the answer."""
        return False

    def bound(self, facts: Facts) -> Self | None:
        """Itself with looked-up operands in place; None where they are missing, then nothing matches."""
        found = read_lookup(self.lookups[0].from_, facts)
        return None if found is None or found == "" else self.with_operand(found)

    def with_operand(self, operand: Any) -> Self:
        """A copy with another operand, not validated: data may be of any type, and then does not match."""
        fields: dict[str, Any] = {"field": self.field, "inverse": self.inverse, "value": operand}
        return cast("Self", type(self).model_construct(**fields))

    @abstractmethod
    def matches(self, value: Any, now: int) -> bool:
        """Whether a value satisfies the test; total: every JSON value but null has an answer."""

    def flips_at(self, value: Any, now: int) -> int | None:  # noqa: ARG002
        """The earliest Unix second after `now` at which the answer may change without new data; None if never."""
        return None

    def decide(self, record: Mapping[str, Any], facts: Facts, now: int) -> Decision:
        """The comparison on one record: some value at the path matches, or with `inverse` none does."""
        test = self.bound(facts) if self.lookups else self
        if test is None:
            return self.inverse, None
        flip: int | None = None
        matched = False
        for value in self.path.read(record):
            if value is None:
                continue
            if not matched and test.matches(value, now):
                matched = True
                if not test.clock:
                    break
            if test.clock:
                flip = earliest(flip, test.flips_at(value, now))
        return matched != self.inverse, flip

    @cached_property
    def words(self) -> str:
        """The comparison in words, for logs and explanations."""
        words = f"{self.field} {self.operator}"
        dumped = self.model_dump(mode="json")
        if "value" in dumped:
            words += f" {text_form(dumped['value'])}"
        return f"not ({words})" if self.inverse else words


def earliest(a: int | None, b: int | None) -> int | None:
    """The smaller of two instants that may be missing."""
    if a is None or b is None:
        return b if a is None else a
    return min(a, b)


def first_change(test: Callable[[int], bool], candidates: list[int | None], now: int) -> int | None:
    """The first of the candidate seconds after `now` at which the test answers otherwise than now."""
    current = test(now)
    coming = sorted(at for at in candidates if at is not None and at > now)
    return next((at for at in coming if test(at) != current), None)
