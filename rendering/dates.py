"""The `date` filter: epochs and dates in a format and a zone (MSG-12)."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from email.utils import parsedate_to_datetime
from typing import Any

from domain.values import EPOCH, as_number
from domain.zones import zone_named
from rendering.errors import RenderError
from rendering.printing import printed

_FORMATS = (
    "%B %d, %Y",
    "%b %d, %Y",
    "%d %B %Y",
    "%d %b %Y",
    "%Y/%m/%d",
    "%m/%d/%Y",
    "%Y-%m-%d %H:%M:%S %z",
    "%Y-%m-%d %H:%M:%S UTC",
)
_DAY = 24 * 60
_DIRECTIVE = re.compile(r"%[-_0^#]?[A-Za-z%+]")
_NUMERIC_ZONE = re.compile(r"[+-]?[0-9]{1,4}")
_MAX_FORMAT = 500


def format_date(value: Any, pattern: Any, zone: Any, now: datetime) -> str:
    """The instant of a value in a format (strftime as Ruby has it); what is no date comes back as it is."""
    instant = _instant(value, now)
    if instant is None:
        return printed(value)
    local = instant.astimezone(_zone(zone)) if zone is not None else instant
    text = printed(pattern)
    if len(text) > _MAX_FORMAT:
        raise RenderError("A date format is longer than 500 characters")
    return _DIRECTIVE.sub(lambda found: _directive(local, found[0]), text)


def _directive(instant: datetime, directive: str) -> str:
    if directive == "%s":
        return str(math.floor((instant - EPOCH).total_seconds()))
    if directive == "%L":
        return f"{instant.microsecond // 1000:03d}"
    return instant.strftime(directive)


def _instant(value: Any, now: datetime) -> datetime | None:
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


def _zone(zone: Any) -> tzinfo:
    """A zone by its IANA name, or as minutes west of Greenwich, which is how JavaScript counts."""
    if isinstance(zone, str) and not _NUMERIC_ZONE.fullmatch(zone):
        found = zone_named(zone)
        if found is None:
            raise RenderError(f"'{zone}' is not a time zone")
        return found
    minutes = as_number(zone)
    if minutes is None or not -_DAY < minutes < _DAY:
        raise RenderError(f"'{printed(zone)}' is not a time zone")
    return timezone(timedelta(minutes=-minutes))


__all__ = ["format_date"]
