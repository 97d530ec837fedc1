"""Campaigns that start and stop by themselves, on the clock of the workspace (CMP-22)."""

from __future__ import annotations

from typing import Any

import pytest

from clock import system_now
from domain.errors import DomainError, InvalidInput
from domain.operations import Identifier, Identify, TrackEvent
from services import campaign_life, campaigns, definitions
from services import clock as clocks
from tests.support.database import START, Room
from tests.support.driver import Driver

NOW, HOUR = int(START.timestamp()), 3_600
BY_EVENT = {"type": "event", "event": "go"}
BY_MATCH = {"type": "segment", "conditions": {"attribute": {"field": "plan", "value": "pro"}}}


def campaign(schedule: dict[str, Any] | None, trigger: dict[str, Any] = BY_EVENT, **fields: Any) -> dict[str, Any]:
    return {
        "kind": "campaign",
        "key": "c",
        "name": "C",
        "trigger": trigger,
        "exit": "never",
        "workflow": {"start": "wait", "blocks": {"wait": {"type": "time_delay", "duration": "P9D"}}},
        **({} if schedule is None else {"schedule": schedule}),
        **fields,
    }


def go(person: str) -> TrackEvent:
    return TrackEvent(subject=Identifier(kind="id", value=person), name="go")


async def verb(room: Room, which: Any, *body: Any) -> dict[str, Any]:
    answer: dict[str, Any] = await which(room.db, room.workspace_id, "c", *body, system_now())
    return answer


async def put(room: Room, schedule: dict[str, Any] | None, **fields: Any) -> dict[str, Any]:
    document = campaign(schedule, **fields)
    answer, _ = await definitions.put_one(room.db, room.workspace_id, "campaign", "c", document, now=system_now())
    return answer


async def refused(room: Room, schedule: dict[str, Any] | None) -> tuple[str, str]:
    with pytest.raises(DomainError) as refusal:
        await put(room, schedule)
    return refusal.value.code, refusal.value.pointer


async def status(room: Room) -> dict[str, Any]:
    answer: dict[str, Any] = (await definitions.get(room.db, room.workspace_id, "campaign", "c"))["status"]
    return answer


async def label(room: Room) -> tuple[str, bool]:
    now = await status(room)
    return now["state"], now["scheduled"]


async def test_it_starts_and_stops_at_its_instants(room: Room):
    await put(room, {"start_at": NOW + HOUR, "stop_at": NOW + 3 * HOUR, "on_stop": "exit"})
    assert await label(room) == ("draft", True)
    driver = Driver(room)
    async with driver.running():
        await room.accept(go("early"))
        due = await clocks.now_of(room.db, room.catalogs, room.workspace_id, system_now)
        assert due["next_due"] == {"at": NOW + HOUR, "kind": "schedule"}
        report = await driver.advance(by="PT1H")
        assert report["fired"] == {"schedule": 1}
        assert await label(room) == ("running", True)
        await room.accept(go("in"))
        await driver.advance(by="PT1H")
        assert await label(room) == ("running", True)
        await driver.advance(by="PT1H")
        assert await label(room) == ("stopped", False)
        await room.accept(go("late"))
        await driver.settle()
    (journey,) = await room.journeys()
    assert (journey["reason"], int(journey["ended_at"].timestamp())) == ("stopped", NOW + 3 * HOUR)


async def test_a_start_and_a_stop_that_are_both_overdue_happen_in_their_order(room: Room):
    await put(room, {"start_at": NOW + HOUR, "stop_at": NOW + 2 * HOUR, "on_stop": "exit"})
    await room.move(hours=3)
    campaign_id = str((await status(room))["id"])
    turns = Driver(room)
    for kind in ("campaign_stop", "campaign_start"):
        await turns.turns.workers[kind](room.workspace_id, campaign_id, system_now)
    assert await label(room) == ("stopped", False)
    await turns.notifier.close()


async def test_a_stop_that_lets_people_finish(room: Room):
    await put(room, {"stop_at": NOW + HOUR, "on_stop": "finish"})
    await verb(room, campaigns.start, None)
    driver = Driver(room)
    async with driver.running():
        await room.accept(go("1"))
        await driver.advance(by="PT1H")
        assert await label(room) == ("stopping", False)
        await driver.advance(by="P9D")
        assert await label(room) == ("stopped", False)
    assert [row["reason"] for row in await room.journeys()] == ["completed"]


async def test_a_scheduled_start_takes_in_whom_the_document_says(room: Room):
    await put(room, {"start_at": NOW + HOUR}, trigger=BY_MATCH, start_audience="current_and_future")
    await room.apply(Identify(subject=Identifier(kind="id", value="1"), attributes={"plan": "pro"}))
    driver = Driver(room)
    async with driver.running():
        await driver.advance(by="PT1H")
    assert len(await room.journeys()) == 1
    assert await label(room) == ("running", False)


async def test_somebody_who_is_faster_than_the_clock(room: Room):
    await put(room, {"start_at": NOW + HOUR, "stop_at": NOW + 5 * HOUR, "on_stop": "exit"})
    driver = Driver(room)
    async with driver.running():
        await verb(room, campaigns.start, None)
        assert await label(room) == ("running", True)
        await verb(room, campaigns.stop, {"journeys": "exit"})
        await driver.advance(by="PT2H")
        assert (await status(room))["state"] == "stopped"
        # Saying the same again does not bring the start back.
        await put(room, {"start_at": NOW + HOUR, "stop_at": NOW + 5 * HOUR, "on_stop": "exit"})
        await driver.advance(by="PT4H")
    assert await label(room) == ("stopped", False)


async def test_a_start_that_is_refused_leaves_a_draft_that_says_why(room: Room):
    empty = {"workflow": {"blocks": {}}}
    await put(room, {"start_at": NOW + HOUR}, **empty)
    driver = Driver(room)
    async with driver.running():
        await driver.advance(by="PT1H")
        now = await status(room)
        assert (now["state"], now["scheduled"]) == ("draft", False)
        assert [(p["code"], p["pointer"]) for p in now["problems"]] == [("empty_workflow", "/workflow/blocks")]
        await put(room, {"start_at": NOW + 2 * HOUR})
        assert "problems" not in await status(room)
        await driver.advance(by="PT1H")
    assert await label(room) == ("running", False)


async def test_instants_that_have_passed_are_refused_unless_they_are_said_again(room: Room):
    await put(room, {"start_at": NOW + HOUR, "stop_at": NOW + 2 * HOUR, "on_stop": "exit"})
    await room.move(hours=10)
    await put(room, {"start_at": NOW + HOUR, "stop_at": NOW + 2 * HOUR, "on_stop": "finish"}, description="Later")
    assert await refused(room, {"start_at": NOW + HOUR + 1, "stop_at": NOW + 20 * HOUR, "on_stop": "exit"}) == (
        "in_the_past",
        "/schedule/start_at",
    )
    assert await refused(room, {"stop_at": NOW + HOUR, "on_stop": "exit"}) == ("in_the_past", "/schedule/stop_at")
    report = await definitions.validate(room.db, room.workspace_id, campaign({"start_at": 1}), now=system_now())
    assert [(p["code"], p["pointer"]) for p in report["errors"]] == [("in_the_past", "/schedule/start_at")]


@pytest.mark.parametrize(
    ("schedule", "code", "pointer"),
    [
        (
            {"start_at": NOW + 2 * HOUR, "stop_at": NOW + HOUR, "on_stop": "exit"},
            "stop_before_start",
            "/schedule/stop_at",
        ),
        ({"stop_at": NOW + HOUR}, "required", "/schedule/on_stop"),
        ({}, "required", "/schedule/start_at"),
        ({"start_at": NOW - 1}, "in_the_past", "/schedule/start_at"),
        ({"start_at": "soon"}, "type", "/schedule/start_at"),
    ],
)
async def test_schedules_that_are_refused(room: Room, schedule: dict[str, Any], code: str, pointer: str):
    with pytest.raises(InvalidInput) as refusal:
        await put(room, schedule)
    assert (refusal.value.code, refusal.value.pointer) == (code, pointer)


async def test_while_it_runs_only_the_stop_may_be_set(room: Room):
    await put(room, None)
    await verb(room, campaigns.start, None)
    assert await refused(room, {"start_at": NOW + HOUR}) == ("locked", "/schedule/start_at")
    await put(room, {"stop_at": NOW + HOUR, "on_stop": "exit"})
    assert await label(room) == ("running", True)
    await put(room, {"stop_at": NOW + 2 * HOUR, "on_stop": "exit"})
    driver = Driver(room)
    async with driver.running():
        await driver.advance(by="PT1H")
        assert await label(room) == ("running", True)
        await put(room, None)
        assert await label(room) == ("running", False)
        await driver.advance(by="PT2H")
    assert (await status(room))["state"] == "running"


async def test_a_stopped_one_may_be_given_a_new_start(room: Room):
    await put(room, None)
    await verb(room, campaigns.start, None)
    await verb(room, campaigns.stop, {"journeys": "exit"})
    await put(room, {"start_at": NOW + HOUR})
    assert await label(room) == ("stopped", True)
    driver = Driver(room)
    async with driver.running():
        await driver.advance(by="PT1H")
    assert await label(room) == ("running", False)


async def test_an_archived_one_is_left_alone_and_comes_back_with_what_lies_ahead(room: Room):
    await put(room, {"stop_at": NOW + HOUR, "on_stop": "exit"})
    await verb(room, campaigns.start, None)
    await verb(room, campaign_life.archive)
    assert await label(room) == ("archived", False)
    await verb(room, campaign_life.unarchive)
    assert await label(room) == ("stopped", True)
    await verb(room, campaigns.restart, None)
    driver = Driver(room)
    async with driver.running():
        await driver.advance(by="PT1H")
    assert await label(room) == ("stopped", False)


async def test_a_deleted_one_leaves_nothing_to_do(room: Room):
    await put(room, {"start_at": NOW + HOUR})
    await definitions.delete(room.db, room.workspace_id, "campaign", "c", now=system_now())
    assert await room.rows("SELECT 1 FROM due WHERE workspace_id = $1") == []


async def test_cmp_case_35_a_stop_scheduled_in_another_zone(room: Room):
    # Dec 31 23:00 in UTC-5, as the caller's editor turns it into an instant.
    stop_at = 1_798_776_000
    await put(room, {"stop_at": stop_at, "on_stop": "exit"})
    document = (await definitions.get(room.db, room.workspace_id, "campaign", "c"))["definition"]
    assert document["schedule"]["stop_at"] == stop_at
    await verb(room, campaigns.start, None)
    driver = Driver(room)
    async with driver.running():
        await driver.advance(to=stop_at - 60)
        await room.accept(go("1"))
        await driver.settle()
        assert await label(room) == ("running", True)
        await driver.advance(to=stop_at)
    assert await label(room) == ("stopped", False)
    (journey,) = await room.journeys()
    assert (journey["reason"], journey["ended_at"].isoformat()) == ("stopped", "2027-01-01T04:00:00+00:00")
