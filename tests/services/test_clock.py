"""The clock of a workspace: settling, advancing from instant to instant, and what is refused."""

from __future__ import annotations

import asyncio

import pytest

from clock import system_now
from domain.errors import DomainError, InvalidInput
from domain.operations import Identifier, Identify, TrackEvent
from domain.values import to_unix
from services import campaigns
from services import clock as clocks
from services.settling import NotSettled
from store import quiescence, workspaces
from tests.support.database import START, Room
from tests.support.driver import Driver

HOUR = 3600
DAY = 24 * HOUR
WAITING = {
    "kind": "campaign",
    "key": "waiting",
    "name": "Waiting",
    "trigger": {"type": "event", "event": "go"},
    "workflow": {
        "start": "delay",
        "blocks": {
            "delay": {"type": "time_delay", "duration": "P1D", "next": "window"},
            "window": {
                "type": "time_window",
                "days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"],
                "hours": [{"from": "12:00", "to": "13:00"}],
                "timezone": "UTC",
                "next": "wait",
            },
            "wait": {
                "type": "wait_until",
                "paths": [
                    {"key": "bought", "conditions": {"performed": {"event": "buy", "since": "trigger"}}},
                    {"key": "late", "max_time": "PT6H"},
                ],
            },
        },
    },
}
FRESH = {
    "kind": "segment",
    "key": "fresh",
    "name": "Fresh",
    "conditions": {"performed": {"event": "go", "within": "PT2H"}},
}


def event(person: str, name: str) -> TrackEvent:
    return TrackEvent(subject=Identifier(kind="id", value=person), name=name)


def identify(person: str, **attributes) -> Identify:
    return Identify(subject=Identifier(kind="id", value=person), attributes=attributes)


async def start(room: Room, *documents) -> Driver:
    await room.define(*documents)
    for document in documents:
        if document["kind"] == "campaign":
            await campaigns.start(room.db, room.workspace_id, document["key"], None, system_now())
    return Driver(room)


async def test_an_advance_visits_each_instant_and_reports_it(room: Room):
    driver = await start(room, WAITING, FRESH)
    began = to_unix(START)
    async with driver.running():
        await room.accept(event("1", "go"))
        settled = await driver.settle()
        assert [journey["state"] for journey in await room.journeys()] == ["in_progress"]
        assert await room.members(FRESH["key"]) == ["1"]
        assert (settled["from"], settled["now"], settled["settled"]) == (began, began, True)
        now = await clocks.now_of(room.db, room.catalogs, room.workspace_id, system_now)
        assert now == {"now": began, "sandbox": True, "next_due": {"at": began + 2 * HOUR, "kind": "segment_flip"}}
        report = await driver.advance(by="P2D")
    assert report["now"] == began + 2 * DAY
    assert report["steps"] == [
        {"at": began + 2 * HOUR, "fired": {"segment_flip": 1}},
        {"at": began + DAY, "fired": {"delay": 1}},
        {"at": began + DAY + 2 * HOUR, "fired": {"window": 1}},
        {"at": began + DAY + 8 * HOUR, "fired": {"wait": 1}},
    ]
    assert report["fired"] == {"delay": 1, "segment_flip": 1, "wait": 1, "window": 1}
    assert report["steps_total"] == 4
    assert report["journeys"] == {"started": 0, "finished": 1, "exited_early": 0, "converted": 0}
    assert report["segments"] == {"entered": 0, "left": 1}
    assert report["deliveries"] == {}
    (journey,) = await room.journeys()
    assert to_unix(journey["ended_at"]) == began + DAY + 8 * HOUR
    assert (await clocks.now_of(room.db, room.catalogs, room.workspace_id, system_now))["next_due"] is None


async def test_an_advance_of_nothing_settles(room: Room):
    driver = Driver(room)
    async with driver.running():
        await room.accept(identify("1"))
        report = await driver.advance(by=0)
    assert report["from"] == report["now"] == to_unix(START)
    assert report["steps_total"] == 0
    assert len(await room.people()) == 1


async def test_what_came_due_behind_the_clock_is_fired_while_settling(room: Room):
    driver = await start(room, WAITING)
    async with driver.running():
        await room.accept(event("1", "go"))
        await driver.settle()
        await room.move(days=1)
        await driver.settle()
    assert [j["block"] for j in await room.journeys()] == ["window"]


async def test_without_workers_a_settle_tells_what_is_pending(room: Room):
    await room.accept(identify("1"))
    with pytest.raises(NotSettled) as refused:
        await Driver(room).settle(timeout_seconds=0.1)
    assert refused.value.code == "not_settled"
    assert refused.value.message == "1 accepted call is still to be applied after 0.1 s."
    assert refused.value.now == to_unix(START)
    assert refused.value.pending == {
        "ingestion": 1,
        "segments": 0,
        "journeys": [],
        "deliveries": [],
        "tasks": [],
        "reporting": 0,
    }


async def test_out_of_time_on_the_way_leaves_the_clock_at_an_instant_that_was_visited(room: Room):
    driver = await start(room, WAITING)
    async with driver.running():
        await room.accept(event("1", "go"))
        await driver.settle()
    with pytest.raises(NotSettled) as refused:
        await driver.advance(by="P3D", timeout_seconds=0.1)
    (journey,) = await room.journeys()
    assert refused.value.now == to_unix(START) + DAY
    assert refused.value.pending["journeys"] == [{"journey_id": journey["journey_id"], "block": "delay"}]
    async with driver.running():
        report = await driver.advance(to=to_unix(START) + 3 * DAY)
    assert report["from"] == to_unix(START) + DAY
    assert report["journeys"]["finished"] == 1


async def test_one_at_a_time(room: Room):
    driver = Driver(room)
    async with room.db.connection() as other:
        assert await quiescence.hold_clock(other, room.workspace_id)
        for call in (driver.settle(), driver.advance(by=0)):
            with pytest.raises(DomainError) as refused:
                await call
            assert refused.value.code == "clock_busy"
        await quiescence.release_clock(other, room.workspace_id)
    await driver.settle()


async def test_many_workspaces_are_watched_with_few_connections(room: Room):
    rooms = [await Room.make(room.db) for _ in range(room.db.pool.get_max_size() + 5)]
    drivers = [Driver(each) for each in rooms]
    for each in rooms:
        await each.accept(identify("1"))
    calls = [asyncio.create_task(driver.settle()) for driver in drivers]
    async with asyncio.timeout(20), drivers[0].running():
        second = await asyncio.gather(*(driver.settle() for driver in drivers), return_exceptions=True)
        assert {getattr(answer, "code", None) for answer in second} == {"clock_busy"}
        assert [report["settled"] for report in await asyncio.gather(*calls)] == [True] * len(rooms)


async def test_the_clock_is_free_again_after_a_cancelled_call(room: Room):
    driver = Driver(room)
    await room.accept(identify("1"))
    call = asyncio.create_task(driver.settle())
    await asyncio.wait([call], timeout=0.05)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    with pytest.raises(NotSettled):
        await driver.settle(timeout_seconds=0.1)


@pytest.mark.parametrize(
    ("body", "code", "pointer"),
    [
        ({}, "required", "/by"),
        ({"by": 1, "to": 2}, "type", "/to"),
        ({"by": "1 day"}, "format", "/by"),
        ({"by": -1}, "range", "/by"),
        ({"by": None}, "type", "/by"),
        ({"to": to_unix(START) - 1}, "in_the_past", "/to"),
        ({"to": 10**12}, "range", "/to"),
        ({"to": "tomorrow"}, "type", "/to"),
        ({"to": True}, "type", "/to"),
        ({"by": 1, "timeout_seconds": 0}, "range", "/timeout_seconds"),
        ({"by": 1, "timeout_seconds": 301}, "range", "/timeout_seconds"),
        ({"by": 1, "timeout_seconds": "1"}, "type", "/timeout_seconds"),
        ({"by": 1, "until": 2}, "unknown_field", "/until"),
        ([], "type", ""),
    ],
)
async def test_what_cannot_be_advanced_to(room: Room, body, code, pointer):
    with pytest.raises(InvalidInput) as refused:
        await clocks.advance(room.db, room.catalogs, Driver(room).notifier, room.workspace_id, body, clock=system_now)
    assert (refused.value.code, refused.value.pointer) == (code, pointer)


async def test_the_start_of_a_sandbox_is_set_while_it_is_empty(room: Room):
    async def set_start(body):
        return await clocks.set_start(room.db, room.catalogs, room.workspace_id, body, system_now)

    assert await set_start({"now": 1_000_000_000}) == {"now": 1_000_000_000, "sandbox": True, "next_due": None}
    for body, code, pointer in (
        ({}, "required", "/now"),
        ({"now": "x"}, "type", "/now"),
        ({"now": -1}, "range", "/now"),
        ({"at": 1, "now": 1}, "unknown_field", "/at"),
    ):
        with pytest.raises(InvalidInput) as wrong:
            await set_start(body)
        assert (wrong.value.code, wrong.value.pointer) == (code, pointer)
    await room.accept(identify("1"))
    for applied in (False, True):
        if applied:
            await room.apply()
        with pytest.raises(DomainError) as refused:
            await set_start({"now": 1_000_000_001})
        assert refused.value.code == "clock_in_use"


async def test_real_time_can_be_watched_but_not_moved(room: Room):
    async with room.db.transaction() as conn:
        room.workspace_id = await workspaces.create(
            conn, name="real", sandbox=False, clock_now=None, delivery_key=b"k" * 32, now=system_now()
        )
    driver = Driver(room)
    for call in (
        driver.advance(by=0),
        clocks.set_start(room.db, room.catalogs, room.workspace_id, {"now": 1}, system_now),
    ):
        with pytest.raises(DomainError) as refused:
            await call
        assert refused.value.code == "not_sandbox"
    async with driver.running():
        await room.accept(identify("1"))
        report = await driver.settle()
    assert report["settled"]
    assert "deliveries" not in report
    assert len(await room.people()) == 1
    now = await clocks.now_of(room.db, room.catalogs, room.workspace_id, system_now)
    assert now["sandbox"] is False
    assert abs(now["now"] - to_unix(system_now())) <= 1
