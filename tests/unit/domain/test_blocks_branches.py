"""True/false and wait until: blocks with paths."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from domain.blocks import released_path, wait_keys
from domain.condition_keys import EventMatch
from domain.effects import WaitState
from tests.unit.domain.making import IN_S, NOW, at, block, due, event, facts, left, plan

DAY = timedelta(days=1)
PRO = {"attribute": {"field": "plan", "value": "pro"}}
VIP = {"segment": 2}


def wait(*paths, **fields):
    return block(
        type="wait_until", paths=[{"key": f"p{i}", "next": f"b{i}", **path} for i, path in enumerate(paths)], **fields
    )


def test_act_case_18_true_false():
    nothing = left(plan(block(type="true_false", then="t", **{"else": "f"}), NOW, facts()))
    assert (nothing.next, nothing.path, nothing.branch_index, nothing.outcome) == ("f", "else", 1, "branched")
    both = block(type="true_false", conditions=[PRO, IN_S], then="t", **{"else": "f"})
    assert left(plan(both, NOW, facts(attributes={"plan": "pro"}))).branch_index == 1
    met = left(plan(both, NOW, facts(attributes={"plan": "pro"}, segments=(1,))))
    assert (met.next, met.path, met.branch_index) == ("t", "then", 0)


def test_act_case_09_wait_for_a_segment():
    joined = wait({"conditions": IN_S})
    assert left(plan(joined, NOW, facts(segments=(1,)))).next == "b0"
    gone = wait({"conditions": {"segment": {"id": 1, "inverse": True}}})
    assert left(plan(gone, NOW, facts())).next == "b0"
    held = plan(gone, NOW, facts(segments=(1,)))
    assert due(held) is None
    assert left(plan(gone, NOW + DAY, facts(), arrived=at(NOW), wait=held.wait)).path == "p0"


def test_act_case_11_the_first_true_path_wins():
    both = facts(attributes={"plan": "pro"}, segments=(2,))
    assert left(plan(wait({"conditions": PRO}, {"conditions": VIP}), NOW, both)).branch_index == 0
    taken = left(plan(wait({"conditions": VIP}, {"conditions": PRO}), NOW, both))
    assert (taken.path, taken.next, taken.branch_index) == ("p0", "b0", 0)


@pytest.mark.parametrize(
    ("appointment", "until"),
    [
        (datetime(2026, 6, 14, 12, tzinfo=UTC), None),
        (datetime(2026, 6, 20, 12, tzinfo=UTC), datetime(2026, 6, 18, 12, tzinfo=UTC)),
    ],
)
def test_act_case_13_event_time(appointment, until):
    now = datetime(2026, 6, 13, 12, tzinfo=UTC)
    reminder = wait({"event_time": {"field": "appointment_time", "before": "P2D"}})
    booked = facts(trigger=event("booked", now, appointment_time=int(appointment.timestamp())))
    planned = plan(reminder, now, booked)
    if until is None:
        assert left(planned).path == "p0"
    else:
        assert due(planned) == until
        assert left(plan(reminder, until, booked, arrived=at(now), wait=planned.wait)).path == "p0"


def test_event_times_shift_after_and_read_nested_fields():
    later = wait({"event_time": {"field": "trip.starts", "after": "PT1H"}})
    assert due(plan(later, NOW, facts(trigger=event("t", NOW, trip={"starts": "2026-06-16T00:00:00Z"})))) == datetime(
        2026, 6, 16, 1, tzinfo=UTC
    )


@pytest.mark.parametrize("data", [{"at": "tomorrow"}, {}])
def test_act_case_14_an_inert_path_releases_nobody(data):
    alone = wait({"event_time": {"field": "at"}})
    booked = facts(trigger=event("booked", NOW, **data))
    assert due(plan(alone, NOW, booked)) is None
    assert alone.is_stuck(at(NOW), booked)
    helped = wait({"event_time": {"field": "at"}}, {"conditions": PRO})
    assert not helped.is_stuck(at(NOW), booked)
    assert left(plan(helped, NOW, replace(booked, attributes={"plan": "pro"}))).path == "p1"
    assert not wait({"event_time": {"field": "at"}}, {"max_time": "P1D"}).is_stuck(at(NOW), booked)


def test_act_case_15_matched_with_the_trigger():
    where = {"field": "appointment_id", "value": {"from": "event.appointment_id"}}
    cancelled = wait(
        {"conditions": {"performed": {"event": "cancelled_appointment", "since": "wait_start", "where": where}}}
    )
    booked = event("booked", NOW - DAY, seq=3, appointment_id=77)
    held = plan(cancelled, NOW, facts(trigger=booked))
    assert due(held) is None
    other = event("cancelled_appointment", NOW, seq=11, appointment_id=78)
    assert released_path(cancelled, at(NOW), NOW, facts(trigger=booked, events=(other,))) is None
    assert plan(cancelled, NOW, facts(trigger=booked, events=(other,)), wait=held.wait) == held
    this = event("cancelled_appointment", NOW, seq=12, appointment_id=77)
    person = facts(trigger=booked, events=(other, this))
    assert released_path(cancelled, at(NOW), NOW, person) == "p0"
    assert left(plan(cancelled, NOW, person, wait=held.wait)).next == "b0"


def test_since_wait_start_does_not_count_what_came_before_the_wait():
    paid = wait({"conditions": {"performed": {"event": "paid", "since": "wait_start"}}})
    assert due(plan(paid, NOW, facts(events=(event("paid", NOW, seq=9),)), arrived=at(NOW, 10))) is None
    assert left(plan(paid, NOW, facts(events=(event("paid", NOW, seq=11),)), arrived=at(NOW, 10))).path == "p0"


def test_a_released_path_is_honoured_although_it_is_false_again():
    paths = wait({"conditions": VIP}, {"conditions": PRO})
    state = WaitState(definition_hash=paths.definition_hash(), released="p1")
    assert left(plan(paths, NOW, facts(segments=(2,)), wait=state)).path == "p1"


def test_a_released_path_that_was_removed_is_forgotten():
    state = WaitState(released="gone")
    assert due(plan(wait({"conditions": PRO}), NOW, facts(), wait=state)) is None


def test_when_a_timer_fires_conditions_come_first():
    paths = wait({"max_time": "P1D"}, {"event_time": {"field": "at"}}, {"conditions": PRO})
    booked = event("t", NOW, at=int(NOW.timestamp()))
    arrived = at(NOW - 2 * DAY)
    assert left(plan(paths, NOW, facts(attributes={"plan": "pro"}, trigger=booked), arrived=arrived)).path == "p2"
    taken = left(plan(paths, NOW, facts(trigger=booked), arrived=arrived))
    assert (taken.path, taken.branch_index) == ("p1", 1)
    assert left(plan(paths, NOW, facts(), arrived=arrived)).path == "p0"


def test_the_deadline_is_the_nearest_instant_that_may_matter():
    soon = {"attribute": {"field": "expires", "operator": "before", "value": {"from_now": "P7D"}}}
    paths = wait({"conditions": soon}, {"max_time": "P30D"})
    person = facts(attributes={"expires": int((NOW + 10 * DAY).timestamp())})
    held = plan(paths, NOW, person)
    flip = due(held)
    assert flip is not None
    assert NOW + 3 * DAY <= flip <= NOW + 3 * DAY + timedelta(seconds=1)
    assert left(plan(paths, flip, person, arrived=at(NOW), wait=held.wait)).path == "p0"


def test_editing_recomputes_the_targets():
    old, new = wait({"max_time": "P7D"}), wait({"max_time": "P2D"})
    held = plan(old, NOW, facts())
    assert left(plan(new, NOW + 3 * DAY, facts(), arrived=at(NOW), wait=held.wait)).path == "p0"
    assert due(plan(new, NOW + DAY, facts(), arrived=at(NOW), wait=held.wait)) == NOW + 2 * DAY
    assert old.definition_hash() != new.definition_hash()


def test_where_paths_lead_does_not_matter_for_waiting():
    one = block(type="wait_until", paths=[{"key": "a", "max_time": 5, "next": "x"}], join="j")
    other = block(type="wait_until", paths=[{"key": "b", "max_time": 5, "name": "B"}], name="W")
    assert one.definition_hash() == other.definition_hash()


def test_keys_say_what_can_end_a_wait():
    keys = wait_keys(
        wait({"conditions": [PRO, VIP]}, {"conditions": {"performed": {"event": "paid"}}}, {"max_time": 5})
    )
    assert keys.attributes == {"plan"}
    assert keys.segments == {2}
    assert keys.events == (EventMatch("event", "paid"),)


def test_checks_of_a_wait():
    paths = block(
        type="wait_until",
        paths=[
            {"key": "a", "max_time": 1},
            {"key": "a", "max_time": 2},
            {"key": "b", "event_time": {"field": "x"}},
            {"key": "c", "event_time": {"field": "y"}},
        ],
    )
    assert [(p.code, p.pointer) for p in paths.check("/w", "segment")] == [
        ("duplicate", "/w/paths/1/key"),
        ("duplicate_timer_path", "/w/paths"),
        ("duplicate_timer_path", "/w/paths"),
        ("event_time_not_allowed", "/w/paths/2"),
    ]
    for trigger in ("event", "form", None):
        assert "event_time_not_allowed" not in {p.code for p in paths.check("/w", trigger)}
