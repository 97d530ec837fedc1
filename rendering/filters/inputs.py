"""How filters read what they are given: numbers, texts, arrays, properties of objects (MSG-06, MSG-10, MSG-11)."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from decimal import Decimal
from functools import wraps
from typing import Any, Final

from liquid.undefined import Undefined

from domain.values import as_number
from rendering.filters.guard import Filter, wrong_type
from rendering.printing import printed

_NUMBER: Final = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
_LONGEST_NUMBER: Final = 300


def of_text(function: Filter) -> Filter:
    """A filter of texts: whatever it is given is printed first, as the template would print it, and so is every argument."""

    @wraps(function)
    def filtered(value: Any, *args: Any, **options: Any) -> Any:
        text = value if value.__class__ is str else printed(value)
        return function(text, *map(printed, args), **options) if args or options else function(text)

    return filtered


def of_numbers(function: Filter) -> Filter:
    """A filter of numbers: what is none counts as 0, and so it is with every argument."""

    @wraps(function)
    def filtered(value: Any, *args: Any) -> Any:
        return function(number(value), *map(number, args))

    return filtered


def of_array(function: Filter) -> Filter:
    """A filter of arrays: nothing is an empty one, an object stands for itself alone."""

    @wraps(function)
    def filtered(value: Any, *args: Any, **options: Any) -> Any:
        return function(items(value), *args, **options)

    return filtered


def number_in(value: Any) -> float | None:
    """The number that a value is or says, None where it says none."""
    if isinstance(value, str):
        text = value.strip()
        exact = as_number(text)
        if exact is not None or len(text) > _LONGEST_NUMBER or _NUMBER.fullmatch(text) is None:
            return exact
        found = float(text)
        return found if math.isfinite(found) else None
    return as_number(value)


def number(value: Any) -> float:
    """The number that a value is or says, 0 for what says none; arrays and objects are of no use."""
    if isinstance(value, list | tuple | dict | Mapping):
        raise wrong_type()
    return number_in(value) or 0


def whole(value: Any) -> int:
    """A number of things, without its fraction."""
    return int(number(value))


def exact(value: float) -> Decimal:
    """A number as it is written, so that 0.1 and 0.2 make 0.3."""
    return Decimal(repr(value)) if isinstance(value, float) else Decimal(value)


def items(value: Any) -> list[Any]:
    """The items of an array; texts and numbers are of no use."""
    if isinstance(value, list):
        return value
    if value is None:
        return []
    if isinstance(value, tuple):
        return list(value)
    if isinstance(value, Mapping) and not isinstance(value, Undefined):
        return [value]
    raise wrong_type()


def reader(path: Any) -> Any:
    """What reads a property of items, dotted paths included; null where an item does not have it."""
    name = printed(path)
    parts = name.split(".") if "." in name else None

    def read(item: Any) -> Any:
        found = _property(item, name)
        if found is not None or parts is None:
            return found
        for part in parts:
            item = _property(item, part)
            if item is None:
                return None
        return item

    return read


def _property(item: Any, name: str) -> Any:
    if isinstance(item, Mapping):
        return item[name] if name in item else len(item) if name == "size" else None
    if isinstance(item, list | tuple):
        if name == "size":
            return len(item)
        index = {"first": 0, "last": -1}.get(name)
        if index is None and name.lstrip("-").isdecimal() and len(name) < 10:
            index = int(name)
        return item[index] if index is not None and -len(item) <= index < len(item) else None
    return len(item) if name == "size" and isinstance(item, str) else None


__all__ = ["exact", "items", "number", "number_in", "of_array", "of_numbers", "of_text", "reader", "whole"]
