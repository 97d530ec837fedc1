"""Increments of time that figures are told in: hours, days, weeks and months of UTC (CMP-30, SUB-26)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final, Literal

from domain.errors import DomainError

Resolution = Literal["hours", "days", "weeks", "months", "hourly", "daily", "weekly", "monthly"]
LONGEST: Final = timedelta(days=3_653)
"""Ten years, the longest that can be asked for at once."""
_UNITS: Final = {"hourly": "hours", "daily": "days", "weekly": "weeks", "monthly": "months"}
_SPANS: Final = {"hours": timedelta(hours=1), "days": timedelta(days=1), "weeks": timedelta(days=7)}


def increments(start: datetime, end: datetime, resolution: Resolution) -> list[datetime]:
    """Where each increment of `[start, end)` begins, oldest first.

    Hours, days and months are those of UTC, so that the first and the last may be there in part; weeks are seven days from
    the day of `start`. Nothing lies between equal instants. Raises DomainError `invalid_parameter` for a span that is none.
    """
    if start > end:
        raise DomainError("invalid_parameter", "`start` is not after `end`.", "/start")
    if end - start > LONGEST:
        raise DomainError("invalid_parameter", "At most ten years are told at once.", "/end")
    unit = _UNITS.get(resolution, resolution)
    begin = start.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    if unit != "hours":
        begin = begin.replace(hour=0)
    if unit == "months":
        begin = begin.replace(day=1)
    found: list[datetime] = []
    while max(begin, start) < end:
        found.append(max(begin, start))
        begin = _next_month(begin) if unit == "months" else begin + _SPANS[unit]
    return found


def _next_month(day: datetime) -> datetime:
    return day.replace(year=day.year + 1, month=1) if day.month == 12 else day.replace(month=day.month + 1)


__all__ = ["LONGEST", "Resolution", "increments"]
