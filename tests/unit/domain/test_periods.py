"""Steps of time in which figures of messages are told (SUB-25, APP-04)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from domain.errors import DomainError
from domain.months import months_after
from domain.periods import MOST_STEPS, Period, steps_back, steps_between

NOW = datetime(2026, 1, 1, 10, 30, tzinfo=UTC)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text + "+00:00")


def test_days_break_four_hours_behind_utc_all_year() -> None:
    begins, end = steps_back(NOW, "days", 2)
    assert begins == [at("2025-12-31T04:00"), at("2026-01-01T04:00")]
    assert end == at("2026-01-02T04:00")
    assert steps_back(at("2026-07-01T03:59:59"), "days", 2).begins[-1] == at("2026-06-30T04:00")
    assert steps_back(at("2026-07-01T04:00"), "days", 2).begins[-1] == at("2026-07-01T04:00")


def test_weeks_begin_on_sunday() -> None:
    begins, end = steps_back(NOW, "weeks", 2)
    assert begins == [at("2025-12-21T04:00"), at("2025-12-28T04:00")]
    assert end == at("2026-01-04T04:00")
    assert steps_back(at("2026-01-04T04:00"), "weeks", 2).begins[-1] == at("2026-01-04T04:00")
    assert steps_back(at("2026-01-04T03:59"), "weeks", 2).begins[-1] == at("2025-12-28T04:00")


def test_months_and_hours() -> None:
    assert steps_back(NOW, "months", 3).begins == [
        at("2025-11-01T04:00"),
        at("2025-12-01T04:00"),
        at("2026-01-01T04:00"),
    ]
    begins, end = steps_back(NOW, "hours", 2)
    assert (begins, end) == ([at("2026-01-01T09:00"), at("2026-01-01T10:00")], at("2026-01-01T11:00"))


@pytest.mark.parametrize(
    ("period", "steps", "count"),
    [
        ("days", None, 45),
        ("hours", None, 24),
        ("weeks", None, 12),
        ("months", None, 12),
        ("months", 0, 121),
        ("days", 0, 45),
        ("days", 1, 2),
        ("weeks", 2, 2),
        ("hours", 900, 24),
        ("months", 121, 121),
    ],
)
def test_how_many_steps_there_are(period: Period, steps: int | None, count: int) -> None:
    begins, end = steps_back(NOW, period, steps)
    assert len(begins) == count <= MOST_STEPS[period]
    assert begins == sorted(begins)
    assert begins[-1] <= NOW < end


def test_between_two_instants_the_ends_may_be_there_in_part() -> None:
    begins, end = steps_between(at("2026-01-01T10:30"), at("2026-01-03T01:00"), "daily", UTC)
    assert begins == [at("2026-01-01T10:30"), at("2026-01-02T00:00"), at("2026-01-03T00:00")]
    assert end == at("2026-01-03T01:00")
    assert steps_between(NOW, NOW, "hours", UTC).begins == []
    weeks = steps_between(at("2021-10-08T00:00"), at("2021-10-25T00:00"), "weekly", UTC)
    assert [begin.day for begin in weeks.begins] == [8, 15, 22]


def test_days_of_a_zone_follow_its_clock() -> None:
    begins, _ = steps_between(at("2026-03-28T23:00"), at("2026-03-31T00:00"), "days", ZoneInfo("Europe/Berlin"))
    assert begins == [at("2026-03-28T23:00"), at("2026-03-29T22:00"), at("2026-03-30T22:00")]
    hours = steps_between(at("2026-03-29T00:15"), at("2026-03-29T03:00"), "hours", ZoneInfo("Asia/Kolkata"))
    assert hours.begins == [
        at("2026-03-29T00:15"),
        at("2026-03-29T00:30"),
        at("2026-03-29T01:30"),
        at("2026-03-29T02:30"),
    ]


def test_spans_that_are_none() -> None:
    for start, end in ((NOW, NOW - timedelta(seconds=1)), (NOW, NOW + timedelta(days=4_000))):
        with pytest.raises(DomainError) as refused:
            steps_between(start, end, "days", UTC)
        assert refused.value.code == "invalid_parameter"


def test_months_later_and_earlier() -> None:
    assert months_after(at("2026-01-31T10:00"), 1) == at("2026-02-28T10:00")
    assert months_after(at("2026-03-31T10:00"), -1) == at("2026-02-28T10:00")
    assert months_after(at("2026-01-15T10:00"), -12) == at("2025-01-15T10:00")
