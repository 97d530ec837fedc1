"""HTML as a run of tags and text: enough to rewrite links and to read a message aloud, and quick enough to do so per mail."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

_TOKEN: Final = re.compile(
    r"""<!--.*?(?:-->|\Z)|<!\[?[^>]*>|<(?P<close>/?)(?P<name>[A-Za-z][A-Za-z0-9:-]*)"""
    r"""(?P<attributes>(?:[^<>"']|"[^"]*"|'[^']*')*)>""",
    re.DOTALL,
)
_ATTRIBUTE: Final = re.compile(
    r"""(?P<name>[^\s"'<>/=]+)(?:\s*=\s*(?:"(?P<double>[^"]*)"|'(?P<single>[^']*)'|(?P<bare>[^\s"'<>]+)))?"""
)


class Tag(NamedTuple):
    """One tag: its place in the source, its name in lower case, and the source of its attributes."""

    start: int
    end: int
    name: str
    closes: bool
    attributes: str
    attributes_at: int


class Attribute(NamedTuple):
    """One attribute; `start` and `end` enclose the value without its quotes, counted in the attributes' source."""

    name: str
    value: str
    start: int
    end: int
    whole: tuple[int, int]


def tags(html: str) -> Iterator[Tag]:
    """Every tag in order; comments and declarations are called `!`."""
    for found in _TOKEN.finditer(html):
        name = found["name"]
        if name is None:
            yield Tag(found.start(), found.end(), "!", closes=False, attributes="", attributes_at=found.end())
        else:
            yield Tag(
                found.start(),
                found.end(),
                name.lower(),
                closes=bool(found["close"]),
                attributes=found["attributes"],
                attributes_at=found.start("attributes"),
            )


def attributes(source: str) -> Iterator[Attribute]:
    """The attributes of a tag, names in lower case."""
    for found in _ATTRIBUTE.finditer(source):
        group = next((name for name in ("double", "single", "bare") if found[name] is not None), None)
        start, end = found.span(group) if group is not None else (found.end(), found.end())
        yield Attribute(found["name"].lower(), found[group] if group is not None else "", start, end, found.span())


__all__ = ["Attribute", "Tag", "attributes", "tags"]
