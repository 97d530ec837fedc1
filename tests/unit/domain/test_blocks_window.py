"""The time window block (ACT-07)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from domain.effects import WaitState
from tests.unit.domain.making import at, block, due, email, facts, left, local, plan

OFFICE = {
    "type": "time_window",
    "days": ["mon", "tue", "wed", "thu", "fri"],
    "hours": [{"from": "09:00", "to": "17:00"}],
    "use_customer_timezone": True,
    "timezone": "UTC",
    "next": "mail",
}


def in_zone(zone):
    return facts(attributes={"timezone": zone})


def test_act_case_01_window_chain():
    zone, person = "America/New_York", in_zone("America/New_York")
    window = block(**OFFICE)
    delay = block(type="time_delay", duration="P2D", next="window")
    entered = local(zone, 2026, 6, 15, 18)
    delayed = due(plan(delay, entered, person))
    assert delayed == local(zone, 2026, 6, 17, 18)
    held = plan(window, delayed, person)
    opened = due(held)
    assert opened == local(zone, 2026, 6, 18, 9)
    assert left(plan(window, opened, person, arrived=at(delayed), wait=held.wait)).next == "mail"
    assert plan(block(**email()), opened, person).effect.type == "deliver"
    assert due(plan(delay, opened, person)) == local(zone, 2026, 6, 20, 9)


def test_act_case_01_open_on_arrival_passes():
    assert (
        left(plan(block(**OFFICE), local("America/New_York", 2026, 6, 16, 10, 30), in_zone("America/New_York"))).outcome
        == "done"
    )


def test_act_case_02_zone_moved_west():
    window, arrived = block(**OFFICE), local("US/Eastern", 2026, 6, 13, 12)
    held = plan(window, arrived, in_zone("US/Eastern"))
    monday_eastern = datetime(2026, 6, 15, 13, tzinfo=UTC)
    assert due(held) == monday_eastern
    sunday = plan(window, arrived + timedelta(days=1), in_zone("US/Pacific"), arrived=at(arrived), wait=held.wait)
    assert due(sunday) == monday_eastern
    checked = plan(window, monday_eastern, in_zone("US/Pacific"), arrived=at(arrived), wait=sunday.wait)
    monday_pacific = datetime(2026, 6, 15, 16, tzinfo=UTC)
    assert due(checked) == monday_pacific
    assert (
        left(plan(window, monday_pacific, in_zone("US/Pacific"), arrived=at(arrived), wait=checked.wait)).next == "mail"
    )


def test_act_case_03_zone_moved_east():
    window, arrived = block(**OFFICE), local("US/Eastern", 2026, 6, 13, 12)
    held = plan(window, arrived, in_zone("US/Eastern"))
    monday_eastern = due(held)
    checked = plan(window, monday_eastern, in_zone("Asia/Tokyo"), arrived=at(arrived), wait=held.wait)
    tuesday_tokyo = datetime(2026, 6, 16, 0, tzinfo=UTC)
    assert due(checked) == tuesday_tokyo
    assert (
        left(plan(window, tuesday_tokyo, in_zone("Asia/Tokyo"), arrived=at(arrived), wait=checked.wait)).next == "mail"
    )


@pytest.mark.parametrize(("opens", "leaves_at"), [("09:00", None), ("10:00", 10)])
def test_act_case_05_and_cmp_case_37_window_edits(opens, leaves_at):
    old = block(
        type="time_window", days=["tue", "thu"], hours=[{"from": "09:00", "to": "12:00"}], timezone="UTC", next="b"
    )
    new = block(
        type="time_window", days=["mon", "tue", "thu"], hours=[{"from": opens, "to": "12:00"}], timezone="UTC", next="b"
    )
    monday = datetime(2026, 6, 15, 9, 30, tzinfo=UTC)
    held = plan(old, monday - timedelta(hours=3), facts())
    assert due(held) == datetime(2026, 6, 16, 9, tzinfo=UTC)
    edited = plan(new, monday, facts(), arrived=at(monday - timedelta(hours=3)), wait=held.wait)
    if leaves_at is None:
        assert left(edited).next == "b"
    else:
        assert due(edited) == monday.replace(hour=leaves_at, minute=0)


def test_an_edit_reads_the_zone_the_person_has_now():
    held = plan(block(**OFFICE), local("US/Eastern", 2026, 6, 13, 12), in_zone("US/Eastern"))
    saturday = block(**{**OFFICE, "days": ["sat", "mon"]})
    now = local("US/Eastern", 2026, 6, 13, 12)
    assert due(plan(saturday, now, in_zone("Asia/Tokyo"), wait=held.wait)) == local("Asia/Tokyo", 2026, 6, 15, 9)


def test_ppl_case_37_an_invalid_zone_falls_back():
    window = block(**OFFICE)
    now = datetime(2026, 6, 15, 7, 30, tzinfo=UTC)
    rome = facts(attributes={"timezone": "Mars/Base", "cio_timezone": "Europe/Rome"})
    passed = left(plan(window, now, rome))
    assert passed.explanation is not None
    assert "Europe/Rome" in passed.explanation
    assert due(plan(window, now, facts())) == datetime(2026, 6, 15, 9, tzinfo=UTC)


def test_a_fixed_zone_ignores_the_person():
    window = block(**{**OFFICE, "use_customer_timezone": False})
    assert due(plan(window, datetime(2026, 6, 15, 7, 30, tzinfo=UTC), in_zone("Europe/Rome"))) == datetime(
        2026, 6, 15, 9, tzinfo=UTC
    )


def test_all_day_windows():
    weekend = block(type="time_window", days=["sat", "sun"], hours="all_day", timezone="Europe/Rome", next="b")
    assert due(plan(weekend, local("Europe/Rome", 2026, 6, 15, 9), facts())) == local("Europe/Rome", 2026, 6, 20, 0)


def test_the_order_of_days_and_ranges_means_nothing():
    lists = {"days": ["tue", "mon"], "hours": [{"from": "13:00", "to": "17:00"}, {"from": "09:00", "to": "12:00"}]}
    turned = {name: list(reversed(listed)) for name, listed in lists.items()}
    one, other = (block(**{**OFFICE, **listed}) for listed in (lists, turned))
    assert one.definition_hash() == other.definition_hash()


def test_a_wait_without_a_deadline_is_reckoned_anew():
    window = block(**OFFICE)
    state = WaitState(due_at=None, definition_hash=window.definition_hash())
    assert due(plan(window, datetime(2026, 6, 13, tzinfo=UTC), facts(), wait=state)) == datetime(
        2026, 6, 15, 9, tzinfo=UTC
    )


@pytest.mark.parametrize(
    ("change", "where", "code"),
    [
        ({"days": []}, "days", "length"),
        ({"days": ["mon", "mon"]}, "days/1", "duplicate"),
        ({"days": ["monday"]}, "days/0", "literal_error"),
        ({"hours": []}, "hours", "length"),
        ({"hours": "always"}, "hours", "enum"),
        ({"hours": [{"from": "9:00", "to": "17:00"}]}, "hours/0/from", "string_pattern_mismatch"),
        ({"hours": [{"from": "09:00"}]}, "hours/0/to", "missing"),
        ({"timezone": "Mars/Base"}, "timezone", "format"),
        ({"use_customer_timezone": "yes"}, "use_customer_timezone", "bool_type"),
    ],
)
def test_refusals(change, where, code):
    with pytest.raises(ValidationError) as caught:
        block(**{**OFFICE, **change})
    assert [("/".join(map(str, e["loc"])), e["type"]) for e in caught.value.errors()] == [(where, code)]
