"""What comes after what."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from domain.facts import Position, is_later

AT = datetime(2026, 11, 26, 10, 0, 5, tzinfo=UTC)
MARK = Position(AT + timedelta(milliseconds=400), 7)


@pytest.mark.parametrize(
    ("after", "seq", "later"),
    [
        (timedelta(), 8, True),
        (timedelta(), 7, False),
        (timedelta(), 6, False),
        (timedelta(seconds=-1), 8, False),
        (timedelta(seconds=1), 3, True),
        (timedelta(milliseconds=300), 0, False),
        (timedelta(milliseconds=500), 0, True),
    ],
)
def test_within_a_second_the_order_of_acceptance_tells(after: timedelta, seq: int, later: bool):
    assert is_later(Position(AT + after, seq), MARK) is later
