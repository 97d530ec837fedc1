"""`lte`: less than or equal to."""

from __future__ import annotations

from typing import Any, Literal

from domain.operators.numeric import NumericOperator


class Lte(NumericOperator):
    """The value is a number less than or equal to the operand (PPL-31)."""

    operator: Literal["lte"] = "lte"

    def matches(self, value: Any, _now: int) -> bool:
        """Whether both sides are numeric and the value is less than or equal to the operand."""
        left, right = self.numbers(value)
        return left is not None and right is not None and left <= right
