"""How much a value holds: what templates build of values may hold itself over and over, and must not grow without end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from liquid.exceptions import ResourceLimitError

MOST_VALUES: Final = 200_000
"""How many values an array or object may hold that a template put together, those inside it counted as often as they print."""


class Gathered(list[Any]):
    """An array that a template put together, with what it holds."""

    weight: int = 0


class Composed(dict[str, Any]):
    """An object that a template put together, with what it holds."""

    weight: int = 0


def gathered(items: Iterable[Any]) -> Gathered:
    """An array of these values; raises ResourceLimitError where that is too much."""
    made = Gathered(items)
    made.weight = _within(sum(map(_weight, made)) + 1)
    return made


def composed(items: Mapping[str, Any]) -> Composed:
    """An object of these values; raises ResourceLimitError where that is too much."""
    made = Composed(items)
    made.weight = _within(sum(map(_weight, made.values())) + 1)
    return made


def _weight(value: Any) -> int:
    if isinstance(value, Gathered | Composed) and value.weight:
        return value.weight
    if isinstance(value, dict):
        return _within(sum(map(_weight, value.values())) + 1)
    if isinstance(value, list | tuple):
        return _within(sum(map(_weight, value)) + 1)
    return 1


def _within(weight: int) -> int:
    if weight > MOST_VALUES:
        raise ResourceLimitError("an array grows too large", token=None)
    return weight


__all__ = ["MOST_VALUES", "Composed", "Gathered", "composed", "gathered"]
