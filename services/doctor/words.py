"""How exceptions are told in one line."""

from __future__ import annotations

import contextlib

LONGEST = 300


def said(error: BaseException) -> str:
    """An exception in one line, its kind where it says nothing."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    with contextlib.suppress(Exception):
        text = " ".join(str(error).split())
        if text:
            return text[:LONGEST]
    return type(error).__name__


__all__ = ["said"]
