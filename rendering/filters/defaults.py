"""What stands in for data that is not there (MSG-05)."""

from __future__ import annotations

from typing import Any

from liquid import Environment

from rendering.missing import Missing


def default(value: Any, other: Any = "", *, allow_false: Any = False) -> Any:
    """The value, or another where it is missing, null, false, or empty."""
    if value is False:
        return value if allow_false is True else other
    absent = value is None or isinstance(value, Missing) or (isinstance(value, str | list | tuple) and not value)
    return other if absent else value


def register(env: Environment) -> None:
    """Add it."""
    env.add_filter("default", default)


__all__ = ["register"]
