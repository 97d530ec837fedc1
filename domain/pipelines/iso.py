"""Dates in Pipelines data as Unix seconds, which conditions on timestamps need (API-29)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Final

from domain.values import to_unix

CREATED_AT: Final = "created_at"
MAX_TEXT: Final = 80

_ISO = re.compile(r"\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?(?:Z|[+-]\d\d:?\d\d)?)?", re.ASCII)
_MONTHS: Final = (
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
)
_DATES: Final = tuple(
    re.compile(rf"(?:[A-Za-z]{{3,9}},?\s+)?{date}", re.ASCII)
    for date in (
        r"(?P<day>\d{1,2})[\s-]+(?P<name>[A-Za-z]{3,9})\.?,?[\s-]+(?P<year>\d{4})",
        r"(?P<name>[A-Za-z]{3,9})\.?\s+(?P<day>\d{1,2}),?\s+(?P<year>\d{4})",
        r"(?P<month>\d{1,2})/(?P<day>\d{1,2})/(?P<year>\d{4})",
        r"(?P<year>\d{4})/(?P<month>\d{1,2})/(?P<day>\d{1,2})",
        r"(?P<year>\d{4})-(?P<month>\d{1,2})-(?P<day>\d{1,2})",
    )
)
_TIME = re.compile(
    r"(?:,?\s+(?P<hour>\d{1,2}):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:\.\d{1,3})?)?\s*(?P<half>[AaPp][Mm])?)?"
    r"\s*(?:(?:GMT|UTC|Z)?(?P<sign>[+-])(?P<hours>\d\d):?(?P<minutes>\d\d)|GMT|UTC|Z)?(?:\s*\([^()]*\))?",
    re.ASCII,
)


def converted(record: Mapping[str, Any], *, created_at: bool = False) -> dict[str, Any]:
    """The record with ISO 8601 texts as Unix seconds, in objects inside it too, in arrays not.

    With `created_at` the member of that name may be written in any of the ways JavaScript reads a date.
    """
    result = {name: _value(value) for name, value in record.items()}
    if created_at and isinstance(record.get(CREATED_AT), str):
        result[CREATED_AT] = lenient_seconds(record[CREATED_AT])
    return result


def seconds_of(text: str) -> int | None:
    """Unix seconds of an ISO 8601 date or date-time of at most three decimals, without an offset in UTC, else None."""
    if _ISO.fullmatch(text) is None:
        return None
    try:
        instant = datetime.fromisoformat(text)
        return to_unix(instant if instant.tzinfo is not None else instant.replace(tzinfo=UTC))
    except (ValueError, OverflowError):
        return None


def lenient_seconds(text: str) -> int | str:
    """The same for the usual other ways to write a date, without a zone in UTC; the text where it is none of them."""
    found = seconds_of(text)
    if found is not None:
        return found
    if len(text) > MAX_TEXT:
        return text
    for pattern in _DATES:
        date = pattern.match(text.strip())
        rest = _TIME.fullmatch(text.strip(), date.end()) if date is not None else None
        if date is not None and rest is not None:
            found = _built(date.groupdict(), rest.groupdict())
            return text if found is None else found
    return text


def _value(value: Any) -> Any:
    if isinstance(value, str):
        found = seconds_of(value)
        return value if found is None else found
    if isinstance(value, Mapping):
        return {name: _value(member) for name, member in value.items()}
    return value


def _built(date: Mapping[str, str | None], rest: Mapping[str, str | None]) -> int | None:
    month = _month(date)
    hour = int(rest["hour"] or 0)
    if rest["half"] is not None:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if rest["half"].lower() == "pm" else 0)
    try:
        offset = timedelta(hours=int(rest["hours"] or 0), minutes=int(rest["minutes"] or 0))
        zone = timezone(-offset if rest["sign"] == "-" else offset)
        minute, second = int(rest["minute"] or 0), int(rest["second"] or 0)
        day = int(date["day"] or 0)
        return to_unix(datetime(int(date["year"] or 0), month, day, hour, minute, second, tzinfo=zone))
    except (ValueError, OverflowError):
        return None


def _month(date: Mapping[str, str | None]) -> int:
    """The month's number; 0 where the word is no month."""
    name = date.get("name")
    if name is None:
        return int(date["month"] or 0)
    numbers = [number for number, month in enumerate(_MONTHS, 1) if month.startswith(name.lower())]
    return numbers[0] if numbers else 0


__all__ = ["converted", "lenient_seconds", "seconds_of"]
