"""Text: joining, cutting, cases, replacing (MSG-09)."""

from __future__ import annotations

import re
from typing import Any, Final

from liquid import Environment

from rendering.filters.guard import MAX_TEXT, too_long, wrong_type
from rendering.filters.inputs import of_text, whole
from rendering.printing import printed

_SPACE: Final = re.compile(r"\s+")
_LINE_END: Final = re.compile(r"\r?\n")


@of_text
def append(text: str, more: str) -> str:
    """The text with another behind it."""
    return text + more


@of_text
def prepend(text: str, more: str) -> str:
    """The text with another before it."""
    return more + text


@of_text
def upcase(text: str) -> str:
    """All letters large."""
    return text.upper()


@of_text
def downcase(text: str) -> str:
    """All letters small."""
    return text.lower()


@of_text
def capitalize(text: str) -> str:
    """The first letter large, the rest small."""
    return text[:1].upper() + text[1:].lower()


@of_text
def strip(text: str) -> str:
    """Without white space on both ends."""
    return text.strip()


@of_text
def lstrip(text: str) -> str:
    """Without white space before it."""
    return text.lstrip()


@of_text
def rstrip(text: str) -> str:
    """Without white space behind it."""
    return text.rstrip()


@of_text
def strip_newlines(text: str) -> str:
    """Without line ends."""
    return _LINE_END.sub("", text)


@of_text
def newline_to_br(text: str) -> str:
    """With an HTML line break at every line end."""
    if text.count("\n") * 6 + len(text) > MAX_TEXT:
        raise too_long()
    return _LINE_END.sub("<br />\n", text)


@of_text
def normalize_whitespace(text: str) -> str:
    """With one space for every run of white space."""
    return _SPACE.sub(" ", text)


@of_text
def squish(text: str) -> str:
    """The same, and none on both ends."""
    return " ".join(text.split())


@of_text
def replace(text: str, old: str, new: str = "") -> str:
    """With another text wherever the old one stood."""
    count = text.count(old) if old else max(len(text) - 1, 0)
    if len(text) + count * (len(new) - len(old)) > MAX_TEXT:
        raise too_long()
    return text.replace(old, new) if old else new.join(text)


@of_text
def replace_first(text: str, old: str, new: str = "") -> str:
    """With another text where the old one stood first."""
    return text.replace(old, new, 1)


@of_text
def replace_last(text: str, old: str, new: str = "") -> str:
    """With another text where the old one stood last."""
    at = text.rfind(old)
    return text if at < 0 else text[:at] + new + text[at + len(old) :]


@of_text
def remove(text: str, old: str) -> str:
    """Without a text, wherever it stood."""
    return text.replace(old, "")


@of_text
def remove_first(text: str, old: str) -> str:
    """Without the first of it."""
    return text.replace(old, "", 1)


@of_text
def remove_last(text: str, old: str) -> str:
    """Without the last of it."""
    return str(replace_last(text, old, ""))


@of_text
def split(text: str, separator: str = "") -> list[str]:
    """The parts between separators, or the letters; empty ones at the end fall away."""
    parts = text.split(separator) if separator else list(text)
    while parts and not parts[-1]:
        parts.pop()
    return parts


def slice_(value: Any, start: Any, length: Any = 1) -> Any:
    """A part of a text or an array; a negative start counts from the end."""
    if isinstance(value, dict):
        raise wrong_type()
    source = value if isinstance(value, list | tuple) else printed(value)
    begin, count = whole(start), max(whole(length), 0)
    if begin < 0:
        begin += len(source)
    part = source[begin : begin + count] if 0 <= begin <= len(source) else source[:0]
    return list(part) if isinstance(part, tuple) else part


def truncate(value: Any, length: Any = 50, ending: Any = "...") -> str:
    """A text cut so that it is, with its ending, no longer than that."""
    text, most, end = printed(value), whole(length), printed(ending)
    return text if len(text) <= most else text[: max(most - len(end), 0)] + end


def truncatewords(value: Any, count: Any = 15, ending: Any = "...") -> str:
    """The first words of a text."""
    words, most = printed(value).split(), max(whole(count), 1)
    return printed(value) if len(words) <= most else " ".join(words[:most]) + printed(ending)


def register(env: Environment) -> None:
    """Add them."""
    for function in (
        append,
        prepend,
        upcase,
        downcase,
        capitalize,
        strip,
        lstrip,
        rstrip,
        strip_newlines,
        newline_to_br,
        normalize_whitespace,
        squish,
        replace,
        replace_first,
        replace_last,
        remove,
        remove_first,
        remove_last,
        split,
        truncate,
        truncatewords,
    ):
        env.add_filter(function.__name__, function)
    env.add_filter("slice", slice_)


__all__ = ["register"]
