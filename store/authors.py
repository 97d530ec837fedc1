"""Who is writing definitions: noted where the caller of a request is known, read where a revision is kept."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Final

ITSELF: Final = "sojourn"
"""The author of what no caller asked for: types that facts bring into being, documents of a new installation."""

_AUTHOR: ContextVar[str] = ContextVar("sojourn_author", default=ITSELF)


def note(name: str) -> None:
    """Have whatever this request writes from here on be written by the caller of that name."""
    _AUTHOR.set(name)


def author() -> str:
    """Who writes at present."""
    return _AUTHOR.get()


__all__ = ["ITSELF", "author", "note"]
