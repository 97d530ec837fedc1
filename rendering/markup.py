"""HTML as a run of tags and text: enough to rewrite links and to read a message aloud, and quick enough to do so per mail."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

ATTRIBUTES: Final = r"""[^<>"']*(?:(?:"[^"]*"|'[^']*')[^<>"']*)*"""
"""What stands between a tag's name and its end, as a pattern."""
UNSAID: Final = r"!(?:--.*?(?:-->|\Z)|\[?[^>]*>)"
"""Comments, conditional ones included, and declarations, behind their `<`, as a pattern."""
COMMENTS: Final = f"<{UNSAID}"
"""The same with it."""
RAW: Final = "script|style|textarea|title|xmp"
"""Elements in which what looks like a tag is text."""

_TOKEN: Final = re.compile(
    rf"{COMMENTS}|<(?P<close>/?)(?P<name>[A-Za-z][A-Za-z0-9:-]*)(?P<attributes>{ATTRIBUTES})>", re.DOTALL
)
_LINK: Final = re.compile(
    rf"{COMMENTS}|<(?P<raw>{RAW})(?=[\s/>]){ATTRIBUTES}>.*?(?:</(?P=raw)(?=[\s/>])|\Z)"
    rf"|<(?:a|area)(?=[\s/>])(?P<attributes>{ATTRIBUTES})>",
    re.DOTALL | re.IGNORECASE,
)
_ATTRIBUTE: Final = re.compile(r"""([^\s"'<>/=]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'<>]+)))?""")
_ENDS: Final = {name: re.compile(rf"</{name}(?=[\s/>])", re.IGNORECASE) for name in RAW.split("|")}


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
    """Every tag in order, without comments, declarations, and what only looks like a tag because it is text."""
    position = 0
    while True:
        for found in _TOKEN.finditer(html, position):
            name = found["name"]
            if name is None:
                continue
            word, closes = name.lower(), bool(found["close"])
            yield Tag(*found.span(), word, closes, found["attributes"], found.start("attributes"))
            if not closes and word in _ENDS:
                ending = _ENDS[word].search(html, found.end())
                if ending is None:
                    return
                position = ending.start()
                break
        else:
            return


def links(html: str) -> Iterator[tuple[int, str]]:
    """Where the attributes of every link begin, and their source."""
    for found in _LINK.finditer(html):
        if (source := found["attributes"]) is not None:
            yield found.start("attributes"), source


def attributes(source: str) -> Iterator[Attribute]:
    """The attributes of a tag, names in lower case."""
    for found in _ATTRIBUTE.finditer(source):
        group = found.lastindex or 1
        value, (start, end) = (found[group], found.span(group)) if group > 1 else ("", (found.end(), found.end()))
        yield Attribute(found[1].lower(), value, start, end, found.span())


def attribute(source: str, name: str) -> str | None:
    """The value of one attribute of a tag as it stands in the source; None where the tag has it not."""
    for written, double, single, bare in _ATTRIBUTE.findall(source):
        if written == name or written.lower() == name:
            return double or single or bare  # type: ignore[no-any-return]
    return None


__all__ = ["ATTRIBUTES", "COMMENTS", "RAW", "UNSAID", "Attribute", "Tag", "attribute", "attributes", "links", "tags"]
