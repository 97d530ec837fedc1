"""Arrays in another order, and each item once (MSG-11)."""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable
from typing import Any

from liquid import Environment

from rendering.filters.inputs import number_in, of_array, reader
from rendering.printing import printed


@of_array
def reverse(listed: list[Any]) -> list[Any]:
    """The last item first."""
    return listed[::-1]


@of_array
def sort(listed: list[Any], path: Any = None) -> list[Any]:
    """In ascending order, large letters before small; as they are, where there is a null among them."""
    return _sorted(listed, path, printed)


@of_array
def sort_natural(listed: list[Any], path: Any = None) -> list[Any]:
    """The same, whatever the case of letters."""
    return _sorted(listed, path, lambda value: printed(value).casefold())


def _sorted(listed: list[Any], path: Any, text: Callable[[Any], str]) -> list[Any]:
    read = reader(path) if path is not None else None
    values = [item if read is None else read(item) for item in listed]
    if any(value is None for value in values):
        return list(listed)
    numbers = [number_in(value) for value in values]
    if all(one is not None for one in numbers) and not all(isinstance(value, str) for value in values):
        keys: list[Any] = numbers
    else:
        keys = [
            (0, one, "") if isinstance(value, int | float) and one is not None else (1, 0, text(value))
            for value, one in zip(values, numbers, strict=True)
        ]
    return [listed[place] for place in sorted(range(len(listed)), key=keys.__getitem__)]


@of_array
def uniq(listed: list[Any], path: Any = None) -> list[Any]:
    """The first of each value, or of each value of a property."""
    read = reader(path) if path is not None else None
    found: dict[Hashable, Any] = {}
    for item in listed:
        found.setdefault(identity(item if read is None else read(item)), item)
    return list(found.values())


@of_array
def json_array_uniq(listed: list[Any], path: Any) -> list[Any]:
    """The first object of each value of a key."""
    read = reader(path)
    found: dict[Hashable, Any] = {}
    for item in listed:
        found.setdefault(identity(read(item)), item)
    return list(found.values())


def identity(value: Any) -> Hashable:
    """What is the same for values that are: 1 and 1.0 are, 1 and "1" are not."""
    if isinstance(value, bool):
        return ("boolean", value)
    if value is None or isinstance(value, str | int | float):
        return value
    return ("json", json.dumps(value, sort_keys=True, default=printed))


def register(env: Environment) -> None:
    """Add them."""
    for function in (reverse, sort, sort_natural, uniq, json_array_uniq):
        env.add_filter(function.__name__, function)


__all__ = ["identity", "register"]
