"""The status table is total and never forgets; ids are derived; retries follow the ladders (SUB-20, SUB-21)."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.deliveries import (
    EVENTS,
    FLAGS,
    HAND_OVER_GAPS,
    ID_PATTERN,
    STATUSES,
    TABLE,
    apply,
    delivery_id,
    journey_subject,
    message_id,
    microseconds,
    next_attempt,
)

NOW = datetime(2026, 1, 1, 10, tzinfo=UTC)
events = st.lists(st.sampled_from([event for event in EVENTS if event != "queued"]), max_size=12)


def test_every_pair_has_an_answer() -> None:
    assert set(TABLE) == {(status, event) for status in STATUSES for event in EVENTS}
    assert set(TABLE.values()) <= set(STATUSES)


@pytest.mark.parametrize(
    ("status", "event", "after"),
    [
        ("queued", "sent", "sent"),
        ("sent", "delivered", "delivered"),
        ("delivered", "sent", "delivered"),
        ("opened", "delivered", "opened"),
        ("sent", "bounced", "bounced"),
        ("bounced", "sent", "bounced"),
        ("attempted", "failed", "failed"),
        ("failed", "queued", "queued"),
        ("sent", "queued", "sent"),
        ("delivered", "spammed", "delivered"),
        ("drafted", "undeliverable", "undeliverable"),
        ("clicked", "unsubscribed", "clicked"),
        ("failed", "undeliverable", "failed"),
    ],
)
def test_cases(status: str, event: str, after: str) -> None:
    assert TABLE[status, event] == after  # type: ignore[index]


@given(st.sampled_from(STATUSES), st.sampled_from(EVENTS))
def test_an_event_twice_is_as_good_as_once(status: str, event: str) -> None:
    once = TABLE[status, event]  # type: ignore[index]
    assert TABLE[once, event] == once  # type: ignore[index]


@given(events, st.randoms())
def test_the_order_of_callbacks_does_not_matter_where_the_ranks_differ(happened: list, chance) -> None:
    progress = [event for event in happened if event in ("sent", "delivered", "opened", "clicked", "converted")]
    shuffled = list(progress)
    chance.shuffle(shuffled)
    assert _run(progress).status == _run(shuffled).status


@given(events)
def test_metrics_only_grow_and_each_is_reached_once(happened: list) -> None:
    status, metrics, counted = "queued", {}, []
    for number, event in enumerate(happened):
        change = apply(status, metrics, event, NOW + timedelta(seconds=number), "email")  # type: ignore[arg-type]
        assert metrics.items() <= change.metrics.items()
        status, metrics = change.status, change.metrics
        counted += change.reached
    assert sorted(counted) == sorted(metrics)
    assert set(happened) <= set(metrics)
    assert not set(metrics) & FLAGS or status in STATUSES


def _run(happened: list):
    status, metrics, change = "queued", {}, apply("queued", {}, "queued", NOW, "email")
    for event in happened:
        change = apply(status, metrics, event, NOW, "email")  # type: ignore[arg-type]
        status, metrics = change.status, change.metrics
    return change


def test_a_click_in_an_email_implies_open_and_delivery_at_its_own_instant() -> None:
    change = apply("sent", {"sent": 1}, "clicked", NOW, "email")
    assert change.metrics == {"sent": 1, **dict.fromkeys(("delivered", "opened", "clicked"), microseconds(NOW))}
    assert set(apply("sent", {}, "clicked", NOW, "slack").metrics) == {"delivered", "clicked"}


def test_an_earlier_repeat_moves_the_instant_back_without_counting_again() -> None:
    later = apply("sent", {}, "delivered", NOW, "email")
    earlier = apply(later.status, later.metrics, "delivered", NOW - timedelta(seconds=5), "email")
    assert earlier.metrics["delivered"] == microseconds(NOW - timedelta(seconds=5))
    assert earlier.reached == ()


def test_ids_are_derived_from_the_key_and_tell_nothing() -> None:
    one = delivery_id(b"k" * 32, journey_subject("01J", 7))
    assert re.fullmatch(ID_PATTERN, one)
    assert one == delivery_id(b"k" * 32, "journey/01J/7")
    assert one != delivery_id(b"l" * 32, "journey/01J/7")
    assert one not in message_id(b"k" * 32, one, "example.com")
    assert message_id(b"k" * 32, one, "example.com").endswith("@example.com>")


def test_hand_overs_are_tried_eleven_times_again_within_an_hour() -> None:
    at, waits = NOW, []
    for attempts in range(1, 13):
        due = next_attempt(attempts, at, soft_bounce=False)
        if due is None:
            break
        waits.append((due - at).total_seconds())
        at = due
    assert waits == [2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 1200]
    assert attempts == 12
    assert len(HAND_OVER_GAPS) == 11


def test_soft_bounces_are_tried_eight_times_within_twelve_hours() -> None:
    at, minutes = NOW, [0.0]
    for attempts in range(1, 9):
        due = next_attempt(attempts, at, soft_bounce=True)
        if due is None:
            break
        at = due
        minutes.append((at - NOW).total_seconds() / 60)
    assert minutes == [0, 10, 25, 55, 115, 235, 475, 715]


def test_what_the_provider_asks_for_is_honoured_up_to_twenty_minutes() -> None:
    assert next_attempt(1, NOW, soft_bounce=False, until=NOW + timedelta(seconds=90)) == NOW + timedelta(seconds=90)
    assert next_attempt(1, NOW, soft_bounce=False, until=NOW + timedelta(days=1)) == NOW + timedelta(minutes=20)
    assert next_attempt(9, NOW, soft_bounce=False, until=NOW) == NOW + timedelta(seconds=512)
