"""Copies that are refused, only tried, or bound by the rules of a live edit (ACT-39)."""

from __future__ import annotations

from typing import Any

import pytest

from clock import system_now
from domain.errors import DomainError, InvalidInput, NotFound
from services import block_copies, campaign_life, campaigns, definitions
from store import workspaces
from tests.support.copying import (
    FORK,
    SMS,
    WAIT,
    campaign,
    chain,
    copy,
)
from tests.support.database import START, Room


async def test_channels_that_are_off_there_are_not_copied_but_in_app_is(room: Room) -> None:
    async with room.db.transaction() as conn:
        number = await workspaces.create(
            conn, name="real", sandbox=False, clock_now=None, delivery_key=b"k" * 32, now=START
        )
    there = Room(room.db, number)
    texts = {
        "text": SMS,
        "app": {"type": "in_app", "message": {"body": "Hi"}},
        "call": {"type": "webhook", "request": {"url": "https://example.com/"}},
    }
    await room.define(campaign("a", chain(**texts)))
    await there.define(campaign("b", {}))
    source = {"campaign": "a", "workspace": room.workspace_id}
    with pytest.raises(InvalidInput) as refusal:
        await copy(there, "b", source=source)
    assert [(p.code, p.pointer) for p in refusal.value.problems] == [("channel_disabled", "/workflow/blocks/text/type")]
    assert set((await copy(there, "b", source=source, blocks=["app", "call"]))["copied"]) == {"app", "call"}


async def test_a_dry_run_changes_nothing(room: Room) -> None:
    await room.define(campaign("a", FORK), campaign("b", {"near": WAIT}))
    before = await definitions.get(room.db, room.workspace_id, "campaign", "b")
    answer = await copy(room, "b", source={"campaign": "a"}, dry_run=True)
    assert answer["copied"]["near"] == "near-2"
    assert answer["change"]["action"] == "update"
    assert await definitions.get(room.db, room.workspace_id, "campaign", "b") == before


async def test_the_live_rules_of_an_edit_hold(room: Room) -> None:
    """What a start demands, a save of a running campaign demands as well."""
    await room.define(
        campaign("a", {"stop": {"type": "exit"}})
        | {
            "workflow": {
                "start": "fork",
                "blocks": {"fork": {"type": "true_false", "then": "stop"}, "stop": {"type": "exit"}},
            }
        }
    )
    await room.define(campaign("b", {"wait": WAIT}))
    await campaigns.start(room.db, room.workspace_id, "b", None, system_now())
    with pytest.raises(InvalidInput) as refusal:
        await copy(room, "b", source={"campaign": "a"}, blocks=["stop"])
    assert {problem.code for problem in refusal.value.problems} >= {"unreachable_block"}
    await copy(room, "b", source={"campaign": "a"}, blocks=["fork"], after="wait")
    await campaign_life.archive(room.db, room.workspace_id, "b", system_now())
    with pytest.raises(DomainError) as locked:
        await copy(room, "b", source={"campaign": "a"}, blocks=["fork"])
    assert locked.value.code == "locked"
    # What is archived can still be copied from.
    await room.define(campaign("c", {}))
    await copy(room, "c", source={"campaign": "b"}, blocks=["wait"])


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ({}, {("required", "/from"), ("required", "/blocks")}),
        ([], {("type", "")}),
        (None, {("type", "")}),
        ({"from": "a", "blocks": "all"}, {("type", "/from")}),
        ({"from": {"campaign": "a"}, "blocks": "some"}, {("enum", "/blocks")}),
        ({"from": {"campaign": "a"}, "blocks": None}, {("type", "/blocks")}),
        ({"from": {"campaign": "a"}, "blocks": {}}, {("type", "/blocks")}),
        ({"from": {"campaign": "a"}, "blocks": []}, {("length", "/blocks")}),
        ({"from": {"campaign": "a"}, "blocks": ["Not A Key", 7]}, {("format", "/blocks/0"), ("type", "/blocks/1")}),
        ({"from": {"campaign": "a"}, "blocks": ["x", "x"]}, {("duplicate", "/blocks/1")}),
        ({"from": {"campaign": "a"}, "blocks": ["x"] * 1_001}, {("length", "/blocks")}),
        ({"from": {"campaign": True}, "blocks": "all"}, {("type", "/from/campaign")}),
        ({"from": {"campaign": "a", "workspace": "1"}, "blocks": "all"}, {("type", "/from/workspace")}),
        ({"from": {"campaign": "a", "workspace": 0}, "blocks": "all"}, {("range", "/from/workspace")}),
        ({"from": {"campaign": "a", "workspace": None}, "blocks": "all"}, {("type", "/from/workspace")}),
        ({"from": {"campaign": "a"}, "blocks": "all", "after": 7}, {("type", "/after")}),
        ({"from": {"campaign": "a"}, "blocks": "all", "after": {"path_of": "x"}}, {("required", "/after/path")}),
        ({"from": {"campaign": "a"}, "blocks": "all", "before": "x"}, {("unknown_field", "/before")}),
    ],
)
def test_what_cannot_be_read(body: Any, found: set[tuple[str, str]]) -> None:
    with pytest.raises(InvalidInput) as refusal:
        block_copies.read(body)
    assert {(problem.code, problem.pointer) for problem in refusal.value.problems} == found


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ({"source": {"campaign": "none"}}, ("unknown_reference", "/from/campaign")),
        ({"source": {"campaign": 10**12}}, ("unknown_reference", "/from/campaign")),
        ({"source": {"campaign": "a", "workspace": 2**31 - 1}}, ("unknown_reference", "/from/workspace")),
        ({"blocks": ["none"]}, ("unknown_block", "/blocks/0")),
        ({"after": "none"}, ("unknown_block", "/after")),
        ({"after": "stop"}, ("not_applicable", "/after")),
        ({"after": {"path_of": "none", "path": "x"}}, ("unknown_block", "/after/path_of")),
        ({"after": {"path_of": "first", "path": "x"}}, ("unknown_reference", "/after/path")),
        ({"after": {"path_of": "fork", "path": "x"}}, ("unknown_reference", "/after/path")),
        ({"source": {"campaign": "empty"}}, ("empty_workflow", "/blocks")),
    ],
)
async def test_what_is_not_there(room: Room, body: dict[str, Any], found: tuple[str, str]) -> None:
    await room.define(campaign("a", {"x": WAIT}), campaign("b", FORK), campaign("empty", {}))
    with pytest.raises(InvalidInput) as refusal:
        await copy(room, "b", **{"source": {"campaign": "a"}, **body})
    assert [(problem.code, problem.pointer) for problem in refusal.value.problems] == [found]


async def test_into_no_campaign(room: Room) -> None:
    with pytest.raises(NotFound):
        await copy(room, "none", source={"campaign": "a"})
