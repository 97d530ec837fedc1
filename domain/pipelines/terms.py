"""Under which terms a Pipelines message is read: its source, its workspace, the time of its receipt."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

MOST_ATTRIBUTES: Final = 300
MESSAGE_BYTES: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class Terms:
    """What reading depends on besides the message.

    `received` is the workspace's time, which in a `sandbox` stands still; `scope` the source within which message ids are
    unique. A `client_side` source has its key in the hands of everybody, so what destroys is not done for it (API-35).
    `blocked` are names of events that are not wanted from the source (API-40).
    """

    received: datetime
    scope: str
    sandbox: bool = False
    strict: bool = False
    client_side: bool = False
    blocked: frozenset[str] = frozenset()
    email_identifies: bool = True
    aliases: bool = False
    most_attributes: int = MOST_ATTRIBUTES


__all__ = ["MESSAGE_BYTES", "MOST_ATTRIBUTES", "Terms"]
