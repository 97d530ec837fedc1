"""Cursors: where the page before ended, as an opaque text."""

from __future__ import annotations

import base64
import binascii
from datetime import datetime, timedelta
from typing import Any

import orjson

from domain.errors import DomainError
from domain.values import EPOCH

MICROSECOND = timedelta(microseconds=1)
LONGEST = 10_000
"""Room for the longest name, of 1000 bytes, each of them escaped."""
LAST_MICROS = 253_402_300_799_000_000
LARGEST = 2**63 - 1
"""The largest number that a column holds."""


def encode(*parts: str | int) -> str:
    """A cursor that holds these parts."""
    return base64.urlsafe_b64encode(orjson.dumps(parts)).decode().rstrip("=")


def decode(text: str | None, *kinds: type[str | int]) -> list[Any] | None:
    """The parts of a cursor, None where there is none; raises DomainError `invalid_parameter` for one that is not ours."""
    if not text:
        return None
    try:
        if len(text) > LONGEST:
            raise _foreign()
        parts = orjson.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (binascii.Error, ValueError):
        raise _foreign() from None
    if not isinstance(parts, list) or [type(part) for part in parts] != list(kinds):
        raise _foreign()
    if any("\x00" in part if isinstance(part, str) else abs(part) > LARGEST for part in parts):
        raise _foreign()
    return parts


def micros(instant: datetime) -> int:
    """Microseconds since 1970, as cursors hold instants."""
    return (instant - EPOCH) // MICROSECOND


def instant(micro_seconds: int) -> datetime:
    """The instant of a number of microseconds taken from a cursor."""
    if not 0 <= micro_seconds <= LAST_MICROS:
        raise _foreign()
    return EPOCH + micro_seconds * MICROSECOND


def _foreign() -> DomainError:
    return DomainError("invalid_parameter", "`start` is the `next` of the page before.", "/start")


__all__ = ["decode", "encode", "instant", "micros"]
