"""Instants and local clocks: windows, daylight-saving gaps, event times; every function takes the instant."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

DAY_MINUTES = 24 * 60
# The whole years 1 and 9999 stay free, so that no zone's offset can leave the calendar.
FIRST_INSTANT = datetime(2, 1, 1, tzinfo=UTC)
LAST_INSTANT = datetime(9998, 12, 31, tzinfo=UTC)
# Five weeks: a weekday comes every seven days, and a gap swallows at most one of its openings.
_SEARCH_DAYS = 36
_MILLISECONDS = 1e11
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def shifted(at: datetime, by: timedelta) -> datetime:
    """`at + by`, held within the calendar, so that no authored duration can overflow."""
    try:
        moved = at + by
    except OverflowError:
        return LAST_INSTANT if by > timedelta(0) else FIRST_INSTANT
    return min(max(moved, FIRST_INSTANT), LAST_INSTANT)


class Hours(NamedTuple):
    """A half-open range of the local day in minutes; an end not after the start lies in the next day."""

    start: int
    end: int


ALL_DAY = Hours(0, DAY_MINUTES)


@dataclass(frozen=True, slots=True)
class WeeklyWindow:
    """When a gate is open: weekdays (Monday is 0) and the ranges that start on them; neither is empty."""

    days: frozenset[int]
    hours: tuple[Hours, ...]

    def __post_init__(self) -> None:
        if not self.days or not self.hours:
            msg = "a window needs a day and a range"
            raise ValueError(msg)


def first_instant(local: datetime, zone: ZoneInfo) -> datetime:
    """The UTC instant of a naive local time: the first of two, or the first valid one after a gap (ACT-07)."""
    instant = local.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) == local:
        return instant
    # In a gap the two folds lie on either side of the jump; the jump itself is the first valid instant.
    before, after = local.replace(tzinfo=zone, fold=1).astimezone(UTC), instant
    offset = before.astimezone(zone).utcoffset()
    while after - before > timedelta(seconds=1):
        middle = before + timedelta(seconds=(after - before) // timedelta(seconds=2))
        if middle.astimezone(zone).utcoffset() == offset:
            before = middle
        else:
            after = middle
    return after


def _openings(window: WeeklyWindow, day: date, zone: ZoneInfo) -> Iterator[tuple[datetime, datetime]]:
    """The openings that start on a local day, as instants; one that falls into a gap altogether does not exist."""
    if day.weekday() not in window.days:
        return
    midnight = datetime.combine(day, time())
    for start, end in window.hours:
        # An end not after the start lies in a later day; after 24:00, 00:00 is the midnight after next.
        last = end if end > start else end + DAY_MINUTES * (2 if end + DAY_MINUTES <= start else 1)
        opens = first_instant(midnight + timedelta(minutes=start), zone)
        closes = first_instant(midnight + timedelta(minutes=last), zone)
        if opens < closes:
            yield opens, closes


def is_open(window: WeeklyWindow, at: datetime, zone: ZoneInfo) -> bool:
    """Whether the gate is open at the instant, by the zone's clock."""
    today = at.astimezone(zone).date()
    # A range may start at 24:00 and cross midnight, so it reaches two days back.
    return any(
        opens <= at < closes
        for back in range(3)
        for opens, closes in _openings(window, today - timedelta(days=back), zone)
    )


def next_opening(window: WeeklyWindow, at: datetime, zone: ZoneInfo) -> datetime:
    """The first instant after `at` at which an opening begins."""
    today = at.astimezone(zone).date()
    for ahead in range(-1, _SEARCH_DAYS):
        later = [opens for opens, _ in _openings(window, today + timedelta(days=ahead), zone) if opens > at]
        if later:
            return min(later)
    msg = "a window with a day and a range opens within five weeks"
    raise AssertionError(msg)


def event_instant(value: Any) -> datetime | None:
    """The instant an event property names: Unix seconds (also as text) or ISO 8601, naive text being UTC (ACT-11).

    None where it names none: other types, negative numbers, and numbers from 10^11 on, which are milliseconds.
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        text = value.strip()
        if not (text.isascii() and text.isdigit()):
            return _iso_instant(text)
        value = int(text) if len(text) <= 16 else math.inf
    if isinstance(value, int | float) and 0 <= value < _MILLISECONDS:
        return _EPOCH + timedelta(seconds=value)
    return None


def _iso_instant(text: str) -> datetime | None:
    try:
        read = datetime.fromisoformat(text)
        aware = read if read.tzinfo is not None else read.replace(tzinfo=UTC)
        return min(max(aware.astimezone(UTC), FIRST_INSTANT), LAST_INSTANT)
    except (ValueError, OverflowError):
        return None
