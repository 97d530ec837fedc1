"""`in`: one of several values."""

from __future__ import annotations

from functools import cached_property
from typing import Any, Literal

from domain.operators.base import Operator
from domain.operators.equality import Sought
from domain.operators.operands import Choices
from domain.values import as_number, text_form


class OneOf(Operator):
    """`eq` to one of the operands."""

    operator: Literal["in"] = "in"
    value: Choices

    @cached_property
    def _sought(self) -> tuple[Sought, ...]:
        return tuple(Sought.of(item) for item in self.value)

    def matches(self, value: Any, _now: int) -> bool:
        """Whether the value equals one of the operands."""
        text, number = text_form(value).casefold(), as_number(value)
        return any(sought.equals(text, number) for sought in self._sought)
