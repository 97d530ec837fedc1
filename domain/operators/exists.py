"""`exists`: something is there."""

from __future__ import annotations

from typing import Any, Literal

from domain.operators.base import Operator
from domain.values import is_blank


class Exists(Operator):
    """The path yields a value that is neither null nor the empty text (PPL-31)."""

    operator: Literal["exists"] = "exists"

    def matches(self, value: Any, _now: int) -> bool:
        """Whether the value is not blank."""
        return not is_blank(value)
