"""Items that a property or an expression chooses: where, find, has, and what is left of them (MSG-11)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from liquid import Environment
from liquid.builtin.expressions.logical import is_truthy
from liquid.filter import with_context

from rendering.comparing import equal
from rendering.filters.expressions import evaluated
from rendering.filters.inputs import items, reader

_ANY = object()


def _matching(value: Any, path: Any, wanted: Any) -> Iterator[tuple[int, Any, bool]]:
    read = reader(path)
    for place, item in enumerate(items(value)):
        found = read(item)
        yield place, item, is_truthy(found) if wanted is _ANY else equal(found, wanted)


def _choosing(value: Any, name: Any, expression: Any, context: Any) -> Iterator[tuple[int, Any, bool]]:
    chosen = evaluated(name, expression, context)
    for place, item in enumerate(items(value)):
        yield place, item, is_truthy(chosen(item))


def where(value: Any, path: Any, wanted: Any = _ANY) -> list[Any]:
    """The items whose property is that value, or says yes."""
    return [item for _, item, fits in _matching(value, path, wanted) if fits]


def where_not(value: Any, path: Any, wanted: Any = _ANY) -> list[Any]:
    """The items whose property is not that value, or says no."""
    return [item for _, item, fits in _matching(value, path, wanted) if not fits]


def find(value: Any, path: Any, wanted: Any = _ANY) -> Any:
    """The first item whose property is that value; null where there is none."""
    return next((item for _, item, fits in _matching(value, path, wanted) if fits), None)


def find_index(value: Any, path: Any, wanted: Any = _ANY) -> Any:
    """The place of that item, counted from 0."""
    return next((place for place, _, fits in _matching(value, path, wanted) if fits), None)


def has(value: Any, path: Any, wanted: Any = _ANY) -> bool:
    """Whether there is such an item."""
    return any(fits for _, _, fits in _matching(value, path, wanted))


@with_context
def where_exp(value: Any, name: Any, expression: Any, *, context: Any) -> list[Any]:
    """The items for which an expression holds, in which they go by that name."""
    return [item for _, item, fits in _choosing(value, name, expression, context) if fits]


@with_context
def where_not_exp(value: Any, name: Any, expression: Any, *, context: Any) -> list[Any]:
    """The items for which it does not."""
    return [item for _, item, fits in _choosing(value, name, expression, context) if not fits]


@with_context
def find_exp(value: Any, name: Any, expression: Any, *, context: Any) -> Any:
    """The first item for which an expression holds; null where there is none."""
    return next((item for _, item, fits in _choosing(value, name, expression, context) if fits), None)


@with_context
def find_index_exp(value: Any, name: Any, expression: Any, *, context: Any) -> Any:
    """The place of that item, counted from 0."""
    return next((place for place, _, fits in _choosing(value, name, expression, context) if fits), None)


@with_context
def has_exp(value: Any, name: Any, expression: Any, *, context: Any) -> bool:
    """Whether there is such an item."""
    return any(fits for _, _, fits in _choosing(value, name, expression, context))


def register(env: Environment) -> None:
    """Add them."""
    functions: tuple[Callable[..., Any], ...] = (where, where_not, find, find_index, has)
    functions += (where_exp, where_not_exp, find_exp, find_index_exp, has_exp)
    for function in functions:
        env.add_filter(function.__name__, function)
    env.add_filter("reject", where_not)
    env.add_filter("reject_exp", where_not_exp)


__all__ = ["register"]
