"""Important dates over the calendar: which values name a day, and when a day next comes (CMP-05, CMP-36)."""

from __future__ import annotations

import calendar
import itertools
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.dates import DateRule, next_fire, read_date

ZONES = [
    ZoneInfo(name) for name in ("UTC", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "Asia/Kathmandu")
]
DAYS = st.dates(date(1900, 1, 1), date(2150, 12, 31))
INSTANTS = st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))
RULES = st.builds(
    DateRule,
    st.sampled_from(["once", "monthly", "yearly"]),
    st.integers(-366, 366),
    st.integers(0, 24 * 60 - 1),
)


@given(RULES, DAYS, st.sampled_from(ZONES), INSTANTS)
def test_a_fire_is_later_on_a_day_of_the_rule_and_the_first(rule: DateRule, day: date, zone: ZoneInfo, after: datetime):
    fire = next_fire(rule, day, zone, after)
    if fire is None:
        assert rule.recurrence == "once"
        return
    assert fire.at > after
    base = fire.day - timedelta(days=rule.offset_days)
    last = calendar.monthrange(base.year, base.month)[1]
    assert base.day == (day.day if rule.recurrence == "once" else min(day.day, last))
    if rule.recurrence == "yearly":
        assert base.month == day.month
    if rule.recurrence == "once":
        assert base == day
    wanted = datetime.combine(fire.day, datetime.min.time()) + timedelta(minutes=rule.minute)
    local = fire.at.astimezone(zone).replace(tzinfo=None)
    # A skipped local time is the next one there is; in Samoa that was a day later.
    assert wanted <= local <= wanted + timedelta(hours=25)
    # It is the first: asked from just before, it is found, and asked from anywhere in between, too.
    assert next_fire(rule, day, zone, fire.at - timedelta(microseconds=1)) == fire
    assert next_fire(rule, day, zone, after + (fire.at - after) / 2) == fire


@given(RULES.filter(lambda rule: rule.recurrence != "once"), DAYS, st.sampled_from(ZONES), INSTANTS)
def test_one_fire_a_month_or_a_year(rule: DateRule, day: date, zone: ZoneInfo, after: datetime):
    fires = []
    for _ in range(14):
        fire = next_fire(rule, day, zone, after)
        assert fire is not None
        fires.append(fire)
        after = fire.at
    bases = [fire.day - timedelta(days=rule.offset_days) for fire in fires]
    months = [base.year * 12 + base.month for base in bases]
    step = 1 if rule.recurrence == "monthly" else 12
    assert [later - earlier for earlier, later in itertools.pairwise(months)] == [step] * 13


@given(DAYS, st.integers(0, 86_399))
def test_a_day_is_read_back_from_every_form(day: date, second: int):
    instant = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(seconds=second)
    unix = int(instant.timestamp())
    forms = [
        day.isoformat(),
        unix,
        str(unix),
        float(unix),
        f"{instant:%Y-%m-%dT%H:%M:%SZ}",
        f"{instant:%Y%m%dT%H%M%SZ}",
        f"{instant:%Y%m%dT%H:%M:%SZ}",
        f"{instant:%Y-%m-%dT%H:%M:%S.123}",
        f" {instant:%Y-%m-%dT%H:%M:%S-08:00} ",
    ]
    assert [read_date(form) for form in forms] == [day] * len(forms)


@pytest.mark.parametrize(
    ("value", "day"),
    [
        ("2024-03", date(2024, 3, 1)),
        ("2023-11-15", date(2023, 11, 15)),
        ("2023-11-15T23:14:37Z", date(2023, 11, 15)),
        ("20231115T231437Z", date(2023, 11, 15)),
        ("2007-11-22T12:30:22.321", date(2007, 11, 22)),
        ("2024-02-07T23:30:22-08:00", date(2024, 2, 7)),
        (0, date(1970, 1, 1)),
        ("0", date(1970, 1, 1)),
        (1481067323, date(2016, 12, 6)),
        (-86_400, date(1969, 12, 31)),
        ("15/11/2023", None),
        ("2023-02-30", None),
        ("2023-13", None),
        ("2023-11-15T25:00:00Z", None),
        ("tomorrow", None),
        ("", None),
        (1_481_067_323_000, None),
        (float("inf"), None),
        (True, None),
        (None, None),
        ([], None),
        ({"date": 0}, None),
    ],
)
def test_cmp_case_18_values(value: object, day: date | None):
    assert read_date(value) == day


@given(st.one_of(st.text(), st.integers(), st.floats(), st.none(), st.booleans(), st.text("0123456789-TZ:.+")))
def test_whatever_an_attribute_holds_is_a_day_or_none(value: object):
    found = read_date(value)
    assert found is None or isinstance(found, date)


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}+00:00")


@pytest.mark.parametrize(
    ("rule", "day", "zone", "after", "expected"),
    [
        # Case 14: the last day of a month that lacks the day.
        (DateRule("monthly", 0, 540), date(2000, 1, 31), "UTC", "2026-02-01T00:00", "2026-02-28T09:00"),
        (DateRule("monthly", 0, 540), date(2000, 1, 31), "UTC", "2028-02-01T00:00", "2028-02-29T09:00"),
        (DateRule("monthly", 0, 540), date(2000, 1, 31), "UTC", "2026-04-01T00:00", "2026-04-30T09:00"),
        # The month end first, then the days.
        (DateRule("monthly", 1, 540), date(2000, 1, 31), "UTC", "2026-02-15T00:00", "2026-03-01T09:00"),
        (DateRule("yearly", 0, 0), date(2000, 2, 29), "UTC", "2026-01-01T00:00", "2026-02-28T00:00"),
        (DateRule("yearly", 0, 0), date(2000, 2, 29), "UTC", "2028-01-01T00:00", "2028-02-29T00:00"),
        (DateRule("yearly", -14, 540), date(1990, 1, 3), "Europe/Rome", "2026-06-01T00:00", "2026-12-20T08:00"),
        # A local time that is skipped, and one that comes twice.
        (DateRule("once", 0, 150), date(2026, 3, 8), "America/New_York", "2026-01-01T00:00", "2026-03-08T07:00"),
        (DateRule("once", 0, 90), date(2026, 11, 1), "America/New_York", "2026-01-01T00:00", "2026-11-01T05:30"),
        # Etc/GMT+2 lies two hours behind.
        (DateRule("once", 0, 0), date(2026, 5, 1), "Etc/GMT+2", "2026-01-01T00:00", "2026-05-01T02:00"),
        # What is over is over; the instant itself counts as over.
        (DateRule("once", 0, 540), date(2026, 5, 1), "UTC", "2026-05-01T09:00", None),
        (DateRule("yearly", 0, 540), date(2026, 5, 1), "UTC", "2026-05-01T09:00", "2027-05-01T09:00"),
        (DateRule("once", 366, 0), date.max, "UTC", "2026-05-01T09:00", None),
        (DateRule("once", -366, 0), date.min, "UTC", "2026-05-01T09:00", None),
    ],
)
def test_the_next_fire(rule: DateRule, day: date, zone: str, after: str, expected: str | None):
    fire = next_fire(rule, day, ZoneInfo(zone), at(after))
    assert (None if fire is None else fire.at) == (None if expected is None else at(expected))
