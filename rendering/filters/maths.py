"""Arithmetic: texts that say numbers count as these, everything else as 0 (MSG-10)."""

from __future__ import annotations

import math
import secrets
from collections.abc import Iterable
from decimal import ROUND_FLOOR, Decimal
from typing import Any, Final

from liquid import Environment
from liquid.exceptions import FilterError

from rendering.filters.inputs import exact, items, number, number_in, of_numbers, reader

_PLACES: Final = 20


@of_numbers
def plus(one: float, other: float) -> float:
    """The sum."""
    if isinstance(one, int) and isinstance(other, int):
        return one + other
    return float(exact(one) + exact(other))


@of_numbers
def minus(one: float, other: float) -> float:
    """The difference."""
    if isinstance(one, int) and isinstance(other, int):
        return one - other
    return float(exact(one) - exact(other))


@of_numbers
def times(one: float, other: float) -> float:
    """The product."""
    if isinstance(one, int) and isinstance(other, int):
        return one * other
    return float(exact(one) * exact(other))


@of_numbers
def divided_by(one: float, other: float) -> float:
    """The quotient; of two whole numbers the whole one below it."""
    if other == 0:
        raise FilterError("divided_by cannot divide by 0", token=None)
    if isinstance(one, int) and isinstance(other, int):
        return one // other
    return one / other


@of_numbers
def modulo(one: float, other: float) -> float:
    """The remainder, never negative for a positive divisor."""
    if other == 0:
        raise FilterError("modulo cannot divide by 0", token=None)
    if isinstance(one, int) and isinstance(other, int):
        return one % other
    first, second = exact(one), exact(other)
    return float((first % second + second) % second)


@of_numbers
def abs_(value: float) -> float:
    """The number without its sign."""
    return abs(value)


@of_numbers
def ceil(value: float) -> int:
    """The next whole number above."""
    return math.ceil(value)


@of_numbers
def floor(value: float) -> int:
    """The next whole number below."""
    return math.floor(value)


@of_numbers
def round_(value: float, places: float = 0) -> float:
    """The number with so many places, halves upwards."""
    digits = max(-_PLACES, min(_PLACES, int(places)))
    if isinstance(value, int) and digits >= 0:
        return value
    step = Decimal(1).scaleb(-digits)
    scaled = (exact(value) / step + Decimal("0.5")).to_integral_value(ROUND_FLOOR)
    return int(scaled * step) if digits <= 0 else float(scaled * step)


@of_numbers
def at_least(value: float, least: float) -> float:
    """The number, or the least it may be."""
    return max(value, least)


@of_numbers
def at_most(value: float, most: float) -> float:
    """The number, or the most it may be."""
    return min(value, most)


def sum_(value: Any, path: Any = None) -> float:
    """All numbers of an array, or of a property of its items; what is none counts as 0."""
    read = reader(path) if path is not None else None
    return _total(number_in(item if read is None else read(item)) or 0 for item in items(value))


def _total(numbers: Iterable[float]) -> float:
    whole, parts = 0, Decimal(0)
    fractional = False
    for one in numbers:
        if isinstance(one, int):
            whole += one
        else:
            parts, fractional = parts + exact(one), True
    return float(parts + whole) if fractional else whole


def random(value: Any) -> int:
    """A whole number from 0 to the value, both included; each render draws anew."""
    most = number(value)
    if most != int(most) or not 0 <= most <= 1_000_000_000:
        raise FilterError("random takes a whole number from 0 to 1000000000", token=None)
    return secrets.randbelow(int(most) + 1)


def register(env: Environment) -> None:
    """Add them."""
    for function in (plus, minus, times, divided_by, modulo, ceil, floor, at_least, at_most, random):
        env.add_filter(function.__name__, function)
    for name, function in {"abs": abs_, "round": round_, "sum": sum_}.items():
        env.add_filter(name, function)


__all__ = ["register"]
