"""`contains`: a search in the text."""

from __future__ import annotations

from functools import cached_property
from typing import Any, Literal, Self

from domain.facts import Facts
from domain.lookups import read_lookup
from domain.operators.base import Operator
from domain.operators.operands import TextOperand
from domain.patterns import TextPattern, compile_literal, compile_text
from domain.values import text_form


class Contains(Operator):
    """An unanchored search in the text form with pattern characters (PPL-32); a looked-up operand is searched literally."""

    operator: Literal["contains"] = "contains"
    value: TextOperand

    @cached_property
    def _pattern(self) -> TextPattern:
        return self.value if isinstance(self.value, TextPattern) else compile_text(self.value)

    def bound(self, facts: Facts) -> Self | None:
        """Itself with the looked-up text, in which no character is special: data is not a pattern."""
        found = read_lookup(self.lookups[0].from_, facts)
        return None if found is None or found == "" else self.with_operand(compile_literal(text_form(found)))

    def matches(self, value: Any, _now: int) -> bool:
        """Whether the pattern is found in the value's text."""
        return self._pattern.search(text_form(value))
