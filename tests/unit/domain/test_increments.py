from __future__ import annotations

from datetime import UTC, datetime

import pytest

from domain.errors import DomainError
from domain.increments import Resolution, increments


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("start", "end", "resolution", "expected"),
    [
        ("2026-01-01T00:00", "2026-01-01T02:00", "hours", ["2026-01-01T00:00", "2026-01-01T01:00"]),
        ("2026-01-01T00:30", "2026-01-01T01:01", "hourly", ["2026-01-01T00:30", "2026-01-01T01:00"]),
        ("2026-01-01T23:59", "2026-01-02T00:01", "days", ["2026-01-01T23:59", "2026-01-02T00:00"]),
        ("2026-01-01T00:00", "2026-01-02T00:00", "daily", ["2026-01-01T00:00"]),
        ("2025-10-08T12:00", "2025-10-22T00:00", "weeks", ["2025-10-08T12:00", "2025-10-15T00:00"]),
        (
            "2025-10-08T00:00",
            "2025-10-25T00:00",
            "weekly",
            ["2025-10-08T00:00", "2025-10-15T00:00", "2025-10-22T00:00"],
        ),
        ("2024-01-31T05:00", "2024-03-01T00:00", "months", ["2024-01-31T05:00", "2024-02-01T00:00"]),
        ("2025-12-15T00:00", "2026-01-01T00:01", "monthly", ["2025-12-15T00:00", "2026-01-01T00:00"]),
        ("2026-01-01T00:00", "2026-01-01T00:00", "days", []),
    ],
)
def test_increments_break_in_utc(start: str, end: str, resolution: Resolution, expected: list[str]) -> None:
    assert increments(at(start), at(end), resolution) == [at(one) for one in expected]


@pytest.mark.parametrize(("start", "end"), [("2026-01-01T00:01", "2026-01-01T00:00"), ("2010-01-01", "2020-01-03")])
def test_a_span_that_is_none(start: str, end: str) -> None:
    with pytest.raises(DomainError) as refusal:
        increments(at(start), at(end), "days")
    assert refusal.value.code == "invalid_parameter"


def test_ten_years_of_hours_are_the_most() -> None:
    assert len(increments(at("2010-01-01"), at("2020-01-01"), "hours")) == 24 * 3_652
