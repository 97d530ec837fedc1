"""Important dates: which values name a day, and when a day next begins a campaign (CMP-05, CMP-36)."""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple
from zoneinfo import ZoneInfo

from domain.paths import compile_path
from domain.timing import FIRST_INSTANT, LAST_INSTANT, first_instant
from domain.zones import PersonZone, ZoneSource, person_zone, zone_named

if TYPE_CHECKING:
    from domain.definitions.triggers.date import DateTrigger

Recurrence = Literal["once", "monthly", "yearly"]
MILLISECONDS: Final = 10**11
"""From here on numbers are milliseconds, which name no day."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DIGITS = re.compile(r"-?[0-9]{1,12}")
_DAY = re.compile(r"([0-9]{4})-([0-9]{2})(?:-([0-9]{2}))?")
_INSTANT = re.compile(
    r"""(?:([0-9]{4})-([0-9]{2})-([0-9]{2})|([0-9]{4})([0-9]{2})([0-9]{2}))
        T([0-9]{2}):?([0-9]{2})(?::?([0-9]{2})(?:[.,][0-9]+)?)?
        (?:Z|[+-]([0-9]{2}):?([0-9]{2})?)?""",
    re.VERBOSE | re.IGNORECASE,
)
_MOST_YEARS = 4
_MOST_MONTHS = 5


class DateRule(NamedTuple):
    """How often a day counts, how many days before (negative) or after it, and at which minute of the local day."""

    recurrence: Recurrence
    offset_days: int
    minute: int


class Fire(NamedTuple):
    """An instant at which a day begins a campaign, and the local day on which that is."""

    at: datetime
    day: date


def read_date(value: Any) -> date | None:
    """The day that an attribute names: Unix seconds, as of UTC, or ISO 8601 as it is written; None where it names none."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        text = value.strip()
        if _DIGITS.fullmatch(text) is None:
            return _read_text(text)
        value = int(text)
    if isinstance(value, int | float) and -MILLISECONDS < value < MILLISECONDS:
        try:
            return (_EPOCH + timedelta(seconds=value)).date()
        except OverflowError:
            return None
    return None


def _read_text(text: str) -> date | None:
    """The day as it stands there: its zone, whichever, is the one it is meant in."""
    day = _DAY.fullmatch(text)
    if day is not None:
        return _date(day[1], day[2], day[3] or "1")
    found = _INSTANT.fullmatch(text)
    if found is None:
        return None
    hour, minute, second, ahead, beyond = (int(part or 0) for part in found.groups()[6:])
    # A leap second is a second of its minute; offsets go up to a day.
    if hour > 23 or minute > 59 or second > 60 or ahead > 23 or beyond > 59:
        return None
    return _date(found[1] or found[4], found[2] or found[5], found[3] or found[6])


def _date(year: str, month: str, day: str) -> date | None:
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None


def clamped(year: int, month: int, day: int) -> date:
    """That day of a month, or its last day where there is no such one."""
    return date(year, month, min(day, calendar.monthrange(year, month)[1]))


def next_fire(rule: DateRule, day: date, zone: ZoneInfo, after: datetime) -> Fire | None:
    """The first fire later than `after`; None where there is none any more.

    The day is brought into the month before days are added. A local time that the clocks skip is the next valid instant,
    one that they repeat is the first of the two.
    """
    if not FIRST_INSTANT < after < LAST_INSTANT:
        return None
    for candidate in _candidates(rule, day, after.astimezone(zone).date()):
        fire = _fire(rule, candidate, zone)
        if fire is not None and fire.at > after:
            return fire
    return None


def _candidates(rule: DateRule, day: date, today: date) -> Iterator[date]:
    """The days that may be next, in their order, from one that is over for certain."""
    if rule.recurrence == "once":
        yield day
        return
    # Two days more than the offset: a zone may be a day ahead, or have left one out.
    around = min(max(today.toordinal() - rule.offset_days - 2, date.min.toordinal()), date.max.toordinal())
    start = date.fromordinal(around)
    if rule.recurrence == "monthly":
        first = start.year * 12 + start.month - 1
        months = (divmod(number, 12) for number in range(first, first + _MOST_MONTHS))
        found = ((year, month + 1) for year, month in months)
    else:
        found = ((year, day.month) for year in range(start.year, start.year + _MOST_YEARS))
    for year, month in found:
        if date.min.year <= year <= date.max.year:
            yield clamped(year, month, day.day)


def _fire(rule: DateRule, candidate: date, zone: ZoneInfo) -> Fire | None:
    """The fire that belongs to a day; None at the ends of the calendar."""
    try:
        local = candidate + timedelta(days=rule.offset_days)
    except OverflowError:
        return None
    if not FIRST_INSTANT.year <= local.year < LAST_INSTANT.year:
        return None
    at = datetime.combine(local, time()) + timedelta(minutes=rule.minute)
    return Fire(first_instant(at, zone), local)


class Reading(NamedTuple):
    """What a date trigger makes of a person's attributes: the value it found, the day, the zone and where that is from."""

    value: Any
    day: date | None
    zone: ZoneInfo
    source: ZoneSource


def rule_of(trigger: DateTrigger) -> DateRule:
    """When a day counts for a trigger."""
    hour, _, minute = trigger.at.partition(":")
    return DateRule(trigger.recurrence, trigger.offset_days, int(hour) * 60 + int(minute))


def reading(trigger: DateTrigger, attributes: Mapping[str, Any]) -> Reading:
    """The day and the zone of a person. Of several values the first counts that names a day."""
    fixed = zone_named(trigger.timezone)
    assert fixed is not None, "a trigger with a zone that is none is refused"
    lives = person_zone(attributes, fixed) if trigger.use_customer_timezone else PersonZone(fixed, "fixed")
    values = compile_path(trigger.field).read(attributes)
    days = ((value, day) for value in values if (day := read_date(value)) is not None)
    value, found = next(days, (values[0] if values else None, None))
    return Reading(value, found, lives.zone, lives.source)


def next_entry(trigger: DateTrigger, attributes: Mapping[str, Any], after: datetime) -> Fire | None:
    """When a person with these attributes next enters a campaign with this trigger, later than `after`."""
    found = reading(trigger, attributes)
    return None if found.day is None else next_fire(rule_of(trigger), found.day, found.zone, after)


def entry_at(trigger: DateTrigger, attributes: Mapping[str, Any], instant: datetime) -> Fire | None:
    """The fire at exactly this instant; None where the attributes say another, or none."""
    fire = next_entry(trigger, attributes, instant - timedelta(microseconds=1))
    return fire if fire is not None and fire.at == instant else None


__all__ = [
    "DateRule",
    "Fire",
    "Reading",
    "Recurrence",
    "clamped",
    "entry_at",
    "next_entry",
    "next_fire",
    "read_date",
    "reading",
    "rule_of",
]
