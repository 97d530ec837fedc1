"""Copying blocks within a campaign, into another one, and into another workspace (ACT-39)."""

from __future__ import annotations

from typing import Any

import pytest

from clock import system_now
from domain.errors import InvalidInput
from domain.operations import Identifier, Identify
from services import campaigns, definitions
from tests.support.copying import (
    BY_MATCH,
    CANADA,
    FORK,
    LAYOUT,
    NOTE,
    SENDER,
    SMS,
    WAIT,
    campaign,
    chain,
    codes,
    copy,
    mail,
    other,
    saved,
    way,
)
from tests.support.database import Room
from tests.support.walking import Walk


async def test_act_case_38_a_copy_into_an_active_campaign_is_a_draft(room: Room) -> None:
    await room.define(campaign("a", {"text": SMS}), campaign("live", {"wait": WAIT}), campaign("draft", {"wait": WAIT}))
    await campaigns.start(room.db, room.workspace_id, "live", None, system_now())
    for key, state in (("live", "draft"), ("draft", "automatic")):
        answer = await copy(room, key, source={"campaign": "a"})
        assert answer["copied"] == {"text": "text"}
        assert (answer["change"]["action"], answer["change"]["effects"]["blocks_added"]) == ("update", ["text"])
        assert (await saved(room, key))["blocks"]["text"]["sending_state"] == state
        assert way(await saved(room, key)) == ["text", "wait"]


async def test_act_case_38_into_another_workspace_conditions_stay_and_what_belongs_to_a_workspace_does_not(
    room: Room,
) -> None:
    there = await other(room)
    conditions = {"and": [CANADA, {"segment": {"key": "s"}}]}
    about = {**mail(layout="plain", sender="team", reply_to="me@example.com"), "conditions": conditions}
    members = {"kind": "segment", "key": "s", "name": "S", "conditions": CANADA}
    await room.define(SENDER, LAYOUT, members, campaign("a", {"hello": about}))
    await there.define(SENDER, LAYOUT, members, campaign("b", {}))
    answer = await copy(there, "b", source={"campaign": "a", "workspace": room.workspace_id})
    hello = (await saved(there, "b"))["blocks"]["hello"]
    (kept,) = [hello["conditions"]]
    assert kept == {"attribute": {"field": "country", "operator": "eq", "value": "Canada"}}
    assert {"layout", "sender", "from", "reply_to"} & set(hello["message"]) == set()
    assert hello["sending_state"] == "automatic"
    told = {warning["message"]: warning["pointer"] for warning in answer["warnings"]}
    assert told["Email layout was reset to default"] == "/workflow/blocks/hello/message/layout"
    assert told["Headers were reset to default"] == "/workflow/blocks/hello/message/sender"
    assert ("unknown_reference", "/workflow/blocks/hello/conditions") in codes(answer)
    # Within the workspace all of it stays.
    await room.define(campaign("c", {}))
    assert codes(await copy(room, "c", source={"campaign": "a"})) == []
    originals = [(await saved(room, key))["blocks"]["hello"] for key in ("a", "c")]
    assert originals[0] == originals[1]


async def test_a_branch_brings_along_what_stands_in_it_and_what_asks_for_it_asks_for_the_copy(room: Room) -> None:
    await room.define(campaign("a", FORK), campaign("b", chain(one=WAIT, near=NOTE)))
    answer = await copy(room, "b", source={"campaign": "a"}, blocks=["last", "fork"], after="one")
    assert answer["copied"] == {
        "fork": "fork",
        "near": "near-2",
        "draw": "draw",
        "far": "far",
        "stop": "stop",
        "after": "after",
        "last": "last",
    }
    workflow = await saved(room, "b")
    blocks = workflow["blocks"]
    assert way(workflow) == ["one", "fork", "last", "near"]
    assert (blocks["fork"]["then"], blocks["fork"]["else"], blocks["draw"]["join"]) == ("near-2", "draw", "after")
    assert [path["next"] for path in blocks["draw"]["paths"]] == ["far", "stop"]
    assert blocks["last"]["conditions"]["message"]["of"] == {"block": "near-2"}
    assert codes(answer) == []
    actions = {
        key: (await definitions.get(room.db, room.workspace_id, "campaign", key))["status"]["actions"] for key in "ab"
    }
    assert set(actions["a"].values()) & set(actions["b"].values()) == set()


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        (None, ["copy", "first", "fork", "last"]),
        ("first", ["first", "copy", "fork", "last"]),
        ("fork", ["first", "fork", "copy", "last"]),
        ("last", ["first", "fork", "last", "copy"]),
    ],
)
async def test_where_it_comes_to_stand(room: Room, place: Any, expected: list[str]) -> None:
    await room.define(campaign("a", {"copy": WAIT}), campaign("b", FORK))
    await copy(room, "b", source={"campaign": "a"}, after=place)
    assert way(await saved(room, "b")) == expected


@pytest.mark.parametrize(
    ("place", "before", "after"),
    [
        (("fork", "then"), ("fork", "then"), "near"),
        (("draw", "q"), ("draw", 1), "stop"),
        (("fork", "else"), ("fork", "else"), "draw"),
    ],
)
async def test_the_beginning_of_a_path(room: Room, place: Any, before: Any, after: str) -> None:
    await room.define(campaign("a", {"copy": WAIT}), campaign("b", FORK))
    await copy(room, "b", source={"campaign": "a"}, after={"path_of": place[0], "path": place[1]})
    blocks = (await saved(room, "b"))["blocks"]
    leads = blocks[before[0]]
    assert (leads["paths"][before[1]]["next"] if isinstance(before[1], int) else leads[before[1]]) == "copy"
    assert blocks["copy"]["next"] == after


async def test_an_empty_path_that_names_the_join_stays_one(room: Room) -> None:
    fork = {"type": "true_false", "conditions": CANADA, "then": "last", "else": None, "join": "last"}
    blocks = {"fork": fork, "last": WAIT}
    await room.define(campaign("a", blocks), campaign("b", blocks))
    answer = await copy(room, "b", source={"campaign": "a"}, blocks=["fork"], after="fork")
    assert answer["copied"] == {"fork": "fork-2"}
    workflow = await saved(room, "b")
    assert way(workflow) == ["fork", "fork-2", "last"]
    assert [workflow["blocks"][key]["then"] for key in ("fork", "fork-2")] == [None, None]
    await copy(room, "b", source={"campaign": "a"}, blocks=["last"], after={"path_of": "fork", "path": "then"})
    workflow = await saved(room, "b")
    assert (workflow["blocks"]["fork"]["then"], workflow["blocks"]["last-2"]["next"]) == ("last-2", None)


async def test_within_a_campaign_copies_have_keys_and_numbers_of_their_own(room: Room) -> None:
    await room.define(campaign("a", {"old": {**SMS, "next": "rest"}, "rest": WAIT}))
    for expected in ("old-2", "old-3"):
        assert (await copy(room, "a", source={"campaign": "a"}, blocks=["old"]))["copied"] == {"old": expected}
    record = await definitions.get(room.db, room.workspace_id, "campaign", "a")
    numbers = record["status"]["actions"]
    assert len(set(numbers.values())) == 4
    # A key that a block had before it was renamed is no key for a copy.
    document = record["definition"]
    document["workflow"]["blocks"]["fresh"] = {**document["workflow"]["blocks"].pop("old"), "renamed_from": "old"}
    document["workflow"]["blocks"]["old-2"]["next"] = "fresh"
    await room.define(document)
    await room.define(campaign("b", {"old": WAIT}))
    answer = await copy(room, "a", source={"campaign": "b"})
    assert answer["copied"] == {"old": "old-4"}
    assert (await copy(room, "b", source={"campaign": "a"}, blocks=["fresh"]))["copied"] == {"fresh": "fresh"}
    assert "renamed_from" not in (await saved(room, "b"))["blocks"]["fresh"]


async def test_no_copy_takes_the_place_of_a_block_that_was_removed(room: Room) -> None:
    """Whoever still stands there goes on at what followed, and not at the copy."""
    await room.define(campaign("a", {"gone": SMS}), campaign("b", chain(gone=WAIT, rest=WAIT)))
    await campaigns.start(room.db, room.workspace_id, "b", None, system_now())
    await room.define(campaign("b", {"rest": WAIT}))
    assert (await copy(room, "b", source={"campaign": "a"}))["copied"] == {"gone": "gone-2"}


async def test_messages_of_blocks_that_stayed_behind_are_still_asked_for(room: Room) -> None:
    await room.define(campaign("a", FORK), campaign("b", {}))
    answer = await copy(room, "b", source={"campaign": "a"}, blocks=["last", "after"])
    blocks = (await saved(room, "b"))["blocks"]
    assert blocks["last"]["conditions"]["message"]["of"] == {"campaign": "a", "block": "near"}
    assert blocks["after"].get("conditions") is None
    assert codes(answer) == [
        ("unknown_reference", "/workflow/blocks/after/conditions"),
        ("unknown_block", "/workflow/blocks/last/conditions"),
    ]
    there = await other(room)
    await there.define(campaign("b", {}))
    answer = await copy(there, "b", source={"campaign": "a", "workspace": room.workspace_id}, blocks=["last"])
    assert (await saved(there, "b"))["blocks"]["last"].get("conditions") is None
    assert codes(answer) == [("unknown_reference", "/workflow/blocks/last/conditions")]


async def test_what_only_the_other_trigger_has_is_copied_and_told(room: Room) -> None:
    asks = {
        **mail(subject="{{ event.total }}", **{"from": "us@example.com"}),
        "conditions": {"event": {"field": "total", "value": 1}},
    }
    value = {"type": "update_person", "set": {"total": {"from": "event.total"}}}
    wait = {
        "type": "wait_until",
        "paths": [{"key": "then", "event_time": {"field": "at"}}, {"key": "late", "max_time": "P1D"}],
    }
    await room.define(campaign("a", chain(hello=asks, note=value) | {"hold": wait, "note": {**value, "next": "hold"}}))
    await room.define(campaign("b", {"bye": WAIT}, BY_MATCH))
    answer = await copy(room, "b", source={"campaign": "a"})
    assert sorted(codes(answer)) == [
        ("event_time_not_allowed", "/workflow/blocks/hold/paths/0"),
        ("liquid_root", "/workflow/blocks/hello/message/subject"),
        ("root_not_allowed", "/workflow/blocks/hello/conditions/event"),
        ("root_not_allowed", "/workflow/blocks/note/set/total/from"),
    ]
    # It is for its author to put right before a start.
    with pytest.raises(InvalidInput) as refusal:
        await campaigns.start(room.db, room.workspace_id, "b", None, system_now())
    assert {problem.code for problem in refusal.value.problems} == {
        "liquid_root",
        "root_not_allowed",
        "event_time_not_allowed",
    }


async def test_what_a_running_campaign_cannot_read_fails_nobody(room: Room) -> None:
    asks = {**NOTE, "conditions": {"event": {"field": "total", "value": 1}}, "next": "bye"}
    letter = mail(subject="{{ event.total }}", **{"from": "us@example.com"})
    await room.define(
        campaign("a", {"note": asks, "bye": {**letter, "next": None}}), campaign("b", {"rest": WAIT}, BY_MATCH)
    )
    await room.run_campaign("b")
    await copy(room, "b", source={"campaign": "a"})
    await room.apply(Identify(subject=Identifier(kind="id", value="7"), attributes={"plan": "pro", "email": "a@b.co"}))
    walk = Walk(room)
    await walk.go()
    steps = await walk.steps()
    assert [(key, step["outcome"]) for key, step in steps.items()] == [
        ("note", "skipped"),
        ("bye", "drafted"),
        ("rest", "waiting"),
    ]
    await walk.close()


async def test_waits_leave_the_conditions_of_their_workspace_behind(room: Room) -> None:
    there = await other(room)
    come = {"performed": {"event": "buy"}}
    hold = {
        "type": "wait_until",
        "paths": [
            {"key": "bought", "conditions": come, "next": "thanks"},
            {"key": "late", "max_time": "P1D", "next": "remind"},
        ],
        "join": "only",
    }
    only = {"type": "wait_until", "paths": [{"key": "bought", "conditions": come, "next": "deep"}], "join": "end"}
    blocks = {
        "hold": hold,
        "thanks": {**WAIT, "next": "inner"},
        "inner": {"type": "true_false", "then": "x", "else": "y"},
        "x": NOTE,
        "y": NOTE,
        "remind": SMS,
        "only": only,
        "deep": WAIT,
        "end": WAIT,
    }
    await room.define(campaign("a", blocks))
    await there.define(campaign("b", {"rest": WAIT}))
    answer = await copy(there, "b", source={"campaign": "a", "workspace": room.workspace_id})
    assert answer["copied"] == {key: key for key in ("hold", "remind", "end")}
    workflow = await saved(there, "b")
    assert way(workflow) == ["hold", "end", "rest"]
    assert [path["key"] for path in workflow["blocks"]["hold"]["paths"]] == ["late"]
    assert codes(answer) == [
        ("not_applicable", "/workflow/blocks/hold/paths"),
        ("not_applicable", "/workflow/blocks/remind/message/from"),
        ("not_applicable", "/workflow/blocks"),
    ]
    # A wait inside a path is left out, and what followed it follows what came before it.
    inside = {"type": "true_false", "then": "w", "join": "end"}
    await room.define(
        campaign(
            "c",
            {
                "fork": inside,
                "w": {**WAIT, "next": "only"},
                "only": {**only, "join": "z"},
                "deep": WAIT,
                "z": NOTE,
                "end": WAIT,
            },
        )
    )
    answer = await copy(there, "b", source={"campaign": "c", "workspace": room.workspace_id}, blocks=["fork"])
    blocks = (await saved(there, "b"))["blocks"]
    assert (blocks["fork"]["then"], blocks["w"]["next"], "only" in blocks) == ("w", "z", False)
    with pytest.raises(InvalidInput) as refusal:
        await copy(there, "b", source={"campaign": "a", "workspace": room.workspace_id}, blocks=["only"])
    assert [(p.code, p.pointer) for p in refusal.value.problems] == [("empty_workflow", "/blocks")]


async def test_what_is_named_is_looked_for_by_its_key_in_the_other_workspace(room: Room) -> None:
    there = await other(room)
    company = {"kind": "object_type", "key": "company", "name": "Companies", "singular_name": "Company"}
    rows = {"kind": "collection", "key": "plans", "name": "Plans", "data": [{"a": 1}]}
    hook = {"kind": "webhook", "key": "crm", "name": "CRM", "url": "https://example.com/"}
    await room.define({**company, "key": "other", "slug": "o", "singular_slug": "so"}, company, rows, hook)
    number = (await definitions.get(room.db, room.workspace_id, "object_type", "company"))["status"]["id"]
    blocks = chain(
        query={"type": "query_collection", "collection": "plans", "store": {"journey": "plan"}},
        call={"type": "webhook", "request": {"webhook": "crm"}},
        note={**NOTE, "conditions": {"or": [{"related": {"to": number}}, CANADA]}},
    )
    await room.define(campaign("a", blocks))
    await there.define(campaign("b", {}))
    source = {"campaign": "a", "workspace": room.workspace_id}
    with pytest.raises(InvalidInput) as refusal:
        await copy(there, "b", source=source)
    assert [(p.code, p.pointer) for p in refusal.value.problems] == [
        ("unknown_reference", "/workflow/blocks/query/collection"),
        ("unknown_reference", "/workflow/blocks/call/request/webhook"),
    ]
    answer = await copy(there, "b", source=source, blocks=["note"])
    assert codes(answer) == [("unknown_reference", "/workflow/blocks/note/conditions")]
    assert "attribute" in (await saved(there, "b"))["blocks"]["note"]["conditions"]
    await there.define(company, rows, hook)
    answer = await copy(there, "b", source=source)
    assert codes(answer) == []
    kept = (await saved(there, "b"))["blocks"]["note-2"]["conditions"]["or"][0]
    assert kept == {"related": {"to": "company"}}


async def test_a_batch_update_is_never_for_more_people_than_it_was(room: Room) -> None:
    there = await other(room)
    company = {"kind": "object_type", "key": "company", "name": "Companies", "singular_name": "Company"}
    match = {"and": [CANADA, {"related": {"to": "company"}}]}
    await room.define(company, campaign("a", {"all": {"type": "batch_update", "match": match, "set": {"x": 1}}}))
    await there.define(campaign("b", {}))
    with pytest.raises(InvalidInput) as refusal:
        await copy(there, "b", source={"campaign": "a", "workspace": room.workspace_id})
    assert [(p.code, p.pointer) for p in refusal.value.problems] == [
        ("unknown_reference", "/workflow/blocks/all/match")
    ]
