"""What every block of the registry must keep, whatever it does."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import TypeAdapter, ValidationError

from domain.blocks import BLOCKS, AnyBlock, BranchBlock, Planned, StepBlock
from domain.conditions import Condition
from domain.effects import Goto, Wait
from domain.facts import EventFact, Facts, JourneyFacts, Position

ADAPTER = TypeAdapter(AnyBlock)
NOW = datetime(2026, 6, 13, 12, tzinfo=UTC)
PRO = {"attribute": {"field": "plan", "value": "pro"}}
MESSAGE = {"subject": "s", "body": "b", "headers": [{"name": "X-A", "value": "{{ event.x }}"}]}

SAMPLES = {
    "time_delay": [{"duration": "P2D", "next": "b"}, {"duration": 0}, {"duration": 60, "conditions": PRO, "next": "b"}],
    "time_window": [
        {"days": ["mon"], "hours": "all_day", "timezone": "Asia/Tokyo", "next": "b"},
        {
            "days": ["sat", "sun"],
            "hours": [{"from": "22:00", "to": "02:00"}, {"from": "10:00", "to": "24:00"}],
            "timezone": "UTC",
            "use_customer_timezone": True,
            "conditions": [PRO],
        },
    ],
    "wait_until": [
        {
            "paths": [
                {"key": "pro", "conditions": PRO, "next": "b"},
                {"key": "late", "max_time": "P3D", "name": "Late"},
            ],
            "join": "c",
        },
        {"paths": [{"key": "due", "event_time": {"field": "at", "before": "P1D"}, "next": "b"}]},
    ],
    "true_false": [{"conditions": PRO, "then": "b", "else": "c", "join": "d"}, {}],
    "email": [{"message": MESSAGE, "next": "b"}, {"message": MESSAGE, "sending_state": "off", "conditions": PRO}],
    "sms": [
        {"message": {"body": "Hi {{ customer.name }}", "sender": "number"}, "next": "b"},
        {"message": {"body": "A"}, "ab_test": {"percent": 30, "message": {"body": "B"}, "sending_state": "off"}},
        {"holdout": True},
    ],
    "push": [
        {"message": {"message": "Hi", "custom_data": {"a": "{{ event.x }}"}, "to": "last_used"}},
        {"message": {"custom_payload": {"ios": {"aps": {"alert": "x"}}}}, "ab_test": {"percent": 20, "holdout": True}},
    ],
    "slack": [
        {"message": {"text": "Hi {{ customer.name }}"}, "next": "b"},
        {"message": {"text": "x", "channel": "#a"}},
    ],
    "webhook": [
        {"request": {"url": "https://example.com/{{ customer.id }}", "method": "GET"}, "next": "b"},
        {"request": {"webhook": "crm", "body": "{}"}, "response": {"journey": {"a": "response.b"}}, "conditions": PRO},
    ],
    "in_app": [
        {
            "message": {
                "body": "b",
                "display": {"mode": "overlay", "position": "top"},
                "page_rules": [{"rule": "include", "platform": "web", "value": "/"}],
                "expires": "P14D",
            }
        },
        {"holdout": True, "next": "b"},
    ],
    "inbox": [{"message": {"properties": {"title": "{{ event.x }}", "n": [1, None]}, "topics": ["a"], "expires": 600}}],
    "whatsapp": [{"message": {"template": {"name": "t", "language": "en", "variables": {"1": "x"}}, "from": "+1555"}}],
    "line": [{"message": {"text": "hi"}}, {"message": {"image_url": "https://example.com/a.png"}}],
    "update_person": [
        {"set": {"a.b": {"from": "event.x"}, "c": None}, "remove": ["d"], "next": "b"},
        {"set": {"a": [1]}, "target": {"id": {"liquid": "{{ event.id }}"}}, "sending_state": "draft"},
    ],
    "segment_update": [
        {"segment": "beta", "action": "add", "next": "b"},
        {"segment": 7, "action": "remove", "conditions": PRO, "sending_state": "off"},
    ],
    "send_event": [
        {"event": "bought", "next": "b"},
        {
            "event": {"liquid": "by_{{ customer.plan }}"},
            "target": {"email": {"from": "event.email"}, "workspace": 2},
            "data": {"a": {"javascript": "return 1"}, "from": 3, "static": None},
            "conditions": PRO,
        },
        {"event": {"from": "event.name"}, "data": {"javascript": "return {};"}, "sending_state": "off"},
        {"event": 7, "data": {"liquid": "{}"}},
    ],
    "set_journey_attributes": [
        {"set": {"score": {"javascript": "return customer.visits"}, "a.b": {"static": {"c": 1}}}, "next": "b"},
        {"set": {"a": None}, "conditions": PRO, "sending_state": "draft"},
    ],
    "batch_update": [
        {"match": PRO, "set": {"a": {"from": "match.email"}}, "remove": ["b"], "next": "b"},
        {"match": [PRO], "event": "told", "data": {"who": {"from": "customer.id"}}, "sending_state": "off"},
        {"match": {"related": {"to": 1}}, "event": "told", "data": {"liquid": "{}"}, "conditions": PRO},
    ],
    "query_collection": [
        {
            "collection": "courses",
            "where": {"field": "level", "operator": "eq", "value": {"from": "customer.level"}},
            "sort": [{"field": "rank", "direction": "desc"}],
            "limit": 1,
            "store": {"journey": "course"},
            "next": "b",
        },
        {"collection": 3, "store": {"customer": "courses.all"}, "conditions": PRO},
    ],
    "random_delay": [
        {"min": "PT10M", "max": "PT60M", "next": "b"},
        {"min": 0, "max": 0},
        {"min": 60, "max": 60, "conditions": PRO},
    ],
    "multi_split": [
        {
            "paths": [{"key": "pro", "conditions": PRO, "next": "b"}, {"key": "none", "name": "None"}],
            "else": "c",
            "join": "d",
        },
        {"paths": [{"key": "a"}]},
    ],
    "random_cohort": [
        {"paths": [{"key": "a", "percent": 33.33, "next": "b"}, {"key": "b", "percent": 66.67}], "join": "d"},
        {"paths": [{"key": "a", "percent": 0}, {"key": "b", "percent": 100, "next": "b"}], "cohort_by": "person"},
        {
            "paths": [{"key": "a", "percent": 50}, {"key": "b", "percent": 50, "next": "b"}],
            "cohort_by": {"object_type": "account"},
        },
    ],
    "llm": [
        {
            "provider": "anthropic",
            "model": "small",
            "prompt": "Rate {{ event.text }}",
            "fields": [{"name": "intent", "type": "select", "options": ["buy", "browse"], "fallback": "browse"}],
            "next": "b",
        },
        {
            "provider": "fake",
            "model": "m",
            "prompt": "p",
            "fields": [
                {"name": "n", "type": "integer", "required": False},
                {"name": "s", "type": "text", "target": "customer"},
            ],
            "sending_state": "draft",
            "conditions": PRO,
        },
    ],
    "exit": [{"name": "Done"}, {}],
}
CASES = [
    pytest.param({"type": kind, **body}, id=f"{kind}-{i}") for kind in BLOCKS for i, body in enumerate(SAMPLES[kind])
]


def people():
    trigger = EventFact(name="booked", at=NOW, seq=3, data={"at": int((NOW + timedelta(days=2)).timestamp())})
    journey = JourneyFacts(journey_id="j", started=Position(NOW, 3), trigger_event=trigger)
    for attributes in ({}, {"plan": "pro", "timezone": "US/Pacific"}, {"timezone": "Mars/Base"}):
        yield Facts(attributes=attributes, age_start=NOW - timedelta(days=9), journey=journey)
        yield Facts(attributes=attributes, age_start=NOW - timedelta(days=9))


def visits(subject):
    """Plans on arrival, and again later with the state stored then."""
    for person in people():
        planned = subject.plan("here", Position(NOW, 4), NOW, None, person)
        yield (Position(NOW, 4), NOW, None, person), planned
        for days in (0, 1, 9):
            arguments = (Position(NOW, 4), NOW + timedelta(days=days), planned.wait, person)
            if planned.wait is not None:
                yield arguments, subject.plan("here", *arguments)


def test_every_block_of_the_registry_has_samples():
    assert set(SAMPLES) == set(BLOCKS)


@pytest.mark.parametrize("document", CASES)
def test_blocks_round_trip_through_json(document):
    subject = ADAPTER.validate_python(document)
    assert type(subject) is BLOCKS[document["type"]]
    for compact in (False, True):
        text = json.dumps(ADAPTER.dump_python(subject, mode="json", exclude_defaults=compact))
        assert ADAPTER.validate_python(json.loads(text)) == subject
    assert ADAPTER.validate_json(ADAPTER.dump_json(subject)) == subject


@pytest.mark.parametrize("document", CASES)
def test_what_is_written_comes_back_and_nothing_is_null_but_ways(document):
    dumped = ADAPTER.dump_python(ADAPTER.validate_python(document), mode="json")
    ways = {"next", "then", "else", "join"}
    assert {name for name, value in dumped.items() if value is None} <= ways
    for name in document.keys() - {
        "ab_test",
        "conditions",
        "fields",
        "match",
        "message",
        "paths",
        "request",
        "sort",
        "where",
    }:
        assert dumped[name] == document[name]


@pytest.mark.parametrize("document", CASES)
def test_unknown_fields_are_refused(document):
    with pytest.raises(ValidationError) as caught:
        ADAPTER.validate_python({**document, "colour": "red"})
    assert [(e["loc"], e["type"]) for e in caught.value.errors()] == [(("colour",), "extra_forbidden")]


@pytest.mark.parametrize("document", CASES)
def test_every_successor_a_plan_names_is_declared(document):
    subject = ADAPTER.validate_python(document)
    for _, planned in visits(subject):
        if isinstance(planned.effect, Goto):
            assert planned.effect.next is None or planned.effect.next in subject.successors()


@pytest.mark.parametrize("document", CASES)
def test_the_same_arguments_give_the_same_effect(document):
    subject, twin = ADAPTER.validate_python(document), ADAPTER.validate_python(document)
    for arguments, planned in visits(subject):
        assert twin.plan("here", *arguments) == planned
    assert subject.definition_hash() == twin.definition_hash()


@pytest.mark.parametrize("document", CASES)
def test_plans_survive_storage_and_waits_are_aware_and_to_come(document):
    for arguments, planned in visits(ADAPTER.validate_python(document)):
        assert Planned.model_validate_json(planned.model_dump_json()) == planned
        if not isinstance(planned.effect, Wait):
            assert planned.wait is None
            continue
        assert planned.wait is not None
        assert planned.wait.due_at == planned.effect.due_at
        if planned.effect.due_at is not None:
            assert planned.effect.due_at.tzinfo is not None
            assert planned.effect.due_at > arguments[1]


@pytest.mark.parametrize("document", CASES)
def test_a_block_is_left_in_the_end_or_waits_for_a_fact(document):
    subject = ADAPTER.validate_python(document)
    for person in people():
        now, wait = NOW, None
        for _ in range(20):
            planned = subject.plan("here", Position(NOW, 4), now, wait, person)
            if not isinstance(planned.effect, Wait) or planned.effect.due_at is None:
                break
            now, wait = planned.effect.due_at, planned.wait
        else:
            pytest.fail("still waiting after twenty deadlines")


@pytest.mark.parametrize("document", CASES)
def test_what_a_plan_may_ask_is_declared(document):
    subject = ADAPTER.validate_python(document)
    named = ("conditions" in document) + sum("conditions" in path for path in document.get("paths", []))
    assert len(subject.needs_conditions()) == named
    assert all(isinstance(condition, Condition) for condition in subject.needs_conditions())


@pytest.mark.parametrize("document", CASES)
def test_names_notes_and_ways_do_not_move_anybody(document):
    subject = ADAPTER.validate_python(document)
    renamed = ADAPTER.validate_python({**document, "name": "New", "note": "n", "renamed_from": "old"})
    assert renamed.definition_hash() == subject.definition_hash()
    assert renamed.label("key") == "New"
    if isinstance(subject, StepBlock):
        assert ADAPTER.validate_python({**document, "next": "zz"}).definition_hash() == subject.definition_hash()
    if isinstance(subject, BranchBlock):
        assert ADAPTER.validate_python({**document, "join": "zz"}).definition_hash() == subject.definition_hash()


CONDITIONED = [case for case in CASES if "conditions" in case.values[0] and case.values[0]["type"] != "true_false"]


@pytest.mark.parametrize("document", CONDITIONED)
def test_unmet_conditions_skip_a_step_and_nothing_else_happens(document):
    subject = ADAPTER.validate_python(document)
    effect = subject.plan("here", Position(NOW, 4), NOW, None, next(people())).effect
    assert isinstance(effect, Goto)
    assert (effect.next, effect.outcome) == (subject.next, "skipped")


def test_the_schema_offers_every_block():
    schema = json.dumps(ADAPTER.json_schema())
    for kind in BLOCKS:
        assert f'"const": "{kind}"' in schema


def test_effects_of_the_registry_are_of_the_closed_list():
    seen = {planned.effect.type for case in CASES for _, planned in visits(ADAPTER.validate_python(case.values[0]))}
    assert seen == {"goto", "wait", "deliver", "act", "assign", "exit"}
