"""A journey is held before the clock is read: what is written under the lock is never older than what was there."""

from __future__ import annotations

import asyncio
from datetime import datetime

from activities.holding import holding
from clock import system_now
from domain.operations import Identifier, Identify, MergePeople, TrackEvent
from domain.steps import JourneyRef
from store import people
from tests.support.database import Room
from tests.support.eventually import eventually
from tests.support.live import campaign, on_event

DELAYED = campaign("slow", on_event("order"), "wait", {"wait": {"type": "time_delay", "duration": "P1D"}})


async def test_the_clock_is_read_when_the_persons_lock_is_there(room: Room) -> None:
    await room.define(DELAYED)
    await room.run_campaign("slow")
    await room.apply(TrackEvent(subject=Identifier(kind="id", value="ann"), name="order", data={}))
    [journey] = await room.journeys()
    read: list[datetime] = []

    def clock() -> datetime:
        read.append(system_now())
        return read[-1]

    async def hold() -> bool:
        async with holding(
            room.db, room.catalogs, JourneyRef(workspace_id=room.workspace_id, journey_id=journey["journey_id"]), clock
        ) as held:
            return held is not None

    async def waits() -> bool:
        query = (
            "SELECT 1 FROM pg_stat_activity WHERE $1 > 0 AND datname = current_database() AND wait_event_type = 'Lock'"
        )
        return bool(await room.rows(query))

    async with room.db.transaction() as conn:
        await people.lock(conn, room.workspace_id, [journey["person_id"]])
        other = asyncio.create_task(hold())
        await eventually(waits, "the other side waits for the lock")
        assert not read
    assert await other
    assert len(read) == 1


async def test_whoever_waits_for_somebody_who_is_merged_meanwhile_finds_the_journey_with_the_primary(
    room: Room,
) -> None:
    await room.define(DELAYED)
    await room.run_campaign("slow")
    await room.apply(
        TrackEvent(subject=Identifier(kind="id", value="bob"), name="order"),
        Identify(subject=Identifier(kind="id", value="ann")),
    )
    [journey] = await room.journeys()
    ref = JourneyRef(workspace_id=room.workspace_id, journey_id=journey["journey_id"])

    async def look() -> str | None:
        async with holding(room.db, room.catalogs, ref, system_now) as held:
            return None if held is None else held.unit.people[held.journey.person_id].id

    merged = MergePeople(primary=Identifier(kind="id", value="ann"), secondary=Identifier(kind="id", value="bob"))
    await room.accept(merged)
    async with room.db.transaction() as conn:
        await people.lock(conn, room.workspace_id, [journey["person_id"]])
        applying = asyncio.create_task(room.applier.apply_once(system_now()))
        await eventually(lambda: waiting(room, 1), "the merge waits for the lock")
        looking = asyncio.create_task(look())
        await eventually(lambda: waiting(room, 2), "the journey's activity waits behind it")
    await applying
    assert await looking == "ann"


async def waiting(room: Room, count: int) -> bool:
    """Whether so many sessions wait for a lock."""
    [row] = await room.rows(
        """SELECT count(*) AS waiting FROM pg_stat_activity
           WHERE $1 > 0 AND datname = current_database() AND wait_event_type = 'Lock'"""
    )
    return row["waiting"] >= count
