"""Items put together by a property or an expression, as groups of a `name` and their `items` (MSG-11)."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

from liquid import Environment
from liquid.filter import with_context

from rendering.filters.expressions import evaluated
from rendering.filters.inputs import items, reader
from rendering.filters.ordering import identity


def group_by(value: Any, path: Any) -> list[Any]:
    """The groups by a property, in the order in which they first appear."""
    return _grouped(items(value), reader(path))


@with_context
def group_by_exp(value: Any, name: Any, expression: Any, *, context: Any) -> list[Any]:
    """The groups by an expression, in which items go by that name."""
    return _grouped(items(value), evaluated(name, expression, context))


def _grouped(listed: list[Any], key_of: Callable[[Any], Any]) -> list[Any]:
    groups: dict[Hashable, dict[str, Any]] = {}
    for item in listed:
        key = key_of(item)
        groups.setdefault(identity(key), {"name": key, "items": []})["items"].append(item)
    return list(groups.values())


def register(env: Environment) -> None:
    """Add them."""
    env.add_filter("group_by", group_by)
    env.add_filter("group_by_exp", group_by_exp)


__all__ = ["register"]
