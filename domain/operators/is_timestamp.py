"""`is_timestamp`: whole Unix seconds."""

from __future__ import annotations

from typing import Any, Literal

from domain.operators.base import Operator
from domain.values import as_timestamp


class IsTimestamp(Operator):
    """The value is whole seconds or digits, 10^8 < v < 10^11 (PPL-33)."""

    operator: Literal["is_timestamp"] = "is_timestamp"

    def matches(self, value: Any, _now: int) -> bool:
        """Whether the value is a timestamp."""
        return as_timestamp(value) is not None
