"""What the four orderings of numbers share."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from domain.operators.base import Operator
from domain.operators.operands import NumberOperand
from domain.values import as_number


class NumericOperator(Operator):
    """A comparison of numbers; numeric text counts, everything else does not match (PPL-31)."""

    value: NumberOperand

    @cached_property
    def _right(self) -> float | None:
        return as_number(self.value)

    def numbers(self, value: Any) -> tuple[float | None, float | None]:
        """Both sides as numbers, None for a side that is not numeric."""
        return as_number(value), self._right
