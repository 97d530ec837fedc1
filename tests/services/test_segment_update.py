"""Manual segment update: the membership a block gives or takes, and everything that follows from it at once (ACT-27)."""

from __future__ import annotations

from typing import Any

import pytest

from clock import system_now
from domain.errors import DomainError, InvalidInput
from domain.operations import Identifier, Identify, TrackEvent
from services import definitions, segments
from services.looking import journeys as looking
from store import workspaces
from tests.support.database import Room
from tests.support.driver import Driver
from tests.support.live import campaign, on_event, on_match

VIP = {"kind": "segment", "key": "vip", "name": "VIP", "type": "manual"}
IN, OUT = {"segment": "vip"}, {"segment": {"key": "vip", "inverse": True}}
HAPPY = {
    "kind": "segment",
    "key": "happy",
    "name": "Happy",
    "conditions": [IN, {"attribute": {"field": "mood", "value": "good"}}],
}
DELAY = {"type": "time_delay", "duration": "P9D"}
BY_HAND = ("segment_enter", "segment_leave")


def update(action: str, following: str | None = None, **fields: Any) -> dict[str, Any]:
    """A block that changes who is in the segment."""
    return {"type": "segment_update", "segment": "vip", "action": action, "next": following, **fields}


def note(following: str | None = None, **fields: Any) -> dict[str, Any]:
    """A block that leaves a mark on the person."""
    return {"type": "update_person", "set": {"mark": "seen"}, "next": following, **fields}


MARKING = campaign("marking", on_event("go"), "mark", {"mark": update("add")}, exit="never")


async def ready(room: Room, *documents: dict[str, Any]) -> Driver:
    """The segment and these definitions, the campaigns running, and somebody."""
    await room.define(VIP, *documents)
    for document in documents:
        if document["kind"] == "campaign":
            await room.run_campaign(document["key"])
    driver = Driver(room)
    await room.accept(Identify(subject=Identifier(kind="id", value="7"), attributes={"mood": "good"}))
    await driver.step()
    return driver


async def happens(room: Room, driver: Driver, name: str = "go") -> None:
    """Something happens to the person, and what follows from it."""
    await room.accept(TrackEvent(subject=Identifier(kind="id", value="7"), name=name))
    for _ in range(3):
        await driver.step()


async def steps(room: Room, key: str) -> list[list[tuple[str, str]]]:
    """Block and outcome of every step of each journey in a campaign, oldest first."""
    return [[(s["block"], s["outcome"]) for s in journey["steps"]] for journey in await seen(room, key)]


async def seen(room: Room, key: str) -> list[dict[str, Any]]:
    """The journeys in a campaign as the API shows them, oldest first."""
    query = """SELECT j.journey_id FROM journeys j JOIN definitions d
               ON d.workspace_id = j.workspace_id AND d.kind = 'campaign' AND d.definition_id = j.campaign_id
               WHERE j.workspace_id = $1 AND d.key = $2 ORDER BY j.journey_id"""
    found = [row["journey_id"] for row in await room.rows(query, key)]
    return [(await looking.one(room.db, room.catalogs, room.workspace_id, one))["journey"] for one in found]


async def moves(room: Room) -> list[tuple[str, str, str]]:
    """Every line about a membership: what, of which segment, why."""
    found = await room.rows(
        "SELECT type, data FROM activities WHERE workspace_id = $1 AND type = ANY($2::text[]) ORDER BY activity_id",
        list(BY_HAND),
    )
    return [(row["type"], row["data"]["segment"], row["data"]["reason"]) for row in found]


async def number(room: Room, key: str = "vip") -> int:
    query = "SELECT definition_id FROM definitions WHERE workspace_id = $1 AND kind = 'segment' AND key = $2"
    (row,) = await room.rows(query, key)
    found: int = row["definition_id"]
    return found


@pytest.mark.parametrize(("action", "before"), [("add", False), ("remove", True)])
async def test_the_next_block_sees_the_membership_and_the_log_says_what_was_done(
    room: Room, action: str, before: bool
) -> None:
    blocks = {
        "mark": update(action, "asked"),
        "asked": {"type": "true_false", "conditions": IN, "then": "inside", "else": "outside"},
        "inside": note(),
        "outside": note(),
    }
    driver = await ready(room, MARKING, campaign("asking", on_event("ask"), "mark", blocks))
    if before:
        await happens(room, driver)
    await happens(room, driver, "ask")
    assert await room.members("vip") == ([] if before else ["7"])
    way = "outside" if before else "inside"
    assert await steps(room, "asking") == [[("mark", "done"), ("asked", "branched"), (way, "done")]]
    ((journey,), segment) = await seen(room, "asking"), await number(room)
    step, *others = journey["steps"]
    assert (step["output_type"], step["explanation"]) == ("segment_update", None)
    assert (step["manual_segment_id"], step["add_to_manual_segment"]) == (segment, not before)
    assert [(s["manual_segment_id"], s["add_to_manual_segment"]) for s in others] == [(None, None)] * 2
    kind, word = ("segment_leave", "Removed") if before else ("segment_enter", "Added")
    assert (await moves(room))[-1] == (kind, "vip", f"{word} by the campaign Asking")


async def test_adding_twice_and_removing_twice_change_once(room: Room) -> None:
    blocks = {
        "in": update("add", "again"),
        "again": update("add", "out"),
        "out": update("remove", "gone"),
        "gone": update("remove"),
    }
    driver = await ready(room, campaign("both", on_event("go"), "in", blocks))
    await happens(room, driver)
    (journey,) = await seen(room, "both")
    told = [(s["outcome"], s["add_to_manual_segment"], s["explanation"]) for s in journey["steps"]]
    assert told == [
        ("done", True, None),
        ("done", True, "The person was in 'vip' already."),
        ("done", False, None),
        ("done", False, "The person was not in 'vip' anyway."),
    ]
    assert [kind for kind, *_ in await moves(room)] == ["segment_enter", "segment_leave"]
    count = await segments.customer_count(room.db, room.workspace_id, "vip")
    assert count == {"count": 0}


@pytest.mark.parametrize(
    ("fields", "outcome"),
    [
        ({"conditions": {"attribute": {"field": "mood", "value": "bad"}}}, "skipped"),
        ({"sending_state": "off"}, "skipped"),
        ({"sending_state": "draft"}, "drafted"),
    ],
)
async def test_it_is_skipped_or_drafted_like_any_change_of_data(
    room: Room, fields: dict[str, Any], outcome: str
) -> None:
    blocks = {"mark": update("add", "then", **fields), "then": note()}
    driver = await ready(room, campaign("marks", on_event("go"), "mark", blocks))
    await happens(room, driver)
    assert await steps(room, "marks") == [[("mark", outcome), ("then", "done")]]
    assert await room.members("vip") == []
    assert await moves(room) == []


async def test_the_change_starts_ends_and_releases_the_persons_other_journeys(room: Room) -> None:
    waiting = {
        "wait": {"type": "wait_until", "paths": [{"key": "in", "conditions": IN, "next": "then"}]},
        "then": note(),
    }
    joining = {"once": {**DELAY, "next": "twice"}, "twice": note()}
    driver = await ready(
        room,
        HAPPY,
        MARKING,
        campaign("patient", on_event("begin"), "wait", waiting),
        campaign("aimed", on_event("begin"), "d", {"d": DELAY}, goal={"enters_segment": "happy"}, exit="goal"),
        campaign("outsiders", on_event("begin"), "d", {"d": DELAY}, filters=OUT),
        campaign("joiners", on_match({"segment": "happy"}), "once", joining),
    )
    await happens(room, driver, "begin")
    standing = {key: (await seen(room, key))[0]["state"] for key in ("patient", "aimed", "outsiders")}
    assert standing == dict.fromkeys(standing, "in_progress")
    assert await steps(room, "joiners") == []

    await happens(room, driver)
    assert await room.members("happy") == ["7"]
    assert await steps(room, "patient") == [[("wait", "branched"), ("then", "done")]]
    assert [(j["state"], j["reason"]) for j in await seen(room, "aimed")] == [("exited_early", "goal")]
    assert [(j["state"], j["reason"]) for j in await seen(room, "outsiders")] == [("exited_early", "filters")]
    assert await steps(room, "joiners") == [[("once", "waiting")]]

    await happens(room, driver)
    assert [len(await steps(room, key)) for key in ("marking", "joiners")] == [2, 1]


async def test_removing_ends_who_came_in_by_the_segment(room: Room) -> None:
    taking = campaign("taking", on_event("stop"), "out", {"out": update("remove")})
    members = campaign("members", on_match(IN), "d", {"d": DELAY}, frequency={"mode": "every"})
    driver = await ready(room, MARKING, taking, members)
    for name in ("go", "stop", "go"):
        await happens(room, driver, name)
    states = [(journey["state"], journey["reason"]) for journey in await seen(room, "members")]
    assert states == [("exited_early", "trigger"), ("in_progress", None)]


@pytest.mark.parametrize("following", [DELAY, note()])
async def test_the_own_exit_rule_is_looked_at_whatever_comes_next(room: Room, following: dict[str, Any]) -> None:
    leaving = {"out": update("remove", "then"), "then": following}
    driver = await ready(room, MARKING, campaign("members", on_match(IN), "out", leaving))
    await happens(room, driver)
    (journey,) = await seen(room, "members")
    assert (journey["state"], journey["reason"]) == ("exited_early", "trigger")
    assert [(s["block"], s["outcome"]) for s in journey["steps"]] == [("out", "done")]
    assert await room.members("vip") == []


async def test_the_own_goal_ends_the_journey_unless_it_was_the_last_block(room: Room) -> None:
    goal = {"goal": {"enters_segment": "vip"}, "exit": "goal"}
    aimed = campaign("aimed", on_event("go"), "in", {"in": update("add", "d"), "d": DELAY}, **goal)
    last = campaign("last", on_event("go"), "in", {"in": update("add")}, frequency={"mode": "once"}, **goal)
    for document, end in ((aimed, ("exited_early", "goal")), (last, ("finished", "completed"))):
        inner = await Room.make(room.db)
        driver = await ready(inner, document)
        await happens(inner, driver)
        (journey,) = await seen(inner, document["key"])
        assert (journey["state"], journey["reason"]) == end
        assert [(s["block"], s["outcome"]) for s in journey["steps"]] == [("in", "done")]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ("DELETE FROM definitions", "There is no manual segment 'vip' any more."),
        ("UPDATE definitions SET state = 'archived'", "'vip' is archived."),
    ],
)
async def test_a_segment_that_is_gone_is_skipped_and_the_journey_goes_on(room: Room, change: str, why: str) -> None:
    blocks = {"mark": update("add", "then"), "then": note()}
    driver = await ready(room, campaign("marks", on_event("go"), "mark", blocks))
    async with room.db.transaction() as conn:
        # Nothing in use is deleted or archived; this is what a race with an edit may leave.
        await conn.execute(f"{change} WHERE workspace_id = $1 AND kind = 'segment'", room.workspace_id)
        await workspaces.bump_definitions(conn, room.workspace_id)
    await happens(room, driver)
    (journey,) = await seen(room, "marks")
    assert [(s["block"], s["outcome"]) for s in journey["steps"]] == [("mark", "skipped"), ("then", "done")]
    assert journey["steps"][0]["explanation"] == why
    assert journey["steps"][0]["manual_segment_id"] is None
    assert await room.members("vip") == []


async def test_only_manual_segments_that_exist_and_none_in_use_is_deleted(room: Room) -> None:
    blocks = {
        "a": update("add", "b"),
        "b": update("remove", "c", segment="happy"),
        "c": update("add", segment="nobody"),
    }
    wrong = campaign("wrong", on_event("go"), "a", blocks)
    with pytest.raises(InvalidInput) as caught:
        await room.define(VIP, HAPPY, wrong)
    at = "/definitions/2/workflow/blocks"
    assert {(problem.code, problem.pointer) for problem in caught.value.problems} == {
        ("segment_not_manual", f"{at}/b/segment"),
        ("unknown_reference", f"{at}/c/segment"),
    }
    await room.define(VIP, HAPPY, MARKING)
    with pytest.raises(DomainError) as refusal:
        await definitions.delete(room.db, room.workspace_id, "segment", "vip", now=system_now())
    assert refusal.value.code == "in_use"
    pointers = [(r.kind, r.key, r.pointer) for r in refusal.value.referents]
    assert ("campaign", "marking", "/workflow/blocks/mark/segment") in pointers


async def test_a_segment_is_named_by_its_number_as_well(room: Room) -> None:
    await room.define(VIP)
    blocks = {"mark": update("add", segment=await number(room))}
    driver = await ready(room, campaign("marks", on_event("go"), "mark", blocks))
    await happens(room, driver)
    assert await room.members("vip") == ["7"]
