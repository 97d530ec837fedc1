"""Delays, messages, data, exits: blocks with one way on, or none."""

from __future__ import annotations

from datetime import timedelta

import pytest
from pydantic import ValidationError

from domain.blocks import BLOCKS
from domain.effects import Act, Deliver, Exit
from tests.unit.domain.making import BLOCK, MESSAGE, NOW, at, block, due, email, event, facts, left, plan

DAY = timedelta(days=1)
PRO = {"attribute": {"field": "plan", "value": "pro"}}


def problems(**fields):
    with pytest.raises(ValidationError) as caught:
        block(**fields)
    return {("/".join(map(str, e["loc"])), e["type"]) for e in caught.value.errors()}


def test_a_delay_counts_from_arrival():
    delay = block(type="time_delay", duration="P2D", next="b")
    waiting = plan(delay, NOW + DAY, facts(), arrived=at(NOW))
    assert due(waiting) == NOW + 2 * DAY
    assert left(plan(delay, NOW + 2 * DAY, facts(), arrived=at(NOW), wait=waiting.wait)).next == "b"


def test_a_delay_woken_early_keeps_waiting():
    delay = block(type="time_delay", duration=60, next="b")
    first = plan(delay, NOW, facts())
    again = plan(delay, NOW + timedelta(seconds=59), facts(), arrived=at(NOW), wait=first.wait)
    assert again == first


def test_a_delay_of_nothing_passes_through():
    assert left(plan(block(type="time_delay", duration=0, next="b"), NOW, facts())).outcome == "done"


@pytest.mark.parametrize(
    ("before", "after", "waited", "rest"), [("P7D", "P5D", 6, None), ("P7D", "P5D", 3, 2), ("P5D", "P7D", 4, 3)]
)
def test_act_case_06_delay_edits_count_from_arrival(before, after, waited, rest):
    old = block(type="time_delay", duration=before, next="b")
    new = block(type="time_delay", duration=after, next="b")
    standing = plan(old, NOW, facts()).wait
    now = NOW + waited * DAY
    replanned = plan(new, now, facts(), arrived=at(NOW), wait=standing)
    if rest is None:
        assert left(replanned).next == "b"
    else:
        assert due(replanned) == now + rest * DAY
        assert replanned.wait is not None
        assert replanned.wait.definition_hash == new.definition_hash()


@pytest.mark.parametrize(("cohort", "minutes"), [("A", 5), ("B", 10), (None, None)])
def test_act_case_07_delays_with_conditions(cohort, minutes):
    person = facts(attributes={"cohort": cohort} if cohort else {})
    five = block(
        type="time_delay", duration="PT5M", conditions={"attribute": {"field": "cohort", "value": "A"}}, next="b"
    )
    ten = block(
        type="time_delay", duration="PT10M", conditions={"attribute": {"field": "cohort", "value": "B"}}, next="m"
    )
    total = timedelta(0)
    for delay in (five, ten):
        planned = plan(delay, NOW + total, person)
        if planned.wait is None:
            assert left(planned).outcome == "skipped"
        else:
            deadline = due(planned)
            assert deadline is not None
            total = deadline - NOW
    assert total == timedelta(minutes=minutes or 0)


def test_action_conditions_are_asked_on_arrival_only():
    delay = block(type="time_delay", duration="PT5M", conditions=PRO, next="b")
    waiting = plan(delay, NOW, facts(attributes={"plan": "pro"}))
    again = plan(
        delay, NOW + timedelta(minutes=1), facts(attributes={"plan": "free"}), arrived=at(NOW), wait=waiting.wait
    )
    assert due(again) == NOW + timedelta(minutes=5)


def test_unmet_conditions_skip_and_say_why():
    skipped = left(plan(block(**email(conditions=PRO, next="b")), NOW, facts()))
    assert (skipped.next, skipped.outcome) == ("b", "skipped")
    assert skipped.explanation is not None
    assert "plan" in skipped.explanation


def test_act_case_22_any_past_performance_meets_a_condition():
    bought = block(**email(conditions={"performed": {"event": "purchase"}}))
    long_ago = facts(events=(event("purchase", NOW - 3 * 365 * DAY),))
    assert plan(bought, NOW, long_ago).effect == Deliver(channel="email")


@pytest.mark.parametrize("state", ["automatic", "draft"])
def test_an_email_is_delivered_or_drafted_by_the_same_effect(state):
    assert plan(block(**email(sending_state=state)), NOW, facts()).effect == Deliver(channel="email")


def test_cmp_case_39_off_skips_the_block():
    skipped = left(plan(block(**email(sending_state="off", next="b")), NOW, facts()))
    assert (skipped.next, skipped.outcome) == ("b", "skipped")
    update = block(type="update_person", set={"a": 1}, sending_state="off", next="b")
    assert left(plan(update, NOW, facts())).outcome == "skipped"


def test_defaults_are_draft_for_messages_and_automatic_for_data():
    assert block(type="email", message=MESSAGE).sending_state == "draft"
    assert block(type="update_person", set={"a": 1}).sending_state == "automatic"


def test_an_update_acts():
    assert plan(block(type="update_person", remove=["a"]), NOW, facts()).effect == Act(action="update_person")


@pytest.mark.parametrize("action", ["add", "remove"])
def test_act_27_a_segment_update_acts(action):
    update = block(type="segment_update", segment="beta", action=action)
    assert plan(update, NOW, facts()).effect == Act(action="segment_update")
    assert (update.adds, update.sending_state) == (action == "add", "automatic")


def test_an_exit_ends_the_journey_and_names_itself():
    effect = plan(block(type="exit", name="Too young"), NOW, facts()).effect
    assert isinstance(effect, Exit)
    assert effect.reason == "exit_block"
    assert effect.explanation is not None
    assert "Too young" in effect.explanation


def test_waiting_depends_on_the_length_and_on_nothing_else():
    one = block(type="time_delay", duration="P2D", next="b", name="A", note="n")
    other = block(type="time_delay", duration="PT48H", next="c", conditions=PRO)
    assert one.definition_hash() == other.definition_hash()
    assert one.definition_hash() != block(type="time_delay", duration="P3D").definition_hash()


def test_an_unknown_type_is_one_error_that_lists_the_known_ones():
    with pytest.raises(ValidationError) as caught:
        block(type="fax", message={}, nonsense=1)
    (error,) = caught.value.errors()
    assert (error["type"], error["loc"]) == ("enum", ("type",))
    for known in tuple(BLOCKS):
        assert known in error["msg"]


@pytest.mark.parametrize("wrong", [[], "email", 3, None])
def test_a_block_is_an_object(wrong):
    with pytest.raises(ValidationError) as caught:
        BLOCK.validate_python(wrong)
    assert [e["type"] for e in caught.value.errors()] == ["type"]


def test_refusals_point_at_the_field():
    assert problems() == {("type", "missing")}
    assert problems(type=["email"]) == {("type", "enum")}
    assert problems(type="email", message=MESSAGE, holdout="yes") == {("holdout", "bool_type")}
    assert problems(type="email", message=MESSAGE, subscription={"topic": "x"}) == {
        ("subscription/topic", "unknown_reference")
    }
    assert problems(type="email", message=MESSAGE, message_limit="observe") == {("message_limit", "literal_error")}
    assert problems(type="email", message=MESSAGE, note=None) == {("note", "type")}
    assert problems(type="time_delay", duration="P1M") == {("duration", "format")}
    assert problems(type="exit", next="b") == {("next", "extra_forbidden")}


def test_update_person_refusals():
    assert problems(type="update_person") == {("set", "required")}
    assert problems(type="update_person", set={}) == {("set", "length")}
    assert problems(type="update_person", remove=[]) == {("remove", "length")}
    assert problems(type="update_person", set={"_a": 1}, remove=["_b"]) == {
        ("set/_a", "internal_attribute"),
        ("remove/0", "internal_attribute"),
    }
    assert problems(type="update_person", set={"a": {"b": 1}}) == {("set/a", "type")}
    assert problems(type="update_person", set={"a": {"from": "nowhere.x"}}) == {("set/a/from", "format")}
    assert problems(type="update_person", set={"a": 1}, target="me") == {("target", "enum")}
    assert problems(type="update_person", set={"a": 1}, target={}) == {("target", "required")}
    assert problems(type="update_person", set={"a": 1}, target={"id": 1, "email": "x"}) == {("target", "required")}


def test_act_27_segment_update_refusals():
    assert problems(type="segment_update") == {("segment", "missing"), ("action", "missing")}
    assert problems(type="segment_update", segment="", action="toggle") == {
        ("segment", "format"),
        ("action", "literal_error"),
    }
    assert problems(type="segment_update", segment={"key": "beta"}, action="add") == {("segment", "type")}


def test_targets_name_one_identifier():
    update = block(type="update_person", set={"a": 1}, target={"email": {"liquid": "{{ event.email }}"}})
    assert update.target.identifier[0] == "email"
    assert update.model_dump(mode="json")["target"] == {"email": {"liquid": "{{ event.email }}"}}
