from __future__ import annotations

import pytest
from pydantic import ValidationError

from domain.workflow_graph import Workflow, check_conditions, check_graph, next_after, resume_at, successor_if_deleted
from tests.unit.domain.making import MESSAGE, email, workflow

DELAY = {"type": "time_delay", "duration": 60}
EXIT = {"type": "exit"}


def split(then=None, other=None, join=None):
    ways = {"then": then, "else": other, "join": join}
    return {"type": "true_false", **{name: key for name, key in ways.items() if key}}


def step(following=None):
    return {**DELAY, "next": following}


def found(subject, trigger="event"):
    return [(p.code, p.pointer) for p in check_graph(subject, "/workflow", trigger)]


NESTED = workflow(
    "start",
    start=step("outer"),
    outer=split("inner", "right", "after"),
    inner=split("deep", "leave"),
    deep=step(),
    leave=EXIT,
    right=step("last"),
    last=step(),
    after=step(),
)


def test_a_tree_with_joins_is_sound():
    assert found(NESTED) == []


@pytest.mark.parametrize(
    ("key", "named", "following"),
    [
        ("start", "outer", "outer"),
        ("outer", "inner", "inner"),
        ("outer", None, "after"),
        ("inner", None, "after"),
        ("deep", None, "after"),
        ("right", "last", "last"),
        ("last", None, "after"),
        ("after", None, None),
        ("gone", None, None),
    ],
)
def test_what_follows_a_block(key, named, following):
    assert next_after(NESTED, key, named) == following


def test_a_join_inside_a_path_continues_at_the_outer_join():
    nested = workflow(
        "a", a=split("b", None, "z"), b=split("c", "d", "e"), c=step(), d=step(), e=step("f"), f=step(), z=step()
    )
    assert found(nested) == []
    assert [next_after(nested, key, None) for key in "cdefz"] == ["e", "e", "z", "z", None]


def test_a_path_may_name_its_own_join_and_is_then_empty():
    subject = workflow("a", a=split("j", None, "j"), j=step())
    assert found(subject) == []
    assert subject.parents == {"a": None, "j": None}


def test_an_empty_workflow_may_be_saved_but_not_started():
    (problem,) = check_graph(Workflow.model_validate({"blocks": {}}), "/workflow")
    assert (problem.code, problem.pointer, problem.stage) == ("empty_workflow", "/workflow/blocks", "start")


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        (workflow(None, a=step()), [("required", "/workflow/start")]),
        (workflow("zz", a=step()), [("unknown_block", "/workflow/start"), ("unreachable_block", "/workflow/blocks/a")]),
        (workflow("a", a=step("zz")), [("unknown_block", "/workflow/blocks/a/next")]),
        (
            workflow("a", a=split("x", "y", "z")),
            [
                ("unknown_block", "/workflow/blocks/a/then"),
                ("unknown_block", "/workflow/blocks/a/else"),
                ("unknown_block", "/workflow/blocks/a/join"),
            ],
        ),
        (workflow("a", a=step(), b=step()), [("unreachable_block", "/workflow/blocks/b")]),
        (workflow("a", a=step("b"), b=step("a")), [("cycle", "/workflow/blocks/b/next")]),
        (workflow("a", a=step("a")), [("cycle", "/workflow/blocks/a/next")]),
        (workflow("a", a=split("b"), b=step("a")), [("cycle", "/workflow/blocks/b/next")]),
        (workflow("a", a=split("c", "c"), c=step()), [("path_overlap", "/workflow/blocks/a/else")]),
        (workflow("a", a=split("b", "c"), b=step("c"), c=step()), [("path_overlap", "/workflow/blocks/b/next")]),
        (workflow("a", a=split("b", None, "j"), b=step("j"), j=step()), [("path_overlap", "/workflow/blocks/b/next")]),
        (workflow("a", a=step("b"), b=EXIT), [("exit_not_in_path", "/workflow/blocks/b")]),
        (workflow("b", b=EXIT), [("exit_not_in_path", "/workflow/blocks/b")]),
        (workflow("a", a=split("b", None, "j"), b=step(), j=EXIT), [("exit_not_in_path", "/workflow/blocks/j")]),
        (
            workflow("a", a=split("x", "y", "j"), x=EXIT, y=EXIT, j=step()),
            [("unreachable_block", "/workflow/blocks/j")],
        ),
        (
            workflow("a", a=split("b", "y", "j"), b=split("x", "z"), x=EXIT, y=EXIT, z=EXIT, j=step()),
            [("unreachable_block", "/workflow/blocks/j")],
        ),
    ],
)
def test_what_is_wrong_with_a_graph(subject, expected):
    assert sorted(found(subject)) == sorted(expected)


def test_a_loop_nobody_enters_is_just_unreachable():
    subject = workflow("a", a=step(), b=step("c"), c=step("b"))
    assert found(subject) == [("unreachable_block", "/workflow/blocks/b"), ("unreachable_block", "/workflow/blocks/c")]


def test_blocks_are_checked_for_the_trigger():
    subject = workflow("a", a={"type": "wait_until", "paths": [{"key": "x", "event_time": {"field": "at"}}]})
    assert found(subject, "segment") == [("event_time_not_allowed", "/workflow/blocks/a/paths/0")]
    assert found(subject, "event") == []


def test_conditions_are_checked_where_they_stand():
    either = {"or": [{"segment": 1}, {"attribute": {"field": "plan", "value": "pro"}}]}
    since = {"performed": {"event": "paid", "since": "wait_start"}}
    subject = workflow(
        "a",
        a={**DELAY, "conditions": {"event": {"field": "x"}}, "next": "b"},
        b={"type": "wait_until", "paths": [{"key": "x", "conditions": since}], "join": "c"},
        c={**split("d"), "conditions": either},
        d={**DELAY, "conditions": since},
    )
    problems = {(p.code, p.pointer) for p in check_conditions(subject, "/workflow", "segment")}
    assert problems == {
        ("root_not_allowed", "/workflow/blocks/a/conditions/event"),
        ("or_not_allowed", "/workflow/blocks/c/conditions"),
        ("since_not_allowed", "/workflow/blocks/d/conditions/performed/since"),
    }
    assert "/workflow/blocks/a/conditions/event" not in {
        p.pointer for p in check_conditions(subject, "/workflow", "event")
    }


def test_very_deep_workflows_are_checked_without_recursion():
    chain = {f"b{i}": split(f"b{i + 1}") for i in range(3000)} | {"b3000": step()}
    subject = workflow("b0", **chain)
    assert found(subject) == []
    assert next_after(subject, "b3000", None) is None
    ring = workflow("b0", **{**chain, "b3000": step("b0")})
    assert found(ring) == [("cycle", "/workflow/blocks/b3000/next")]


def test_defaults_fill_in_what_blocks_leave_out():
    document = {
        "start": "a",
        "defaults": {"sending_state": "automatic"},
        "blocks": {
            "a": {"type": "email", "message": MESSAGE, "next": "b"},
            "b": email(sending_state="draft", next="c"),
            "c": step("d"),
            "d": {"type": "update_person", "set": {"x": None}},
        },
    }
    subject = Workflow.model_validate(document)
    states = {key: getattr(block, "sending_state", None) for key, block in subject.blocks.items()}
    assert states == {"a": "automatic", "b": "draft", "c": None, "d": "automatic"}
    assert "sending_state" not in document["blocks"]["a"]


@pytest.mark.parametrize("state", ["automatic", "draft", "off"])
def test_both_views_can_be_applied_again_without_effect(state):
    document = {
        "start": "a",
        "defaults": {"sending_state": state},
        "blocks": {
            "a": email(sending_state="draft", next="b"),
            "b": {"type": "update_person", "set": {"x": None, "y": {"static": None}}, "sending_state": "automatic"},
        },
    }
    subject = Workflow.model_validate(document)
    for compact in (False, True):
        dumped = subject.model_dump(mode="json", exclude_defaults=compact)
        assert Workflow.model_validate(dumped).model_dump(mode="json") == subject.model_dump(mode="json")


def test_block_keys_and_shapes_are_refused_where_they_stand():
    with pytest.raises(ValidationError) as caught:
        Workflow.model_validate({"blocks": {"Big": step(), "a": {"type": "fax"}, "b": 3}, "colour": "red"})
    assert {(e["type"], e["loc"]) for e in caught.value.errors()} == {
        ("string_pattern_mismatch", ("blocks", "Big", "[key]")),
        ("enum", ("blocks", "a", "type")),
        ("type", ("blocks", "b")),
        ("extra_forbidden", ("colour",)),
    }


@pytest.mark.parametrize(
    ("key", "successor"),
    [
        ("start", "outer"),
        ("outer", "after"),
        ("inner", "after"),
        ("deep", "after"),
        ("leave", "after"),
        ("after", None),
    ],
)
def test_where_people_go_when_a_block_is_deleted(key, successor):
    assert successor_if_deleted(NESTED, key) == successor


def test_resuming_follows_recorded_successors_until_one_exists():
    subject = workflow("c", c=step("d"), d={**DELAY, "renamed_from": "old"})
    assert resume_at(subject, "c", {"c": "elsewhere"}) == "c"
    assert resume_at(subject, "a", {"a": "b", "b": "c"}) == "c"
    assert resume_at(subject, "a", {"a": None}) is None
    assert resume_at(subject, "unknown", {}) is None
    assert resume_at(subject, "old", {}) == "d"
    assert resume_at(subject, "a", {"a": "b", "b": "a"}) is None
