"""What conditions of segments and campaigns refer to: whether it is there, enabled, and no ring (PPL-37, PPL-39, PPL-40)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from services.definition_checks import check
from store.definitions import DefinitionRow
from tests.support.rows import definition_row

ACCOUNT = {"kind": "object_type", "key": "account", "name": "Accounts", "singular_name": "Account"}
MAIL = {"type": "email", "message": {"subject": "Hi", "body": "<p>Hi</p>"}}


def segment(key: str, *leaves: Any) -> dict[str, Any]:
    return {"kind": "segment", "key": key, "name": key, "conditions": list(leaves)}


def campaign(key: str, blocks: dict[str, Any], **more: Any) -> dict[str, Any]:
    start = next(iter(blocks))
    workflow = {"start": start, "blocks": blocks}
    return {
        "kind": "campaign", "key": key, "name": key, "trigger": {"type": "event", "event": "go"}, "workflow": workflow, **more
    }  # fmt: skip


def stored(*documents: dict[str, Any], **actions: int) -> list[DefinitionRow]:
    rows = [definition_row(raw, number) for number, raw in enumerate(documents, start=1)]
    return [replace(row, actions=actions if row.kind == "campaign" else {}) for row in rows]


def faults(*raws: dict[str, Any], rows: Any = ()) -> list[tuple[str, str]]:
    return [(p.code, p.pointer) for p in problems(*raws, rows=rows)]


def problems(*raws: dict[str, Any], rows: Any = ()) -> list[Any]:
    checked = check([(f"/{place}", raw) for place, raw in enumerate(raws)], rows, sandbox=True)
    return [problem for problem in checked.errors if problem.stage == "save"]


def sent(**of: Any) -> dict[str, Any]:
    return {"message": {"of": of, "status": "sent"}}


def wait(leaf: dict[str, Any]) -> dict[str, Any]:
    return {"type": "wait_until", "paths": [{"key": "yes", "conditions": leaf, "next": None}]}


WELCOME = campaign("welcome", {"hello": MAIL})


def test_what_messages_come_from_has_to_be_there() -> None:
    assert faults(segment("s", sent(campaign="welcome")), WELCOME) == []
    assert faults(segment("s", sent(campaign="welcome", block="hello")), WELCOME) == []
    assert faults(segment("s", sent(campaign="gone", block="hello"))) == [
        ("unknown_reference", "/0/conditions/0/message/of/campaign")
    ]
    assert faults(segment("s", sent(campaign="welcome", block="bye")), WELCOME) == [
        ("unknown_block", "/0/conditions/0/message/of/block")
    ]
    for kind in ("broadcast", "newsletter", "transactional"):
        assert faults(segment("s", sent(**{kind: 3}))) == [("unknown_reference", f"/0/conditions/0/message/of/{kind}")]


def test_numbers_of_campaigns_and_blocks_do_as_well() -> None:
    rows = stored(WELCOME, hello=7)
    assert faults(segment("s", sent(campaign=1, block=7)), rows=rows) == []
    assert faults(segment("s", sent(campaign=1, block=8)), rows=rows) == [
        ("unknown_block", "/0/conditions/0/message/of/block")
    ]
    renamed = campaign("welcome", {"greet": {**MAIL, "renamed_from": "hello"}})
    assert faults(segment("s", sent(campaign=1, block=7)), renamed, rows=rows) == []


def test_a_block_by_itself_is_of_the_campaign_around() -> None:
    good = campaign("c", {"hello": {**MAIL, "next": "hold"}, "hold": wait(sent(block="hello"))})
    assert faults(good) == []
    bad = campaign("c", {"hello": {**MAIL, "next": "hold"}, "hold": wait(sent(block="bye"))})
    assert faults(bad) == [("unknown_block", "/0/workflow/blocks/hold/paths/0/conditions/message/of/block")]


def test_the_path_of_a_block_that_is_not_there_cannot_be_asked_for() -> None:
    asking = {"conditions": [{"not": {"cohort": {"block": "draw", "path": "p"}}}]}
    draw = {"type": "random_cohort", "paths": [{"key": key, "percent": 50} for key in ("p", "q")], "join": "hello"}
    assert faults(campaign("c", {"draw": draw, "hello": {**MAIL, **asking}})) == []
    assert faults(campaign("c", {"hello": {**MAIL, **asking}})) == [
        ("unknown_block", "/0/workflow/blocks/hello/conditions/0/not/cohort/block")
    ]


def test_other_campaigns_may_be_asked_about() -> None:
    other = campaign("c", {"hold": wait(sent(campaign="welcome", block="hello"))})
    assert faults(other, WELCOME) == []
    assert faults(other) == [("unknown_reference", "/0/workflow/blocks/hold/paths/0/conditions/message/of/campaign")]


def test_a_block_that_is_asked_for_stays_or_is_asked_for_by_its_new_name() -> None:
    rows = stored(WELCOME, segment("s", sent(campaign="welcome", block="hello")), hello=7)
    renamed = campaign("welcome", {"greet": {**MAIL, "renamed_from": "hello"}})
    (problem,) = problems(renamed, rows=rows)
    assert (problem.code, problem.pointer) == ("in_use", "/0/workflow/blocks")
    assert problem.message == "The segment 's' asks for messages of the block 'hello', which therefore stays."
    assert faults(renamed, segment("s", sent(campaign="welcome", block="greet")), rows=rows) == []


def test_object_types_have_to_be_there_and_enabled() -> None:
    related = segment("s", {"related": {"to": "account"}})
    assert faults(related, ACCOUNT) == []
    assert faults(related) == [("unknown_reference", "/0/conditions/0/related/to")]
    disabled = {**ACCOUNT, "enabled": False}
    assert faults(related, rows=stored(disabled)) == [("object_type_disabled", "/0/conditions/0/related/to")]
    assert faults(segment("s", {"related": {"to": 1}}), rows=stored(disabled)) == [
        ("object_type_disabled", "/0/conditions/0/related/to")
    ]
    skipping = campaign("c", {"hello": {**MAIL, "conditions": {"related": {"to": "account"}}}})
    assert faults(skipping, rows=stored(disabled)) == [
        ("object_type_disabled", "/0/workflow/blocks/hello/conditions/related/to")
    ]
    assert faults(disabled, rows=stored(ACCOUNT, segment("s", {"related": {"to": "account"}}))) == [
        ("in_use", "/0/enabled")
    ]


def test_ppl_case_29_a_segment_that_others_use_has_no_segments_and_the_other_way_round() -> None:
    s1, s2 = segment("s1", {"attribute": {"field": "a"}}), segment("s2", {"segment": "s1"})
    assert faults(s1, s2) == []
    assert faults(segment("s3", {"segment": "s2"}), rows=stored(s1, s2)) == [
        ("nested_segment", "/0/conditions/0/segment")
    ]
    deeper = segment("s1", {"segment": "s4"})
    assert faults(deeper, segment("s4", {"attribute": {"field": "a"}}), rows=stored(s1, s2)) == [
        ("nested_segment", "/0/conditions/0/segment")
    ]


@pytest.mark.parametrize("itself", ["a", 1])
def test_a_segment_of_itself(itself: Any) -> None:
    rows = stored(segment("a", {"attribute": {"field": "x"}}))
    (problem,) = problems(segment("a", {"attribute": {"field": "x"}}, {"segment": itself}), rows=rows)
    assert (problem.code, problem.pointer) == ("nested_segment", "/0/conditions/1/segment")
    assert problem.message == "A segment cannot be made of itself: 'a' uses 'a'."


def test_segments_of_each_other() -> None:
    found = problems(segment("a", {"segment": "b"}), segment("b", {"not": {"segment": "a"}}))
    assert [(p.code, p.pointer, p.message) for p in found] == [
        ("nested_segment", "/0/conditions/0/segment", "A segment cannot be made of itself: 'a' uses 'b', which uses 'a'."),
        ("nested_segment", "/1/conditions/0/not/segment", "A segment cannot be made of itself: 'b' uses 'a', which uses 'b'."),
    ]  # fmt: skip


def test_a_ring_of_three_beside_what_is_allowed() -> None:
    found = problems(
        segment("a", {"segment": "b"}, {"segment": "plain"}),
        segment("b", {"segment": "c"}),
        segment("c", {"segment": "a"}),
        segment("plain", {"attribute": {"field": "x"}}),
    )
    first, second, *_ = found
    assert first.message == "A segment cannot be made of itself: 'a' uses 'b', which uses 'c', which uses 'a'."
    assert (second.code, second.pointer) == ("nested_segment", "/0/conditions/1/segment")
    assert second.message == "The segment 'c' uses this one, which therefore cannot use segments itself."
    assert [p.pointer for p in found[2:]] == ["/1/conditions/0/segment", "/2/conditions/0/segment"]
