"""What stands in for data that is not there (MSG-05)."""

from __future__ import annotations

from typing import Any, Final

from liquid import Environment

from rendering.missing import KINDS

_TO_BE_FILLED: Final = (str, list, tuple)


def default(value: Any, other: Any = "", *, allow_false: Any = False) -> Any:
    """The value, or another where it is missing, null, false, or empty."""
    if value is False:
        return value if allow_false is True else other
    absent = value is None or value.__class__ in KINDS or (not value and isinstance(value, _TO_BE_FILLED))
    return other if absent else value


def register(env: Environment) -> None:
    """Add it."""
    env.add_filter("default", default)


__all__ = ["register"]
