"""Points at which a test can have the process die, as a power cut would: `SOJOURN_FAULT=<name>[:n]`, the n-th time."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass

VARIABLE = "SOJOURN_FAULT"


@dataclass
class Armed:
    """The point that kills and how often it is passed before it does."""

    name: str
    left: int = 1


def armed(text: str | None) -> Armed | None:
    """What the variable asks for; raises ValueError where its number is none."""
    if not text:
        return None
    name, _, count = text.partition(":")
    return Armed(name, int(count) if count else 1)


_armed = armed(os.environ.get(VARIABLE))


def point(name: str) -> None:
    """Die here if this is the point and the time that was asked for; nothing otherwise."""
    if _armed is None or _armed.name != name:
        return
    _armed.left -= 1
    if _armed.left <= 0:
        os.kill(os.getpid(), signal.SIGKILL)


__all__ = ["VARIABLE", "Armed", "armed", "point"]
