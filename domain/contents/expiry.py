"""Until when a message in an app or an inbox can be seen: a span after sending, an instant, or Liquid giving either."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final

from pydantic import ValidatorFunctionWrapHandler, WrapValidator
from pydantic_core import PydanticCustomError

from domain.documents import Refusal, refused
from domain.durations import parse_duration
from domain.values import FIRST_TIMESTAMP, LAST_TIMESTAMP, from_unix

LONGEST: Final = timedelta(days=60)
_LIQUID: Final = ("{{", "{%")


def _read_expiry(value: Any, _handler: ValidatorFunctionWrapHandler) -> str | int:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise refused(Refusal("type", "Give a duration such as P30D, a Unix time, or Liquid.", (), value))
    if isinstance(value, str) and not value:
        raise refused(Refusal("length", "Give a duration such as P30D, a Unix time, or Liquid.", (), value))
    if not (isinstance(value, str) and any(mark in value for mark in _LIQUID)) and _read(value) is None:
        raise refused(Refusal("format", "Not a duration such as P30D, nor a Unix time.", (), value))
    return value


Expiry = Annotated[str | int, WrapValidator(_read_expiry)]
"""A span or an instant as authored; without Liquid it must make sense when it is saved."""


def expires_at(value: str | int, sent_at: datetime) -> datetime | None:
    """The instant that a rendered expiry means, sixty days after sending at most; None where it makes no sense."""
    read = _read(value)
    if read is None:
        return None
    try:
        until = sent_at + read if isinstance(read, timedelta) else read
    except OverflowError:
        return sent_at + LONGEST
    return min(until, sent_at + LONGEST)


def _read(value: str | int) -> timedelta | datetime | None:
    """A number of less than a hundred million is a span in seconds, a larger one an instant."""
    text = str(value).strip()
    if text.isascii() and text.isdecimal() and len(text) <= len(str(LAST_TIMESTAMP)):
        number = int(text)
        if number < FIRST_TIMESTAMP:
            return timedelta(seconds=number)
        return from_unix(number) if number <= LAST_TIMESTAMP else None
    try:
        return parse_duration(text)
    except PydanticCustomError:
        pass
    try:
        instant = datetime.fromisoformat(text)
        return (instant if instant.tzinfo is not None else instant.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


__all__ = ["LONGEST", "Expiry", "expires_at"]
