"""The snippets that a template names, found by reading it (MSG-15)."""

from __future__ import annotations

from collections.abc import Iterator

from rendering.liquid import paths
from rendering.running import SNIPPETS


def names_in(source: str, *, unnamed: bool = False) -> Iterator[str]:
    """The names, in the order of their places; with `unnamed`, an empty one wherever which is meant only shows later."""
    for path in paths(source, SNIPPETS):
        if len(path) > 1 and isinstance(path[1], str):
            yield path[1]
        elif unnamed:
            yield ""


__all__ = ["names_in"]
