"""The registry of filters: one file per group, and the guard that all of them run behind (MSG-09 to MSG-12)."""

from __future__ import annotations

from typing import Final

from liquid import Environment

from rendering.filters import (
    arrays,
    dates,
    defaults,
    encoding,
    grouping,
    hashes,
    json_text,
    maths,
    money,
    ordering,
    searching,
    strings,
    words,
)
from rendering.filters.guard import MAX_ITEMS, MAX_TEXT, arguments_of, guarded

GROUPS: Final = (
    arrays,
    dates,
    defaults,
    encoding,
    grouping,
    hashes,
    json_text,
    maths,
    money,
    ordering,
    searching,
    strings,
    words,
)
"""What adds filters; a new group is its own file and one name here."""


def register(env: Environment) -> None:
    """Put the dialect's filters in the place of python-liquid's."""
    env.filters.clear()
    for group in GROUPS:
        group.register(env)
    for name, function in list(env.filters.items()):
        env.filters[name] = guarded(name, function)


__all__ = ["GROUPS", "MAX_ITEMS", "MAX_TEXT", "arguments_of", "register"]
