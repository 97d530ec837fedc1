"""`after`: strictly later than an instant."""

from __future__ import annotations

from typing import Any, Literal

from domain.operators.temporal import InstantOperator
from domain.values import as_timestamp


class After(InstantOperator):
    """The timestamp lies strictly after the instant; seen from a moving instant this only ever becomes false (CMP-37)."""

    operator: Literal["after"] = "after"

    def matches(self, value: Any, now: int) -> bool:
        """Whether the value is a timestamp after the instant."""
        timestamp, instant = as_timestamp(value), self.value.at(now)
        return timestamp is not None and instant is not None and timestamp > instant

    def flips_at(self, value: Any, now: int) -> int | None:
        """The second in which the moving instant is the timestamp: then it no longer lies after."""
        timestamp = as_timestamp(value)
        return None if timestamp is None else self.value.reached(timestamp, now)
