"""A fact and a plan of the same person, interleaved at every statement: the wake is never lost and never doubled."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from clock import system_now
from domain.operations import Identifier, TrackEvent
from ingest.apply import Applier
from ingest.unit import Unit
from services.advance import advance
from store import journeys
from store.database import Database
from store.notify import Notifier
from tests.support.database import Room

CAMPAIGN = {
    "kind": "campaign",
    "key": "cart",
    "name": "Cart",
    "trigger": {"type": "event", "event": "cart"},
    "workflow": {
        "start": "wait",
        "blocks": {
            "wait": {
                "type": "wait_until",
                "paths": [
                    {"key": "bought", "conditions": {"performed": {"event": "purchase", "since": "trigger"}}},
                    {"key": "late", "max_time": "P30D"},
                ],
            }
        },
    },
}
STATEMENTS = ("fetch", "fetchrow", "fetchval", "execute")


class Turns:
    """Lets one side run alone until its n-th statement, then the other until it ends or waits for the first."""

    def __init__(self, stop_at: int) -> None:
        self.left = stop_at
        self.reached = asyncio.Event()
        self.go_on = asyncio.Event()

    async def count(self) -> None:
        self.left -= 1
        if self.left == 0:
            self.reached.set()
            await self.go_on.wait()


class Paced:
    """A connection whose statements are counted."""

    def __init__(self, conn: Any, turns: Turns) -> None:
        self._conn = conn
        self._turns = turns

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._conn, name)
        if name not in STATEMENTS:
            return found

        async def counted(*args: Any, **kw: Any) -> Any:
            await self._turns.count()
            return await found(*args, **kw)

        return counted


async def plan(room: Room, journey_id: str, turns: Turns | None = None) -> None:
    async with room.db.transaction() as raw:
        conn = Paced(raw, turns) if turns else raw
        row = await journeys.get(conn, room.workspace_id, journey_id)
        assert row is not None
        catalog = await room.catalogs.get(conn, room.workspace_id)
        now = catalog.now(system_now())
        unit = await Unit.load(conn, catalog, [row.person_id], now, keys=catalog.keys_for(row.campaign_id))
        active = [journey for journey in unit.people[row.person_id].journeys if journey.journey_id == journey_id]
        if active:
            await advance(conn, catalog, unit, active[0], now, why="test")
        await unit.flush()


class PacedDatabase:
    """A database whose transactions are counted, for the applier."""

    def __init__(self, db: Database, turns: Turns) -> None:
        self._db = db
        self._turns = turns
        self.pool = db.pool
        self.connection = db.connection

    def transaction(self) -> Any:
        turns, context = self._turns, self._db.transaction()

        class Wrapped:
            async def __aenter__(self) -> Any:
                return Paced(await context.__aenter__(), turns)

            async def __aexit__(self, *error: object) -> Any:
                return await context.__aexit__(*error)

        return Wrapped()


async def drain(room: Room) -> int:
    """Plan whatever the outbox asks for, until nothing does; how many plans that were."""
    plans = 0
    while rows := await room.rows("DELETE FROM outbox WHERE workspace_id = $1 RETURNING outbox_id, journey_id"):
        for row in sorted(rows, key=lambda r: r["outbox_id"]):
            await plan(room, row["journey_id"])
            plans += 1
    return plans


async def begin(room: Room) -> str:
    await room.define(CAMPAIGN)
    await room.run_campaign("cart")
    await room.apply(TrackEvent(subject=Identifier(kind="id", value="1"), name="cart"))
    (journey,) = await room.journeys()
    await room.rows("DELETE FROM outbox WHERE workspace_id = $1 RETURNING 1")
    await room.accept(TrackEvent(subject=Identifier(kind="id", value="1"), name="purchase"))
    return journey["journey_id"]


@pytest.mark.parametrize("stop_at", range(1, 24))
async def test_a_fact_that_comes_while_a_plan_parks_ends_the_wait(database: Database, stop_at: int):
    room = await Room.make(database)
    journey_id = await begin(room)
    turns = Turns(stop_at)
    planning = asyncio.create_task(plan(room, journey_id, turns))
    stopped = asyncio.create_task(turns.reached.wait())
    await asyncio.wait({planning, stopped}, return_when=asyncio.FIRST_COMPLETED)
    applying = asyncio.create_task(room.applier.apply_once(system_now()))
    await asyncio.wait({applying}, timeout=0.15)
    turns.go_on.set()
    stopped.cancel()
    await asyncio.gather(planning, applying)
    await room.apply()
    await drain(room)
    (journey,) = await room.journeys()
    assert (journey["state"], journey["reason"]) == ("finished", "completed")
    steps = await room.rows("SELECT path FROM journey_steps WHERE workspace_id = $1")
    assert steps == [{"path": "bought"}]


@pytest.mark.parametrize("stop_at", range(1, 30))
async def test_a_plan_that_parks_while_a_fact_is_applied_is_woken_by_it(database: Database, stop_at: int):
    room = await Room.make(database)
    journey_id = await begin(room)
    turns = Turns(stop_at)
    applier = Applier(PacedDatabase(database, turns), room.catalogs, Notifier(database.pool))  # type: ignore[arg-type]
    applying = asyncio.create_task(applier.apply_once(system_now()))
    stopped = asyncio.create_task(turns.reached.wait())
    await asyncio.wait({applying, stopped}, return_when=asyncio.FIRST_COMPLETED)
    planning = asyncio.create_task(plan(room, journey_id))
    await asyncio.wait({planning}, timeout=0.15)
    turns.go_on.set()
    stopped.cancel()
    await asyncio.gather(planning, applying)
    await room.apply()
    assert await drain(room) <= 1
    (journey,) = await room.journeys()
    assert (journey["state"], journey["reason"]) == ("finished", "completed")
