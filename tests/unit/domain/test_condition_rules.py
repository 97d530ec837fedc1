from __future__ import annotations

from typing import Any

import pytest

from domain.condition_rules import Place, Where, check_condition, check_where, is_positive
from domain.conditions import parse_condition

ATTRIBUTE = {"attribute": {"field": "plan"}}
SEGMENT = {"segment": "vip"}
PERFORMED = {"performed": {"event": "buy"}}
EVENT = {"event": {"field": "total"}}
MESSAGE = {"message": {"channel": "email", "status": "opened"}}
DEVICE = {"device": {"where": {"field": "platform", "value": "ios"}}}
RELATED = {"related": {"to": "account"}}
PERSON = {"attribute", "segment", "performed"}
ALL = PERSON | {"message", "device", "related"}


def problems(
    raw: Any, place: Place, trigger_type: str | None = None, *, in_workflow: Any = False, **more: Any
) -> list[tuple[str, str]]:
    condition = parse_condition(raw)
    found = check_condition(condition, place, pointer="/c", trigger_type=trigger_type, in_workflow=in_workflow, **more)
    return [(problem.code, problem.pointer) for problem in found]


def wrapped(leaf: Any, levels: int, word: Any = "not") -> Any:
    for _ in range(levels):
        leaf = {"not": leaf} if word == "not" else {word: [leaf]}
    return leaf


@pytest.mark.parametrize(
    ("place", "trigger_type", "allowed"),
    [
        ("segment", None, ALL),
        ("trigger", "segment", {"attribute", "segment"}),
        ("filters", "event", {"segment"}),
        ("block", "event", ALL | {"event"}),
        ("branch", "form", ALL - {"message"} | {"event"}),
        ("true_false", "event", ALL | {"event"}),
        ("block", "segment", ALL),
        ("block", "date", ALL),
        ("wait", "event", PERSON | {"message"}),
        ("block", "webhook", set()),
    ],
)
def test_what_may_stand_where(place: Place, trigger_type: str | None, allowed: Any) -> None:
    for leaf in (ATTRIBUTE, SEGMENT, PERFORMED, EVENT, MESSAGE, DEVICE, RELATED):
        (root,) = leaf
        found = [
            p for p in problems([leaf, ATTRIBUTE], place, trigger_type, in_workflow=True) if p[1].startswith("/c/0")
        ]
        assert found == ([] if root in allowed else [("root_not_allowed", f"/c/0/{root}")])


def test_depth_and_size_have_limits() -> None:
    assert problems(wrapped(ATTRIBUTE, 10), "segment") == []
    assert problems(wrapped(ATTRIBUTE, 11), "segment") == [("too_complex", "/c")]
    assert problems([ATTRIBUTE] * 200, "segment") == []
    assert problems([ATTRIBUTE] * 201, "segment") == [("too_complex", "/c")]


def test_a_where_has_the_same_limits() -> None:
    where = {"performed": {"event": "x", "where": [{"field": "a"}] * 201}}
    assert problems(where, "segment") == [("too_complex", "/c/performed/where")]


def test_since_belongs_into_workflows_and_wait_start_into_waits() -> None:
    trigger, wait_start = ({"performed": {"event": "x", "since": since}} for since in ("trigger", "wait_start"))
    refused = [("since_not_allowed", "/c/performed/since")]
    assert problems(trigger, "segment") == refused
    assert problems(trigger, "block", "event", in_workflow=True) == []
    assert problems(wait_start, "segment") == refused
    assert problems(wait_start, "block", "event", in_workflow=True) == refused
    assert problems(wait_start, "wait", "event", in_workflow=True) == []


def test_is_belongs_into_waits() -> None:
    entered = {"message": {"channel": "email", "status": "opened", "mode": "is"}}
    refused = [("mode_not_allowed", "/c/message/mode")]
    assert problems(entered, "segment") == refused
    assert problems(entered, "block", "event", in_workflow=True) == refused
    assert problems(entered, "true_false", "event", in_workflow=True) == refused
    assert problems(entered, "wait", "event", in_workflow=True) == []


def test_a_block_by_itself_is_one_of_the_workflow_around() -> None:
    of_block = {"message": {"of": {"block": "hello"}, "status": "sent"}}
    assert problems(of_block, "segment") == [("required", "/c/message/of/campaign")]
    for place in ("block", "true_false", "wait"):
        assert problems(of_block, place, "event", in_workflow=True) == []


def test_nested_data_of_devices_is_not_for_segments() -> None:
    raw = {"device": {"where": [{"field": "platform"}, {"or": [{"field": "os.version"}, {"field": "apps[]"}]}]}}
    assert problems(raw, "segment") == [
        ("not_applicable", "/c/device/where/1/or/0/field"),
        ("not_applicable", "/c/device/where/1/or/1/field"),
    ]
    assert problems(raw, "block", "event", in_workflow=True) == []


def test_trigger_data_is_not_for_segments() -> None:
    wheres = {
        "/c/device/where/value": {"device": {"where": {"field": "a", "value": {"from": "event.x"}}}},
        "/c/related/object/value": {"related": {"to": "a", "object": {"field": "a", "value": {"from": "trigger.x"}}}},
        "/c/related/relationship/0/value": {
            "related": {"to": "a", "relationship": [{"field": "a", "value": {"from": "journey.x"}}]}
        },
    }
    for pointer, raw in wheres.items():
        assert problems(raw, "segment") == [("root_not_allowed", pointer)]
    assert problems(wheres["/c/device/where/value"], "block", "event", in_workflow=True) == []


def test_or_is_refused_in_true_false_branches_only_and_at_any_depth() -> None:
    raw = [ATTRIBUTE, {"not": {"or": [SEGMENT, ATTRIBUTE]}}]
    assert problems(raw, "true_false", "event", in_workflow=True) == [("or_not_allowed", "/c")]
    assert problems(raw, "branch", "event", in_workflow=True) == []
    assert problems([ATTRIBUTE, SEGMENT], "true_false", "event", in_workflow=True) == []


def test_internal_attributes_cannot_be_tested_but_one() -> None:
    assert problems({"attribute": {"field": "_last_visit"}}, "segment") == [
        ("internal_attribute", "/c/attribute/field")
    ]
    assert problems({"attribute": {"field": "_created_in_customerio_at", "operator": "is_timestamp"}}, "segment") == []
    for written in ("_cio.name", "_list[]", "['_last_visit']", '["_last_visit"].at'):
        assert problems({"attribute": {"field": written}}, "segment") == [("internal_attribute", "/c/attribute/field")]
    assert problems({"performed": {"event": "x", "where": {"field": "_x"}}}, "segment") == []
    assert problems({"device": {"where": {"field": "_x"}}}, "segment") == []


def test_segments_nest_once() -> None:
    def has_segments(ref: str | int) -> bool:
        return ref == "outer"

    assert problems([ATTRIBUTE, {"segment": "outer"}], "segment", segment_has_segments=has_segments) == [
        ("nested_segment", "/c/1/segment")
    ]
    assert problems({"segment": "inner"}, "segment", segment_has_segments=has_segments) == []
    assert problems({"segment": "outer"}, "block", "event", in_workflow=True, segment_has_segments=has_segments) == []


@pytest.mark.parametrize(
    ("raw", "positive"),
    [
        (SEGMENT, True),
        (ATTRIBUTE, True),
        ({"attribute": {"field": "plan", "inverse": True}}, True),
        ({"not": ATTRIBUTE}, True),
        ({"segment": {"id": 4, "inverse": True}}, False),
        ({"not": SEGMENT}, False),
        ({"not": {"or": [{"segment": 4}, {"segment": 5}]}}, False),
        ({"not": {"segment": {"id": 4, "inverse": True}}}, True),
        ({"not": {"and": [{"segment": 4}, {"not": {"segment": 5}}]}}, True),
        ([{"segment": {"id": 4, "inverse": True}}, SEGMENT], True),
    ],
)
def test_ppl_case_29_a_trigger_needs_something_positive(raw: Any, positive: Any) -> None:
    assert is_positive(parse_condition(raw)) is positive
    assert problems(raw, "trigger", "segment") == ([] if positive else [("no_positive_condition", "/c")])


def reads(root: Any) -> dict[str, Any]:
    return {"attribute": {"field": "a", "value": {"from": f"{root}.x"}}}


@pytest.mark.parametrize(
    ("place", "trigger_type", "allowed"),
    [
        ("segment", None, {"customer"}),
        ("trigger", "segment", {"customer"}),
        ("block", "segment", {"customer", "journey"}),
        ("block", "event", {"customer", "journey", "event"}),
        ("wait", "form", {"customer", "journey", "event"}),
    ],
)
def test_operands_are_read_where_they_exist(place: Place, trigger_type: str | None, allowed: Any) -> None:
    for root in ("customer", "journey", "event", "trigger", "object", "match", "response"):
        found = problems(reads(root), place, trigger_type, in_workflow=True)
        assert found == ([] if root in allowed else [("root_not_allowed", "/c/attribute/value")])


def test_operands_inside_lists_and_wheres_are_found() -> None:
    raw = {
        "performed": {
            "event": "x",
            "where": [
                {"field": "a", "operator": "between", "value": [1, {"from": "event.x"}]},
                {"field": "a", "value": {"from": "customer.x"}},
            ],
        }
    }
    assert problems(raw, "segment") == [("root_not_allowed", "/c/performed/where/0/value/1")]
    assert problems(raw, "wait", "event", in_workflow=True) == []


def test_wheres_of_goals_and_triggers() -> None:
    where = Where.parse({"field": "course_id", "value": {"from": "event.course_id"}})
    assert check_where(where, "goal_where", pointer="/goal/where", trigger_type="event") == []
    (problem,) = check_where(where, "trigger_where", pointer="/trigger/where", trigger_type="event")
    assert (problem.code, problem.pointer) == ("root_not_allowed", "/trigger/where/value")
    assert check_where(Where.parse([{"field": "a"}]), "trigger_where", pointer="/w", trigger_type="event") == []


def test_everything_wrong_is_reported_at_once() -> None:
    raw = [EVENT, {"attribute": {"field": "_x"}}, {"performed": {"event": "x", "since": "trigger"}}]
    assert [code for code, _ in problems(raw, "segment")] == [
        "root_not_allowed",
        "internal_attribute",
        "since_not_allowed",
    ]
