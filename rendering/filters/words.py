"""Words and sentences: titles, slugs, plurals, lists that people read (MSG-09)."""

from __future__ import annotations

import re
import unicodedata
from typing import Any, Final

from liquid import Environment

from rendering.filters.inputs import items, number, of_text
from rendering.printing import printed

_WORD: Final = re.compile(r"\S+")
_KEPT: Final = {
    "default": re.compile(r"[\W_]+"),
    "pretty": re.compile(r"[^\w._~!$&'()+,;=@]+|_+"),
    "ascii": re.compile(r"[^A-Za-z0-9]+"),
    "latin": re.compile(r"[^A-Za-z0-9]+"),
    "raw": re.compile(r"\s+"),
}
"""What a slug has hyphens for, by the name of the manner."""


@of_text
def titlecase(text: str) -> str:
    """Every word with a large first letter."""
    return _WORD.sub(lambda found: found[0][:1].upper() + found[0][1:].lower(), text)


@of_text
def slugify(text: str, manner: str = "default") -> str:
    """A text as a part of an address: small letters and digits, hyphens between them."""
    if manner == "none":
        return text
    if manner == "latin":
        text = "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))
    return _KEPT.get(manner, _KEPT["default"]).sub("-", text).strip("-").lower()


@of_text
def number_of_words(text: str) -> int:
    """How many words there are."""
    return len(text.split())


def pluralize(value: Any, one: Any, many: Any = None) -> str:
    """A number with the word for one thing or for several."""
    word = printed(one) if number(value) == 1 else f"{printed(one)}s" if many is None else printed(many)
    return f"{printed(value)} {word}"


def array_to_sentence_string(value: Any, connector: Any = "and") -> str:
    """The items as people list them: `a`, `a and b`, `a, b, and c`."""
    words, between = [printed(item) for item in items(value)], printed(connector)
    if len(words) < 3:
        return f" {between} ".join(words)
    return f"{', '.join(words[:-1])}, {between} {words[-1]}"


def register(env: Environment) -> None:
    """Add them."""
    for function in (titlecase, slugify, number_of_words, pluralize, array_to_sentence_string):
        env.add_filter(function.__name__, function)


__all__ = ["register"]
