from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from domain.timing import (
    ALL_DAY,
    FIRST_INSTANT,
    LAST_INSTANT,
    Hours,
    WeeklyWindow,
    event_instant,
    first_instant,
    is_open,
    next_opening,
    shifted,
)

NEW_YORK = ZoneInfo("America/New_York")
ROME = ZoneInfo("Europe/Rome")
WORK = WeeklyWindow(frozenset(range(5)), (Hours(9 * 60, 17 * 60),))
EVERY_DAY = frozenset(range(7))


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)


def local(zone: ZoneInfo, *parts: int) -> datetime:
    return datetime(*parts, tzinfo=zone).astimezone(UTC)


def test_ranges_are_half_open():
    assert is_open(WORK, local(NEW_YORK, 2026, 6, 16, 9), NEW_YORK)
    assert not is_open(WORK, local(NEW_YORK, 2026, 6, 16, 17), NEW_YORK)
    assert is_open(WORK, local(NEW_YORK, 2026, 6, 16, 16, 59, 59), NEW_YORK)


def test_next_opening_skips_closed_days():
    friday_evening = local(NEW_YORK, 2026, 6, 19, 18)
    assert next_opening(WORK, friday_evening, NEW_YORK) == local(NEW_YORK, 2026, 6, 22, 9)


def test_next_opening_is_strictly_later():
    opening = local(NEW_YORK, 2026, 6, 22, 9)
    assert next_opening(WORK, opening, NEW_YORK) == local(NEW_YORK, 2026, 6, 23, 9)


def test_a_range_across_midnight_belongs_to_its_start_day():
    night = WeeklyWindow(frozenset({4}), (Hours(22 * 60, 2 * 60),))
    assert is_open(night, local(ROME, 2026, 6, 20, 1), ROME)
    assert not is_open(night, local(ROME, 2026, 6, 19, 1), ROME)
    assert next_opening(night, local(ROME, 2026, 6, 20, 3), ROME) == local(ROME, 2026, 6, 26, 22)


def test_a_range_may_end_and_start_at_24():
    evening = WeeklyWindow(frozenset({0}), (Hours(20 * 60, 1440),))
    assert is_open(evening, local(ROME, 2026, 6, 15, 23, 59), ROME)
    assert not is_open(evening, local(ROME, 2026, 6, 16, 0), ROME)
    after = WeeklyWindow(frozenset({0}), (Hours(1440, 60),))
    assert is_open(after, local(ROME, 2026, 6, 16, 0, 30), ROME)
    assert not is_open(after, local(ROME, 2026, 6, 16, 1), ROME)
    assert next_opening(after, local(ROME, 2026, 6, 15, 12), ROME) == local(ROME, 2026, 6, 16, 0)
    for end in (0, 1440):
        long = WeeklyWindow(frozenset({0}), (Hours(1440, end),))
        assert is_open(long, local(ROME, 2026, 6, 16, 23, 59), ROME)
        assert not is_open(long, local(ROME, 2026, 6, 17, 0), ROME)


def test_equal_ends_are_a_whole_day():
    window = WeeklyWindow(frozenset({0}), (Hours(540, 540),))
    assert is_open(window, local(ROME, 2026, 6, 16, 8, 59), ROME)
    assert not is_open(window, local(ROME, 2026, 6, 16, 9), ROME)


def test_all_day_spans_the_local_day():
    sunday = WeeklyWindow(frozenset({6}), (ALL_DAY,))
    assert is_open(sunday, local(NEW_YORK, 2026, 6, 21, 0), NEW_YORK)
    assert is_open(sunday, local(NEW_YORK, 2026, 6, 21, 23, 59), NEW_YORK)
    assert not is_open(sunday, local(NEW_YORK, 2026, 6, 22, 0), NEW_YORK)


def test_a_missing_local_time_is_the_first_valid_instant_after():
    # New York, 2026-03-08: 02:00 becomes 03:00 at 07:00Z.
    assert first_instant(datetime(2026, 3, 8, 2, 30), NEW_YORK) == utc(2026, 3, 8, 7)
    window = WeeklyWindow(EVERY_DAY, (Hours(150, 240),))
    assert next_opening(window, utc(2026, 3, 8, 5), NEW_YORK) == utc(2026, 3, 8, 7)


def test_a_range_inside_the_gap_does_not_open_that_day():
    window = WeeklyWindow(EVERY_DAY, (Hours(135, 165),))
    assert next_opening(window, utc(2026, 3, 8, 5), NEW_YORK) == local(NEW_YORK, 2026, 3, 9, 2, 15)
    assert not is_open(window, utc(2026, 3, 8, 7), NEW_YORK)


def test_an_ambiguous_local_time_is_its_first_occurrence():
    # New York, 2026-11-01: 01:30 happens at 05:30Z and again at 06:30Z.
    assert first_instant(datetime(2026, 11, 1, 1, 30), NEW_YORK) == utc(2026, 11, 1, 5, 30)
    window = WeeklyWindow(EVERY_DAY, (Hours(75, 105),))
    assert is_open(window, utc(2026, 11, 1, 5, 30), NEW_YORK)
    assert not is_open(window, utc(2026, 11, 1, 6, 30), NEW_YORK)


def test_a_gap_of_half_an_hour_and_one_of_a_day():
    lord_howe = ZoneInfo("Australia/Lord_Howe")
    assert first_instant(datetime(2026, 10, 4, 2, 10), lord_howe) == utc(2026, 10, 3, 15, 30)
    apia = ZoneInfo("Pacific/Apia")
    assert first_instant(datetime(2011, 12, 30, 12), apia) == utc(2011, 12, 30, 10)
    friday = WeeklyWindow(frozenset({4}), (ALL_DAY,))
    assert next_opening(friday, utc(2011, 12, 29, 12), apia) == first_instant(datetime(2012, 1, 6), apia)


def test_a_window_needs_a_day_and_a_range():
    with pytest.raises(ValueError, match="a day and a range"):
        WeeklyWindow(frozenset(), (ALL_DAY,))
    with pytest.raises(ValueError, match="a day and a range"):
        WeeklyWindow(EVERY_DAY, ())


def test_act_case_14_event_times():
    instant = utc(2022, 6, 4, 14, 24, 34)
    assert event_instant(1654352674) == instant
    assert event_instant("1654352674") == instant
    assert event_instant("2022-06-04T10:24:34-0400") == instant
    assert event_instant("2022-06-04T14:24:34Z") == instant
    assert event_instant("2022-06-04T14:24:34") == instant


@pytest.mark.parametrize(
    "value",
    [
        "tomorrow",
        "",
        None,
        True,
        [],
        {},
        -1,
        1e11,
        1654352674000,
        "1654352674000",
        float("nan"),
        float("inf"),
        "9" * 400,
        "²",
    ],
)
def test_act_case_14_what_names_no_instant(value):
    assert event_instant(value) is None


def test_event_times_keep_within_the_calendar():
    assert event_instant("0001-01-01T00:00:00+10:00") in {None, FIRST_INSTANT}
    assert event_instant("9999-12-31T23:59:59-10:00") in {None, LAST_INSTANT}


def test_shifting_never_leaves_the_calendar():
    now = utc(2026, 1, 1)
    assert shifted(now, timedelta(days=2)) == utc(2026, 1, 3)
    assert shifted(now, timedelta(days=10**7)) == LAST_INSTANT
    assert shifted(now, -timedelta(days=10**7)) == FIRST_INSTANT
