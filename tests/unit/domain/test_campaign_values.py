"""Values of blocks start where the campaign's trigger gives something, and somebody is named where nobody travels."""

from __future__ import annotations

from typing import Any

import pytest

from domain.definitions import read_definition
from domain.definitions.library import Library

TRIGGERS: dict[str, dict[str, Any]] = {
    "segment": {"type": "segment", "conditions": {"attribute": {"field": "plan"}}},
    "event": {"type": "event", "event": "bought"},
    "webhook": {"type": "webhook"},
}


def problems(trigger: str, block: dict[str, Any]) -> list[tuple[str, str]]:
    document = {
        "kind": "campaign",
        "key": "c",
        "name": "C",
        "trigger": TRIGGERS[trigger],
        "workflow": {"start": "b", "blocks": {"b": block}},
    }
    campaign, wrong = read_definition(document)
    assert campaign is not None, wrong
    return [(problem.code, problem.pointer) for problem in campaign.check(Library([]))]


@pytest.mark.parametrize(
    ("trigger", "expected"),
    [
        ("segment", [("set/a/from"), ("target/id/from")]),
        ("event", ["target/id/from"]),
        ("webhook", ["set/a/from", "set/b/from", "target/id/from"]),
    ],
)
def test_paths_of_values_start_where_the_trigger_gives_something(trigger: str, expected: list[str]):
    block = {
        "type": "update_person",
        "set": {"a": {"from": "event.x"}, "b": {"from": "customer.y"}},
        "target": {"id": {"from": "match.id"}},
    }
    found = problems(trigger, block)
    assert sorted(found) == sorted(("root_not_allowed", f"/workflow/blocks/b/{at}") for at in expected)


def test_act_case_29_where_nobody_travels_somebody_is_named_and_nobody_is_written_to():
    update = {"type": "update_person", "set": {"a": 1}}
    assert problems("webhook", update) == [("target_required", "/workflow/blocks/b/target")]
    assert problems("webhook", {**update, "target": {"id": {"from": "trigger.user"}}}) == []
    email = {"type": "email", "message": {"subject": "Hi", "body": "Hi", "from": "a@example.com"}}
    assert problems("webhook", email) == [("block_not_allowed", "/workflow/blocks/b/type")]
