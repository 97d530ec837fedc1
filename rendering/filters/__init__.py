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
from rendering.filters.guard import MAX_ITEMS, MAX_TEXT, Filter, arguments_of, guarded

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


def plain(env: Environment) -> dict[str, Filter]:
    """The filters that need nothing but their input and their arguments."""
    marks = ("with_context", "with_environment")
    return {name: one for name, one in env.filters.items() if not any(getattr(one, mark, False) for mark in marks)}


__all__ = ["GROUPS", "MAX_ITEMS", "MAX_TEXT", "arguments_of", "plain", "register"]
