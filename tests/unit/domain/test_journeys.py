from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from pydantic import TypeAdapter, ValidationError

from domain.blocks import AnyBlock
from domain.facts import Position
from domain.goals import Goal, goal_event_matches, goal_segment_met
from domain.journeys import (
    Allowed,
    Frequency,
    PreviousJourney,
    Refused,
    age_limit,
    entry_allowed,
    event_may_trigger,
    exit_verdict,
    first_arrival,
)
from tests.unit.domain.making import NOW, email, event, facts, workflow

FREQUENCY = TypeAdapter(Frequency)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MONDAY = datetime(2026, 6, 15, tzinfo=UTC)


def frequency(**fields):
    return FREQUENCY.validate_python(fields)


def journey(started, ended=None):
    return PreviousJourney(Position(started, 1), None if ended is None else Position(ended, 2))


def verdict(rule, previous, occurred, seq=9, **more):
    allowed = entry_allowed(rule, previous, Position(occurred, seq), **more)
    return "allowed" if isinstance(allowed, Allowed) else allowed.reason


def test_cmp_case_05_rematch_lost():
    rule = frequency(mode="every", min_wait="P1D")
    before = [journey(MONDAY + 10 * HOUR, MONDAY + 11 * HOUR)]
    assert verdict(rule, before, MONDAY + 13 * HOUR, one_at_a_time=True) == "min_wait"
    assert verdict(rule, before, MONDAY + DAY + 13 * HOUR, one_at_a_time=True) == "allowed"
    assert verdict(rule, before, MONDAY + DAY + 10 * HOUR, one_at_a_time=True) == "allowed"


def test_cmp_case_06_rematch_in_journey():
    rule = frequency(mode="every")
    assert verdict(rule, [journey(MONDAY)], MONDAY + HOUR, one_at_a_time=True) == "in_journey"
    done = [journey(MONDAY, MONDAY + 2 * HOUR)]
    assert verdict(rule, done, MONDAY + HOUR, one_at_a_time=True) == "before_end"
    assert verdict(rule, done, MONDAY + 3 * HOUR, one_at_a_time=True) == "allowed"


def test_at_one_instant_the_order_of_facts_decides():
    rule, done = frequency(mode="every"), [journey(MONDAY, MONDAY)]
    assert verdict(rule, done, MONDAY, seq=2, one_at_a_time=True) == "before_end"
    assert verdict(rule, done, MONDAY, seq=3, one_at_a_time=True) == "allowed"


def test_cmp_case_07_once_per_24_hours():
    rule = frequency(mode="once_per", period="PT24H")
    entered = []
    for hours in (9, 15, 24 + 8 + 59 / 60, 24 + 9):
        occurred = MONDAY + hours * HOUR
        if verdict(rule, entered, occurred) == "allowed":
            entered.append(journey(occurred))
    assert [j.started.at for j in entered] == [MONDAY + 9 * HOUR, MONDAY + 33 * HOUR]


def test_once_is_once_whatever_became_of_it():
    rule = frequency(mode="once")
    assert verdict(rule, [], MONDAY) == "allowed"
    assert verdict(rule, [journey(MONDAY - 900 * DAY, MONDAY - 900 * DAY)], MONDAY) == "once"


def test_cmp_case_09_every_event_starts_a_journey_of_its_own():
    assert verdict(frequency(mode="every"), [journey(MONDAY)], MONDAY) == "allowed"


def test_a_refusal_explains_itself():
    refused = entry_allowed(frequency(mode="once"), [journey(MONDAY)], Position(MONDAY, 3))
    assert isinstance(refused, Refused)
    assert refused.explanation.endswith(".")


@pytest.mark.parametrize(
    ("document", "where", "code"),
    [
        ({"mode": "weekly"}, ("mode",), "enum"),
        ({"mode": "interval"}, ("interval",), "missing"),
        ({"mode": 3}, ("mode",), "enum"),
        ({}, ("mode",), "required"),
        ("once", (), "type"),
        ({"mode": "once", "min_wait": "P1D"}, ("min_wait",), "extra_forbidden"),
        ({"mode": "once_per"}, ("period",), "missing"),
    ],
)
def test_frequency_refusals(document, where, code):
    with pytest.raises(ValidationError) as caught:
        FREQUENCY.validate_python(document)
    assert [(e["loc"], e["type"]) for e in caught.value.errors()] == [(where, code)]


@pytest.mark.parametrize(
    "document", [{"mode": "once"}, {"mode": "every", "min_wait": 60}, {"mode": "once_per", "period": "PT24H"}]
)
def test_frequencies_go_back_to_the_wire_as_they_came(document):
    assert FREQUENCY.dump_python(FREQUENCY.validate_python(document), mode="json") == document


SHORT = workflow("a", a={"type": "time_delay", "duration": "PT1H"})
LONG = workflow("a", a={"type": "time_delay", "duration": "P4D", "next": "b"}, b=email())
LATER = workflow("a", a=email(next="b"), b={"type": "time_delay", "duration": "P9D"})


@pytest.mark.parametrize(("subject", "hours"), [(SHORT, 72), (LONG, 96), (LATER, 72), (workflow(None), 72)])
def test_the_age_limit_follows_a_leading_delay(subject, hours):
    assert age_limit(subject) == timedelta(hours=hours)


@pytest.mark.parametrize(
    ("subject", "age", "enters"),
    [(SHORT, 71, True), (SHORT, 73, False), (SHORT, 72, False), (LONG, 95, True), (LONG, 96, False)],
)
def test_ppl_case_15_backfill_trigger(subject, age, enters):
    assert event_may_trigger(event("e", NOW - age * HOUR), NOW - 10 * DAY, NOW, subject) is enters


def test_ppl_case_15_events_from_before_the_start_do_not_enter():
    started = NOW.replace(microsecond=700_000)
    assert not event_may_trigger(event("e", NOW - timedelta(seconds=1)), started, NOW, SHORT)
    assert event_may_trigger(event("e", NOW), started, NOW, SHORT)


def test_a_leading_delay_counts_from_the_event():
    trigger = event("e", NOW - DAY)
    entered = Position(NOW, 8)
    assert first_arrival(LONG, entered, trigger) == Position(NOW - DAY, 8)
    assert first_arrival(LATER, entered, trigger) == entered
    assert first_arrival(LONG, entered, None) == entered


@pytest.mark.parametrize(
    ("rule", "matched", "goal", "reason"),
    [
        ("filters", True, True, None),
        ("filters", False, True, "filters"),
        ("goal", False, False, None),
        ("goal", False, True, "goal"),
        ("goal_or_filters", False, True, "goal"),
        ("goal_or_filters", False, False, "filters"),
        ("goal_or_filters", True, False, None),
        ("never", False, True, None),
    ],
)
def test_exit_rules(rule, matched, goal, reason):
    assert exit_verdict(rule, matched, goal) == reason
    as_trigger = "trigger" if reason == "filters" else reason
    assert exit_verdict(rule, matched, goal, rechecks_trigger=True) == as_trigger


def test_cmp_case_31_a_goal_matched_to_the_trigger():
    goal = Goal.model_validate(
        {"event": "course_finished", "where": {"field": "course_id", "value": {"from": "event.course_id"}}}
    )
    finished = event("course_finished", NOW, seq=20, course_id=8)
    assert goal_event_matches(goal, finished, facts(trigger=event("course_started", course_id=8)))
    assert not goal_event_matches(goal, finished, facts(trigger=event("course_started", course_id=7)))


@pytest.mark.parametrize(
    ("name", "counts"), [("Purchase", True), ("purchase", False), ("Purchase ", True), ("Purchases", False)]
)
def test_goal_names_count_to_the_letter(name, counts):
    assert goal_event_matches(Goal.model_validate({"event": " Purchase"}), event(name, NOW, seq=9), facts()) is counts


def test_a_goal_event_counts_by_when_it_was_received():
    goal = Goal.model_validate({"event": "p"})
    person = facts(started=Position(NOW, 5))
    assert not goal_event_matches(goal, event("p", NOW + HOUR, seq=5), person)
    assert goal_event_matches(goal, event("p", NOW - DAY, seq=6), person)


def test_cmp_case_26_segment_goals_hold_for_members_from_before():
    enters, leaves = (Goal.model_validate({word: 1}) for word in ("enters_segment", "leaves_segment"))
    assert goal_segment_met(enters, facts(segments=(1,)))
    assert not goal_segment_met(enters, facts())
    assert goal_segment_met(leaves, facts())
    assert not goal_segment_met(leaves, facts(segments=(1,)))
    assert not goal_segment_met(Goal.model_validate({"event": "e"}), facts())
    assert (enters.segment, Goal.model_validate({"leaves_segment": "paid"}).segment) == (1, "paid")


@pytest.mark.parametrize(
    ("document", "where", "code"),
    [
        ({}, (), "required"),
        ({"event": "e", "enters_segment": 1}, (), "type"),
        ({"enters_segment": 1, "where": {"field": "a"}}, ("where",), "not_applicable"),
        ({"event": "e", "within": "P91D"}, ("within",), "range"),
        ({"event": "e", "within": 0}, ("within",), "range"),
        ({"event": ""}, ("event",), "string_too_short"),
        ({"event": "e", "of": "delivered"}, ("of",), "literal_error"),
        ({"enters_segment": 0}, ("enters_segment",), "range"),
        ({"enters_segment": "Big"}, ("enters_segment",), "format"),
        ({"enters_segment": True}, ("enters_segment",), "type"),
    ],
)
def test_goal_refusals(document, where, code):
    with pytest.raises(ValidationError) as caught:
        Goal.model_validate(document)
    assert [(e["loc"], e["type"]) for e in caught.value.errors()] == [(where, code)]


def test_the_goal_window_defaults_to_seven_days():
    goal = Goal.model_validate({"event": "e"})
    assert goal.within.delta == 7 * DAY
    assert Goal.model_validate(goal.model_dump(mode="json")) == goal


def test_blocks_do_not_depend_on_the_order_of_their_fields():
    adapter = TypeAdapter(AnyBlock)
    one = adapter.validate_python({"type": "time_delay", "duration": 5, "next": "b"})
    assert adapter.validate_python({"next": "b", "duration": 5, "type": "time_delay"}) == one
