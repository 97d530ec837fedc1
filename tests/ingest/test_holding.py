"""A journey is held before the clock is read: what is written under the lock is never older than what was there."""

from __future__ import annotations

import asyncio
from datetime import datetime

from activities.holding import holding
from clock import system_now
from domain.operations import Identifier, TrackEvent
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
