"""What the worker does, without Temporal and without messages: facts applied, journeys planned, tasks run, flips fired."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

from clock import system_now
from ingest.unit import Unit
from services import clock as clocks
from services.advance import advance
from services.due import DueRunner
from services.schedule_turns import Turns
from store.journeys import NOBODY, hold_payload
from store.notify import Notifier
from tests.support.database import Room
from tests.support.tasks import Tasks


class Driver:
    """Carries one room's work on."""

    def __init__(self, room: Room) -> None:
        self.room = room
        self.notifier = Notifier(room.db.pool)
        self.tasks = Tasks(room.db, room.catalogs)
        self.turns = Turns(room.db, self.notifier)
        self.due = DueRunner(room.db, room.catalogs, self.notifier, None, system_now, workers=self.turns.workers)

    async def step(self) -> None:
        """Do what there is to do now."""
        while await self.room.applier.apply_once(system_now()):
            pass
        await self.tasks.run_once()
        if await self.room.rows("SELECT 1 FROM due WHERE workspace_id = $1"):
            await self.due.look_once()
        for row in await self.room.rows("SELECT * FROM outbox WHERE workspace_id = $1 ORDER BY lane DESC, outbox_id"):
            await self._plan(row)

    async def _plan(self, row: dict[str, Any]) -> None:
        async with self.room.db.transaction() as conn:
            catalog = await self.room.catalogs.get(conn, self.room.workspace_id)
            now = catalog.now(system_now())
            unit = await Unit.load(conn, catalog, [row["person_id"]], now, keys=catalog.compiled.keys)
            if row["person_id"] == NOBODY and (
                held := await hold_payload(conn, row["workspace_id"], row["journey_id"])
            ):
                unit.seat_nobody().journeys.append(held)
            journeys = unit.people[row["person_id"]].journeys
            for journey in [j for j in journeys if j.journey_id == row["journey_id"]]:
                assert (await advance(conn, catalog, unit, journey, now, why=row["why"])).kind != "deliver"
            await unit.flush()
            await conn.execute("DELETE FROM outbox WHERE outbox_id = $1", row["outbox_id"])

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Step again and again in the background."""

        async def forever() -> None:
            while True:
                await self.step()
                await asyncio.sleep(0.005)

        task = asyncio.create_task(forever())
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
            await self.notifier.close()

    async def settle(self, **body: Any) -> dict[str, Any]:
        """Settle through the service."""
        room = self.room
        return await clocks.settle(
            room.db, room.catalogs, self.notifier, room.workspace_id, body or None, clock=system_now
        )

    async def advance(self, **body: Any) -> dict[str, Any]:
        """Advance the clock through the service."""
        room = self.room
        return await clocks.advance(room.db, room.catalogs, self.notifier, room.workspace_id, body, clock=system_now)
