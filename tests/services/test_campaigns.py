"""A campaign's life: what start demands, whom it lets in, what stop does to those inside."""

from __future__ import annotations

import asyncio

import pytest

from clock import system_now
from domain.errors import DomainError, InvalidInput, NotFound
from domain.operations import Identifier, Identify, TrackEvent
from services import campaign_life, campaigns, definitions, journeys
from tests.support.database import Room
from tests.support.driver import Driver


def campaign(trigger: dict, *, key: str = "c", exit_rule: str = "never", **blocks) -> dict:
    blocks = blocks or {"wait": {"type": "time_delay", "duration": "P1D"}}
    return {
        "kind": "campaign",
        "key": key,
        "name": "C",
        "trigger": trigger,
        "exit": exit_rule,
        "workflow": {"start": next(iter(blocks)), "blocks": blocks},
    }


BY_EVENT = campaign({"type": "event", "event": "go"})
BY_MATCH = campaign({"type": "segment", "conditions": {"attribute": {"field": "plan", "value": "pro"}}})


def go(person: str) -> TrackEvent:
    return TrackEvent(subject=Identifier(kind="id", value=person), name="go")


def plan(person: str, value: str) -> Identify:
    return Identify(subject=Identifier(kind="id", value=person), attributes={"plan": value})


async def call(verb, room: Room, body=None, ref="c") -> dict:
    return await verb(room.db, room.workspace_id, ref, body, system_now())


async def state(room: Room) -> str:
    (row,) = await room.rows("SELECT state FROM definitions WHERE workspace_id = $1 AND kind = 'campaign'")
    return row["state"]


async def reasons(room: Room) -> list[str | None]:
    return [journey["reason"] for journey in await room.journeys()]


async def test_an_event_campaign_runs_at_once(room: Room):
    await room.define(BY_EVENT)
    status = await call(campaigns.start, room, {"audience": "future"})
    assert (status["key"], status["state"], status["active_journeys"]) == ("c", "running", 0)
    assert status["first_started"] == 1767261600
    assert [w["code"] for w in status["problems"]] == ["nothing_sends"]
    assert "task_id" not in status
    await room.apply(go("1"))
    assert len(await room.journeys()) == 1


async def test_who_matches_already_stays_out_of_a_segment_campaign(room: Room):
    await room.define(BY_MATCH)
    await room.apply(plan("old", "pro"), plan("new", "basic"))
    driver = Driver(room)
    async with driver.running():
        status = await call(campaigns.start, room)
        assert status["state"] == "starting"
        assert status["task_id"].startswith("task_")
        await driver.settle()
        assert await state(room) == "running"
        await room.accept(plan("old", "pro"), plan("new", "pro"))
        await driver.settle()
    assert len(await room.journeys()) == 1
    memberships = await room.rows("SELECT 1 FROM memberships WHERE workspace_id = $1 AND kind = 'trigger' AND member")
    assert len(memberships) == 2


async def test_a_campaign_stopped_while_starting_never_runs(room: Room):
    await room.define(BY_MATCH)
    await call(campaigns.start, room)
    assert (await call(campaigns.stop, room, {"journeys": "exit"}))["state"] == "stopped"
    driver = Driver(room)
    async with driver.running():
        await driver.settle()
    assert await state(room) == "stopped"
    tasks = await room.rows("SELECT type, state FROM tasks WHERE workspace_id = $1 ORDER BY task_id DESC LIMIT 2")
    assert {row["type"]: row["state"] for row in tasks} == {"end_journeys": "succeeded", "trigger_build": "cancelled"}


async def test_verbs_fit_states(room: Room):
    await room.define(BY_EVENT)
    for verb, body in ((campaigns.restart, None), (campaigns.stop, {"journeys": "exit"})):
        with pytest.raises(DomainError) as refused:
            await call(verb, room, body)
        assert refused.value.code == "invalid_state"
    await call(campaigns.start, room)
    for verb in (campaigns.start, campaigns.restart):
        with pytest.raises(DomainError) as refused:
            await call(verb, room)
        assert refused.value.code == "invalid_state"
    await room.apply(go("1"))
    assert (await call(campaigns.stop, room, {"journeys": "finish"}))["state"] == "stopping"
    with pytest.raises(DomainError) as refused:
        await call(campaigns.restart, room)
    assert refused.value.code == "invalid_state"
    await call(campaigns.stop, room, {"journeys": "exit"})
    (row,) = await room.rows("SELECT first_started FROM definitions WHERE workspace_id = $1")
    await room.move(days=2)
    assert (await call(campaigns.restart, room))["state"] == "running"
    (again,) = await room.rows("SELECT first_started, started_at FROM definitions WHERE workspace_id = $1")
    assert again == {**row, "started_at": room.now}
    with pytest.raises(NotFound):
        await call(campaigns.start, room, ref="nobody")


async def test_exit_ends_everybody_at_once(room: Room, monkeypatch):
    monkeypatch.setattr(journeys, "PAGE", 2)
    await room.define(BY_EVENT)
    await call(campaigns.start, room)
    await room.apply(*(go(str(n)) for n in range(5)))
    revision = await room.rows("SELECT definitions_rev FROM workspaces WHERE workspace_id = $1")
    status = await call(campaigns.stop, room, {"journeys": "exit"})
    assert (status["state"], status["active_journeys"]) == ("stopped", 0)
    assert await reasons(room) == ["stopped"] * 5
    assert await room.rows("SELECT definitions_rev FROM workspaces WHERE workspace_id = $1") != revision
    await room.apply(go("6"))
    assert len(await room.journeys()) == 5


async def test_a_stop_survives_the_process_that_began_it(room: Room, monkeypatch):
    monkeypatch.setattr(campaigns, "PAGES_AT_ONCE", 0)
    await room.define(BY_EVENT)
    await call(campaigns.start, room)
    await room.apply(*(go(str(n)) for n in range(3)))
    await call(campaigns.stop, room, {"journeys": "exit"})
    assert await reasons(room) == [None] * 3
    driver = Driver(room)
    async with driver.running():
        await driver.settle()
    assert await reasons(room) == ["stopped"] * 3


async def test_finish_lets_people_run_out(room: Room):
    await room.define(BY_EVENT)
    await call(campaigns.start, room)
    driver = Driver(room)
    async with driver.running():
        await room.accept(go("1"))
        await driver.settle()
        await call(campaigns.stop, room, {"journeys": "finish"})
        await room.accept(go("2"))
        await driver.settle()
        assert await state(room) == "stopping"
        await driver.advance(by="P1D")
    assert await reasons(room) == ["completed"]
    assert await state(room) == "stopped"


async def test_a_second_stop_ends_those_who_remain(room: Room):
    await room.define(BY_EVENT)
    await call(campaigns.start, room)
    await room.apply(go("1"))
    assert (await call(campaigns.stop, room, {"journeys": "finish"}))["state"] == "stopping"
    assert (await call(campaigns.stop, room, {"journeys": "finish"}))["state"] == "stopping"
    assert (await call(campaigns.stop, room, {"journeys": "exit"}))["state"] == "stopped"
    assert await reasons(room) == ["stopped"]


async def test_finish_with_nobody_inside_is_a_stop(room: Room):
    await room.define(BY_EVENT)
    await call(campaigns.start, room)
    assert (await call(campaigns.stop, room, {"journeys": "finish"}))["state"] == "stopped"


async def test_a_start_demands_what_a_draft_may_lack(room: Room):
    empty = campaign({"type": "event", "event": "go"})
    empty["workflow"] = {"blocks": {}}
    await room.define(empty)
    with pytest.raises(InvalidInput) as refused:
        await call(campaigns.start, room, {"audience": "current_and_future"})
    found = {(p.code, p.pointer, p.stage) for p in refused.value.problems}
    assert found == {
        ("empty_workflow", "/workflow/blocks", "start"),
        ("audience_not_applicable", "/audience", "save"),
    }
    assert await state(room) == "draft"


@pytest.mark.parametrize(
    ("document", "verb", "body", "code", "pointer"),
    [
        (BY_EVENT, campaigns.start, {"audience": "all"}, "enum", "/audience"),
        (BY_EVENT, campaigns.start, {"audience": 1}, "type", "/audience"),
        (BY_EVENT, campaigns.start, {"journeys": "exit"}, "unknown_field", "/journeys"),
        (BY_EVENT, campaigns.start, [], "type", ""),
        (BY_EVENT, campaigns.start, {"audience": "current_and_future"}, "audience_not_applicable", "/audience"),
        (BY_EVENT, campaigns.stop, None, "required", "/journeys"),
        (BY_EVENT, campaigns.stop, {"journeys": "leave"}, "enum", "/journeys"),
    ],
)
async def test_bodies_that_are_refused(room: Room, document, verb, body, code, pointer):
    await room.define(document)
    with pytest.raises(InvalidInput) as refused:
        await call(verb, room, body)
    assert (refused.value.code, refused.value.pointer) == (code, pointer)


async def test_a_journey_is_ended_by_hand_once(room: Room):
    await room.define(BY_EVENT)
    await call(campaigns.start, room)
    await room.apply(go("1"))
    (journey,) = await room.journeys()
    ended = await journeys.end_one(room.db, room.workspace_id, journey["journey_id"], system_now())
    assert (ended.state, ended.reason) == ("exited_early", "manual")
    assert ended.explanation == "The person was manually removed from the campaign."
    assert ended.ended_at == room.now
    wakes = await room.rows("SELECT kind FROM outbox WHERE workspace_id = $1 ORDER BY outbox_id")
    assert [row["kind"] for row in wakes] == ["start", "wake"]
    with pytest.raises(DomainError) as refused:
        await journeys.end_one(room.db, room.workspace_id, journey["journey_id"], system_now())
    assert refused.value.code == "invalid_state"
    with pytest.raises(NotFound):
        await journeys.end_one(room.db, room.workspace_id, "nothing", system_now())


async def test_hands_that_end_a_journey_at_once_end_it_once(room: Room):
    await room.define(BY_EVENT)
    await call(campaigns.start, room)
    await room.apply(go("1"))
    (journey,) = await room.journeys()
    calls = [journeys.end_one(room.db, room.workspace_id, journey["journey_id"], system_now()) for _ in range(4)]
    answers = await asyncio.gather(*calls, return_exceptions=True)
    assert sorted(type(answer).__name__ for answer in answers) == ["DomainError"] * 3 + ["JourneyRow"]


async def test_deleting_a_campaign_ends_its_journeys_first(room: Room):
    await room.define(BY_EVENT)
    await call(campaigns.start, room)
    await room.apply(go("1"), go("2"))
    await definitions.delete(room.db, room.workspace_id, "campaign", "c", now=system_now())
    assert await reasons(room) == ["archived"] * 2
    assert await room.rows("SELECT 1 FROM definitions WHERE workspace_id = $1") == []
    driver = Driver(room)
    async with driver.running():
        await driver.settle()


async def test_a_campaign_that_is_not_there_cannot_be_deleted(room: Room):
    with pytest.raises(NotFound):
        await definitions.delete(room.db, room.workspace_id, "campaign", "c", now=system_now())


async def put(room: Room, document: dict, **more) -> dict:
    answer, _ = await definitions.put_one(
        room.db, room.workspace_id, "campaign", "c", document, now=system_now(), **more
    )
    return answer["change"]["effects"]


async def test_a_shorter_delay_lets_go_who_has_waited_long_enough(room: Room):
    await room.define(campaign({"type": "event", "event": "go"}, wait={"type": "time_delay", "duration": "P7D"}))
    await call(campaigns.start, room)
    driver = Driver(room)
    async with driver.running():
        await room.accept(go("1"))
        await driver.advance(by="P2D")
        await room.accept(go("2"))
        await driver.settle()
        effects = await put(
            room, campaign({"type": "event", "event": "go"}, wait={"type": "time_delay", "duration": "P1D"})
        )
        assert effects["waiting_reevaluated"] == 2
        await driver.settle()
        assert sorted(map(str, await reasons(room))) == ["None", "completed"]
        await driver.advance(by="P1D")
    assert await reasons(room) == ["completed"] * 2
    (task,) = await room.rows("SELECT state, done, total FROM tasks WHERE workspace_id = $1 AND type = 'replan'")
    assert task == {"state": "succeeded", "done": 2, "total": 2}


@pytest.mark.parametrize(("waits", "reason"), [("exit", "wait_removed"), ("continue", None)])
async def test_a_removed_wait_is_left_as_asked(room: Room, waits, reason):
    trigger = {"type": "event", "event": "go"}
    wait = {"type": "wait_until", "paths": [{"key": "late", "max_time": "P1D"}], "join": "after"}
    after = {"type": "time_delay", "duration": "P3D"}
    await room.define(campaign(trigger, wait=wait, after=after))
    await call(campaigns.start, room)
    driver = Driver(room)
    async with driver.running():
        await room.accept(go("1"))
        await driver.settle()
        await put(room, campaign(trigger, after=after), removed_waits=waits)
        await driver.settle()
    (journey,) = await room.journeys()
    assert (journey["reason"], journey["block"]) == (reason, "wait" if reason else "after")


@pytest.mark.parametrize("verb", ["stop", "archive"])
async def test_who_enters_after_a_restart_is_not_ended_by_the_stop_before(room: Room, verb: str):
    """What was left of the stop to a task is done after the campaign runs again."""
    await room.define(BY_EVENT)
    await call(campaigns.start, room)
    await room.apply(go("before"))
    if verb == "stop":
        await call(campaigns.stop, room, {"journeys": "exit"})
    else:
        await campaign_life.archive(room.db, room.workspace_id, "c", system_now())
        await campaign_life.unarchive(room.db, room.workspace_id, "c", system_now())
    await call(campaigns.restart, room)
    await room.apply(go("after"))
    driver = Driver(room)
    async with driver.running():
        await driver.settle()
    assert [row["state"] for row in await room.journeys()] == ["exited_early", "in_progress"]


async def test_what_a_stop_left_over_is_ended_though_it_runs_again(room: Room, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(campaigns, "PAGES_AT_ONCE", 0)
    await room.define(BY_EVENT)
    await call(campaigns.start, room)
    await room.apply(go("before"))
    await call(campaigns.stop, room, {"journeys": "exit"})
    await call(campaigns.restart, room)
    await room.apply(go("after"))
    driver = Driver(room)
    async with driver.running():
        await driver.settle()
    assert [row["state"] for row in await room.journeys()] == ["exited_early", "in_progress"]
