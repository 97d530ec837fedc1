"""Steps of time in which figures of messages are told: by number back from now, or between two instants (SUB-25, APP-04)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final, Literal, NamedTuple

from domain.errors import DomainError
from domain.increments import LONGEST, Resolution

Period = Literal["hours", "days", "weeks", "months"]
DASHBOARD: Final = timedelta(hours=-4)
"""How far from UTC the days of the first version are, all year."""
MOST_STEPS: Final[Mapping[Period, int]] = {"hours": 24, "days": 45, "weeks": 12, "months": 121}
USUAL_STEPS: Final[Mapping[Period, int]] = {**MOST_STEPS, "months": 12}
FEWEST: Final = 2
_UNITS: Final[Mapping[Resolution, Period]] = {
    "hours": "hours",
    "hourly": "hours",
    "days": "days",
    "daily": "days",
    "weeks": "weeks",
    "weekly": "weeks",
    "months": "months",
    "monthly": "months",
}
_HOUR: Final = timedelta(hours=1)


class Steps(NamedTuple):
    """Where each step begins, oldest first, and where the last one ends."""

    begins: list[datetime]
    end: datetime


def steps_back(now: datetime, period: Period, steps: int | None) -> Steps:
    """The last steps, the present one included, of hours, days, weeks from Sunday, or months; 0 asks for the most there can be.

    There are two at least, and days break at midnight four hours behind UTC.
    """
    most = MOST_STEPS[period]
    count = USUAL_STEPS[period] if steps is None else most if steps == 0 else min(max(steps, FEWEST), most)
    local = (now.astimezone(UTC) + DASHBOARD).replace(minute=0, second=0, microsecond=0)
    if period == "hours":
        begins = [local - n * _HOUR for n in range(count - 1, -2, -1)]
    else:
        today = local.date()
        if period == "days":
            found = [today - timedelta(days=n) for n in range(count - 1, -2, -1)]
        elif period == "weeks":
            sunday = today - timedelta(days=(today.weekday() + 1) % 7)
            found = [sunday - timedelta(weeks=n) for n in range(count - 1, -2, -1)]
        else:
            found = [_month(today, -n) for n in range(count - 1, -2, -1)]
        begins = [datetime.combine(day, time(), UTC) for day in found]
    *begun, end = (begin - DASHBOARD for begin in begins)
    return Steps(begun, end)


def steps_between(start: datetime, end: datetime, resolution: Resolution, zone: tzinfo) -> Steps:
    """The steps of `[start, end)`; hours, days and months are those of the zone, weeks seven days from the day of `start`.

    The first and the last may be there in part. Raises DomainError `invalid_parameter` for a span that is none.
    """
    if start > end:
        raise DomainError("invalid_parameter", "`start` is not after `end`.", "/start")
    if end - start > LONGEST:
        raise DomainError("invalid_parameter", "At most ten years are told at once.", "/end")
    begins: list[datetime] = []
    for begin in _from(start, _UNITS[resolution], zone):
        if max(begin, start) >= end:
            return Steps(begins, end)
        begins.append(max(begin, start))
    raise AssertionError("time goes on")


def _from(start: datetime, unit: Period, zone: tzinfo) -> Iterator[datetime]:
    local = start.astimezone(zone)
    if unit == "hours":
        begin = local.replace(minute=0, second=0, microsecond=0).astimezone(UTC)
        while True:
            yield begin
            begin += _HOUR
    day = local.date() if unit != "months" else local.date().replace(day=1)
    while True:
        yield datetime.combine(day, time(), zone).astimezone(UTC)
        day = _month(day, 1) if unit == "months" else day + timedelta(days=7 if unit == "weeks" else 1)


def _month(day: date, months: int) -> date:
    """The first of the month so many months later."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, 1)


__all__ = ["FEWEST", "MOST_STEPS", "USUAL_STEPS", "Period", "Steps", "steps_back", "steps_between"]
