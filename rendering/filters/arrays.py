"""Arrays: their size, their ends, their items one by one (MSG-11)."""

from __future__ import annotations

from collections.abc import Mapping, Sized
from typing import Any

from liquid import Environment

from rendering.filters.guard import MAX_TEXT, too_long
from rendering.filters.inputs import items, of_array, reader, whole
from rendering.printing import printed
from rendering.weights import gathered


def size(value: Any) -> int:
    """How many items, or letters."""
    return len(value) if isinstance(value, Sized) else 0


def first(value: Any) -> Any:
    """The first item, or letter."""
    if isinstance(value, Mapping):
        return next(([key, item] for key, item in value.items()), None)
    source = value if isinstance(value, str) else items(value)
    return source[0] if source else None


def last(value: Any) -> Any:
    """The last item, or letter."""
    source = value if isinstance(value, str) else items(value)
    return source[-1] if source else None


def join(value: Any, separator: Any = " ") -> str:
    """All items as one text."""
    listed = value if isinstance(value, list | tuple) else [value]
    texts, between = [printed(item) for item in listed], printed(separator)
    if sum(map(len, texts)) + len(texts) * len(between) > MAX_TEXT:
        raise too_long()
    return between.join(texts)


@of_array
def map_(listed: list[Any], path: Any) -> list[Any]:
    """A property of every item; null where an item does not have it."""
    return list(map(reader(path), listed))


@of_array
def compact(listed: list[Any], path: Any = None) -> list[Any]:
    """The items without nulls, or without those whose property is null."""
    read = reader(path) if path is not None else None
    return [item for item in listed if (item if read is None else read(item)) is not None]


@of_array
def limit(listed: list[Any], most: Any) -> list[Any]:
    """The first so many items."""
    return listed[: max(whole(most), 0)]


@of_array
def concat(listed: list[Any], more: Any) -> list[Any]:
    """The items of two arrays; anything else counts as one item."""
    other = [] if more is None else list(more) if isinstance(more, list | tuple) else [more]
    return gathered([*listed, *other])


@of_array
def push(listed: list[Any], item: Any) -> list[Any]:
    """The items with one more behind them."""
    return gathered([*listed, item])


@of_array
def unshift(listed: list[Any], item: Any) -> list[Any]:
    """The items with one more before them."""
    return gathered([item, *listed])


@of_array
def pop(listed: list[Any]) -> list[Any]:
    """The items without the last."""
    return listed[:-1]


@of_array
def shift(listed: list[Any]) -> list[Any]:
    """The items without the first."""
    return listed[1:]


def register(env: Environment) -> None:
    """Add them."""
    for function in (size, first, last, join, compact, limit, concat, push, unshift, pop, shift):
        env.add_filter(function.__name__, function)
    env.add_filter("map", map_)


__all__ = ["register"]
