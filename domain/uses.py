"""What documents and their parts say of themselves: references to other documents, and templates."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from domain.problems import pointer_of


class Use(NamedTuple):
    """One reference from a document to another: the kind meant, its key or id, and where the reference stands.

    `block` is the block of a campaign that is meant, by key or action id.
    """

    kind: str
    ref: str | int
    pointer: str
    block: str | int | None = None


class Template(NamedTuple):
    """One Liquid template of a document and where it stands."""

    pointer: str
    source: str


def texts_in(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Every text inside a JSON value, with its path."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from texts_in(item, (*path, name))
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from texts_in(item, (*path, index))


def texts_below(value: Any, path: tuple[str | int, ...]) -> Iterator[Template]:
    """Every text inside a JSON value as a template."""
    for at, text in texts_in(value, path):
        yield Template(pointer_of(at), text)


__all__ = ["Template", "Use", "texts_below", "texts_in"]
