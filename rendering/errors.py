"""What a template does when it cannot be rendered, and how that is told."""

from __future__ import annotations

import re
from typing import Final

from liquid.exceptions import LiquidError

from domain.sending_domains import NOT_OURS

FAULTS: Final = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError, MemoryError)
"""What python-liquid lets through when data is not what a filter expects."""

_UNKNOWN_TAG = re.compile(r"unexpected tag '([^']*)'|unknown tag '?([^',]*)'?")
_UNCLOSED = re.compile(r"expected tag '?end(\w+)'?, found")
_UNKNOWN_FILTER = re.compile(r"unknown filter '([^']*)'")


class RenderError(Exception):
    """A template failed on the data it was given; `field` is the part of the message it stands in, where known."""

    def __init__(self, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.field = field

    def inside(self, field: str) -> RenderError:
        """The same failure, told with the part of the message it happened in."""
        return self if self.field is not None else RenderError(self.message, field)

    def __str__(self) -> str:
        return self.message if self.field is None else f"{self.message} (in {self.field})"


class SenderNotOurs(RenderError):
    """The message came about, from an address that the workspace must not send from (MSG-18)."""

    def __init__(self) -> None:
        super().__init__(NOT_OURS, "from")

    def __str__(self) -> str:
        return self.message


def in_words(fault: Exception) -> str:
    """What went wrong, in the words of the composer (MSG-35), with the line where that is not the first."""
    if isinstance(fault, RecursionError):
        return "The template is nested too deeply"
    if not isinstance(fault, LiquidError):
        return "A filter cannot work with the data it is given"
    if isinstance(fault.__cause__, RecursionError):
        return "The template is nested too deeply"
    message = str(fault.message or "The template cannot be read").strip().rstrip(".")
    for pattern, words in (
        (_UNKNOWN_TAG, "Unknown tag '{}'"),
        (_UNCLOSED, "{} tag was never closed"),
        (_UNKNOWN_FILTER, "Unknown filter '{}'"),
    ):
        found = pattern.search(message)
        if found is not None:
            message = words.format(next(filter(None, found.groups()), ""))
    line = _line_of(fault)
    return message if line is None or line == 1 else f"{message}, line {line}"


def _line_of(fault: LiquidError) -> int | None:
    try:
        where = fault.context()
    except ValueError:
        return None
    return where[0] if where is not None else None


__all__ = ["FAULTS", "RenderError", "SenderNotOurs", "in_words"]
