"""What documents may say of the blocks that change data, spread people and hold them (ACT-01, 06, 13, 14, 21 to 28)."""

from __future__ import annotations

from typing import Any

import pytest

from domain.definitions import read_definition
from domain.journey_attributes import accept
from services.definition_checks import check
from tests.support.live import campaign, on_event, on_match
from tests.support.rows import definition_row

PRO = {"attribute": {"field": "plan", "value": "pro"}}
GO = on_event("go")
HOOK = {"type": "webhook"}
B = "/workflow/blocks/b"
COURSES = {"kind": "collection", "key": "courses", "name": "Courses", "data": [{"a": 1}]}
ACCOUNT = {"kind": "object_type", "key": "account", "name": "Accounts", "singular_name": "Account"}


def problems(block: dict[str, Any], trigger: dict[str, Any] = GO) -> set[tuple[str, str]]:
    """Code and pointer of everything wrong with a campaign of this block."""
    document = campaign("c", trigger, "b", {"b": block})
    checked = check([("", document)], [definition_row(COURSES), definition_row(ACCOUNT, 2)], sandbox=True)
    return {(problem.code, problem.pointer) for problem in checked.errors}


def paths(count: int, **fields: Any) -> list[dict[str, Any]]:
    return [{"key": f"p{n}", **fields} for n in range(count)]


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        ({"type": "send_event"}, {("required", f"{B}/event")}),
        ({"type": "send_event", "event": ""}, {("length", f"{B}/event")}),
        ({"type": "send_event", "event": "a", "data": [1]}, {("type", f"{B}/data")}),
        (
            {"type": "send_event", "event": "a", "data": {"liquid": "{}", "x": 1}},
            {("unknown_field", f"{B}/data/x")},
        ),
        ({"type": "send_event", "event": "a", "data": {"x": {"y": 1}}}, {("type", f"{B}/data/x")}),
        (
            {"type": "send_event", "event": {"from": "trigger.x"}, "data": {"x": {"from": "match.id"}}},
            {("root_not_allowed", f"{B}/event/from"), ("root_not_allowed", f"{B}/data/x/from")},
        ),
        ({"type": "send_event", "event": "a", "data": {"liquid": "{{ a |"}}, {("liquid_syntax", f"{B}/data/liquid")}),
        ({"type": "send_event", "event": "a", "target": {"id": 1, "email": "b"}}, {("required", f"{B}/target")}),
        ({"type": "set_journey_attributes"}, {("required", f"{B}/set")}),
        ({"type": "set_journey_attributes", "set": {}}, {("length", f"{B}/set")}),
        ({"type": "set_journey_attributes", "set": {"a" * 129: 1}}, {("length", f"{B}/set/{'a' * 129}")}),
        ({"type": "set_journey_attributes", "set": {"é" * 65: 1}}, {("length", f"{B}/set/{'é' * 65}")}),
        ({"type": "set_journey_attributes", "set": {"a" * 128: 1}}, set()),
        ({"type": "batch_update", "match": PRO}, {("required", f"{B}/set")}),
        ({"type": "batch_update", "match": PRO, "set": {"a": 1}, "event": "x"}, {("required", f"{B}/set")}),
        ({"type": "batch_update", "match": PRO, "set": {"a": 1}, "data": {}}, {("not_applicable", f"{B}/data")}),
        ({"type": "batch_update", "match": PRO, "set": {"_a": 1}}, {("internal_attribute", f"{B}/set/_a")}),
        ({"type": "batch_update", "match": PRO, "set": {"a": {"from": "match.id"}}}, set()),
        (
            {"type": "batch_update", "match": {"segment": 4}, "set": {"a": 1}},
            {("root_not_allowed", f"{B}/match/segment"), ("unknown_reference", f"{B}/match/segment")},
        ),
        (
            {
                "type": "batch_update",
                "match": {"attribute": {"field": "a", "value": {"from": "trigger.x"}}},
                "set": {"a": 1},
            },
            {("root_not_allowed", f"{B}/match/attribute/value")},
        ),
        ({"type": "query_collection", "collection": "courses", "store": {"journey": "a"}}, set()),
        (
            {"type": "query_collection", "collection": "none", "store": {"journey": "a"}},
            {("unknown_reference", f"{B}/collection")},
        ),
        (
            {"type": "query_collection", "collection": "courses", "store": {"journey": "a", "customer": "b"}},
            {("required", f"{B}/store")},
        ),
        ({"type": "query_collection", "collection": "courses", "store": {}}, {("required", f"{B}/store")}),
        (
            {"type": "query_collection", "collection": "courses", "store": {"customer": "_a"}},
            {("internal_attribute", f"{B}/store/customer")},
        ),
        (
            {"type": "query_collection", "collection": "courses", "store": {"journey": "a"}, "limit": 0},
            {("range", f"{B}/limit")},
        ),
        ({"type": "random_delay", "min": "PT2M", "max": "PT1M"}, {("range", f"{B}/min")}),
        ({"type": "random_delay", "min": "PT1M"}, {("required", f"{B}/max")}),
        ({"type": "multi_split", "paths": []}, {("length", f"{B}/paths")}),
        ({"type": "multi_split", "paths": paths(20)}, set()),
        ({"type": "multi_split", "paths": [*paths(1), *paths(1)]}, {("duplicate", f"{B}/paths/1/key")}),
        (
            {"type": "multi_split", "paths": paths(1, conditions=[PRO, {"event": {"field": "a", "value": 1}}])},
            {("mixed_data_types", f"{B}/paths/0/conditions")},
        ),
        (
            {
                "type": "multi_split",
                "paths": [*paths(1, conditions=PRO), {"key": "x", "conditions": {"performed": {"event": "a"}}}],
            },
            {("mixed_data_types", f"{B}/paths/1/conditions")},
        ),
        (
            {
                "type": "multi_split",
                "paths": paths(1, conditions={"message": {"channel": "email", "status": "opened"}}),
            },
            {("root_not_allowed", f"{B}/paths/0/conditions/message")},
        ),
        ({"type": "random_cohort", "paths": paths(1, percent=100)}, {("length", f"{B}/paths")}),
        ({"type": "random_cohort", "paths": paths(21, percent=4)}, {("length", f"{B}/paths")}),
        ({"type": "random_cohort", "paths": paths(3, percent=33.33)}, {("percent_total", f"{B}/paths")}),
        ({"type": "random_cohort", "paths": paths(2, percent=50.001)}, None),
        ({"type": "random_cohort", "paths": paths(2, percent=150)}, None),
        ({"type": "random_cohort", "paths": paths(20, percent=5)}, set()),
        ({"type": "random_cohort", "paths": paths(2, percent=50), "cohort_by": {"object_type": "account"}}, set()),
        (
            {"type": "random_cohort", "paths": paths(2, percent=50), "cohort_by": {"object_type": "none"}},
            {("unknown_reference", f"{B}/cohort_by/object_type")},
        ),
        (
            {"type": "random_cohort", "paths": paths(2, percent=50), "cohort_by": "company"},
            {("enum", f"{B}/cohort_by")},
        ),
    ],
)
def test_what_is_refused_and_where(block: dict[str, Any], expected: set[tuple[str, str]] | None) -> None:
    found = problems(block)
    if expected is None:
        assert {code for code, _ in found} == {"range"}
    else:
        assert found == expected


def test_act_case_19_twenty_one_paths_are_refused() -> None:
    assert problems({"type": "multi_split", "paths": paths(21)}) == {("length", f"{B}/paths")}


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        ({"type": "send_event", "event": "a"}, {("target_required", f"{B}/target")}),
        ({"type": "send_event", "event": "a", "target": {"id": {"from": "trigger.id"}}}, set()),
        ({"type": "update_person", "set": {"a": 1}}, {("target_required", f"{B}/target")}),
        (
            {"type": "query_collection", "collection": "courses", "store": {"customer": "a"}},
            {("target_required", f"{B}/store/customer")},
        ),
        ({"type": "query_collection", "collection": "courses", "store": {"journey": "a"}}, set()),
        ({"type": "set_journey_attributes", "set": {"a": {"from": "trigger.a"}}}, set()),
        ({"type": "set_journey_attributes", "set": {"a": {"from": "customer.a"}}}, None),
        (
            {
                "type": "batch_update",
                "match": {"attribute": {"field": "a", "value": {"from": "trigger.x"}}},
                "set": {"a": 1},
            },
            set(),
        ),
        ({"type": "random_delay", "min": 0, "max": 1}, set()),
        ({"type": "multi_split", "paths": paths(1, conditions={"trigger": {"field": "a", "value": 1}})}, set()),
        ({"type": "random_cohort", "paths": paths(2, percent=50)}, set()),
        (
            {"type": "random_cohort", "paths": paths(2, percent=50), "cohort_by": {"object_type": "account"}},
            {("block_not_allowed", f"{B}/type")},
        ),
    ],
)
def test_what_stands_where_nobody_travels(block: dict[str, Any], expected: set[tuple[str, str]] | None) -> None:
    found = problems(block, HOOK)
    if expected is None:
        assert found == {("root_not_allowed", f"{B}/set/a/from")}
    else:
        assert found == expected


def test_the_event_is_no_root_of_a_split_in_a_segment_campaign() -> None:
    block = {"type": "multi_split", "paths": paths(1, conditions={"event": {"field": "a", "value": 1}})}
    found = problems(block, on_match(PRO))
    assert ("root_not_allowed", f"{B}/paths/0/conditions/event") in found


def test_a_document_goes_back_as_it_came() -> None:
    block = {"type": "random_cohort", "paths": [{"key": "a", "percent": 50}, {"key": "b", "percent": 50}]}
    definition, found = read_definition(campaign("c", GO, "b", {"b": block}))
    assert definition is not None, found
    assert definition.wire()["workflow"]["blocks"]["b"]["paths"][0]["percent"] == 50


@pytest.mark.parametrize(
    ("updates", "kept", "refused"),
    [
        ({"a": 2, "b": [1]}, {"a": 2, "b": [1], "n": None}, []),
        ({"a": None}, {"a": None, "n": None}, []),
        ({"c": None, "d": ""}, {"a": 1, "n": None}, []),
        ({"": 1, "x" * 129: 1, "ok": 1}, {"a": 1, "n": None, "ok": 1}, ["", "x" * 129]),
        ({"a": "x" * 102_399}, {"a": 1, "n": None}, ["a"]),
        ({"a": "\x00"}, {"a": 1, "n": None}, ["a"]),
    ],
)
def test_limits_of_journey_attributes(updates: dict[str, Any], kept: dict[str, Any], refused: list[str]) -> None:
    found, why = accept({"a": 1, "n": None}, updates)
    assert (found, list(why)) == (kept, refused)


def test_names_that_were_written_once_count_for_ever() -> None:
    full, _ = accept({}, {f"a{n}": n for n in range(100)})
    emptied, _ = accept(full, dict.fromkeys(full))
    assert accept(emptied, {"b": 1})[1].keys() == {"b"}
    assert accept(emptied, {"a0": 1})[1] == {}
