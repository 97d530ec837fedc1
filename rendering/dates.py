"""The `date` filter: epochs and dates in a format and a zone (MSG-12)."""

from __future__ import annotations

import math
import re
from calendar import monthrange
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from domain.values import EPOCH, as_number
from rendering.errors import RenderError
from rendering.printing import printed
from rendering.zones import Zoned, zone_of

_FORMATS = (
    "%B %d, %Y",
    "%b %d, %Y",
    "%d %B %Y",
    "%d %b %Y",
    "%Y/%m/%d",
    "%m/%d/%Y",
    "%Y-%m-%d %H:%M:%S %z",
    "%Y-%m-%d %H:%M:%S UTC",
    "%B %d, %Y %H:%M",
    "%B %d, %Y %I:%M %p",
    "%m/%d/%Y %H:%M",
)
_DIRECTIVE = re.compile(r"%(?::z|[-_0^#]?[A-Za-z%+])")
_MAX_FORMAT = 500


def format_date(value: Any, pattern: Any, zone: Any, now: datetime) -> str:
    """The instant of a value in a format (strftime as Ruby has it); what is no date comes back as it is."""
    instant = instant_of(value, now)
    if instant is None:
        return printed(value)
    there = zone_of(zone) if zone is not None else value.zone if isinstance(value, Zoned) else UTC
    try:
        local = instant.astimezone(there)
    except OverflowError:
        return printed(value)
    text = printed(pattern)
    if len(text) > _MAX_FORMAT:
        raise RenderError("A date format is longer than 500 characters")
    return _DIRECTIVE.sub(lambda found: _directive(local, found[0]), text)


def _directive(instant: datetime, directive: str) -> str:
    if directive == "%s":
        return str(math.floor((instant - EPOCH).total_seconds()))
    if directive == "%L":
        return f"{instant.microsecond // 1000:03d}"
    if directive == "%:z":
        offset = instant.strftime("%z")
        return f"{offset[:3]}:{offset[3:5]}"
    return instant.strftime(directive)


def instant_of(value: Any, now: datetime) -> datetime | None:
    """The instant that a value says: seconds, a date in one of many forms, `now`; None where it says none."""
    if isinstance(value, str):
        return _from_text(value.strip(), now)
    number = as_number(value)
    return None if number is None else _from_seconds(number)


def _from_seconds(seconds: float) -> datetime | None:
    try:
        return EPOCH + timedelta(seconds=seconds)
    except OverflowError:
        return None


def _from_text(text: str, now: datetime) -> datetime | None:
    if text in ("now", "today"):
        return now.astimezone(UTC)
    number = as_number(text)
    if number is not None:
        return _from_seconds(number)
    if len(text) > 64:
        return None
    for read in (_iso, _mail_date, _spelled):
        found = read(text)
        if found is not None:
            return found if found.tzinfo is not None else found.replace(tzinfo=UTC)
    return None


def _iso(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _mail_date(text: str) -> datetime | None:
    try:
        return parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _spelled(text: str) -> datetime | None:
    for pattern in _FORMATS:
        try:
            return datetime.strptime(text, pattern)  # noqa: DTZ007 - a date without a zone is UTC (MSG-12)
        except ValueError:
            continue
    return None


def moved(instant: datetime, count: int, unit: str) -> datetime:
    """The same time of day some days, months or years away; the end of the month where it has no such day."""
    if unit == "day":
        return instant + timedelta(days=count)
    months = instant.year * 12 + instant.month - 1 + count * (12 if unit == "year" else 1)
    year, month = months // 12, months % 12 + 1
    if not 1 <= year <= 9999:
        raise OverflowError("there is no such year")
    return instant.replace(year=year, month=month, day=min(instant.day, monthrange(year, month)[1]))


__all__ = ["format_date", "instant_of", "moved"]
