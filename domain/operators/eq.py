"""`eq`: the same value."""

from __future__ import annotations

from functools import cached_property
from typing import Any, Literal

from domain.operators.base import Operator
from domain.operators.equality import Sought
from domain.operators.operands import Operand
from domain.values import as_number, text_form


class Eq(Operator):
    """Same text without regard to case; two numbers compare as numbers (PPL-31). A pattern is only its literal text."""

    operator: Literal["eq"] = "eq"
    value: Operand

    @cached_property
    def _sought(self) -> Sought:
        return Sought.of(self.value)

    def matches(self, value: Any, _now: int) -> bool:
        """Whether the value equals the operand."""
        return self._sought.equals(text_form(value).casefold(), as_number(value))
