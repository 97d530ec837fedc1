"""`gt`: greater than."""

from __future__ import annotations

from typing import Any, Literal

from domain.operators.numeric import NumericOperator


class Gt(NumericOperator):
    """The value is a number greater than the operand (PPL-31)."""

    operator: Literal["gt"] = "gt"

    def matches(self, value: Any, _now: int) -> bool:
        """Whether both sides are numeric and the value is greater than the operand."""
        left, right = self.numbers(value)
        return left is not None and right is not None and left > right
