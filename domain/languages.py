"""Which variant of a message somebody gets: by the language that was asked for, else by their own (MSG-31)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

_Said = TypeVar("_Said")


def choose(content: _Said, wanted: Iterable[object]) -> tuple[_Said, str | None]:
    """What is said, and in which language; None is the default. `wanted` are languages, the most wanted first.

    A variant is chosen whose code equals a wanted language but for case; there is no falling back from `nl-BE` to `nl`.
    """
    variants = getattr(content, "variants", None) or {}
    for language in wanted:
        if isinstance(language, str) and language.casefold() in variants:
            code, variant = variants[language.casefold()]
            return variant, code
    return content, None


__all__ = ["choose"]
