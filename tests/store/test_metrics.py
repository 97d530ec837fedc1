"""Totals under concurrent changes: nothing is counted twice, nothing is lost, whoever folds when."""

from __future__ import annotations

import asyncio

from services import metrics as service
from store import deltas, metrics
from store.deltas import Delta
from tests.support.database import Room

WRITERS = 8
ROUNDS = 40


async def count(room: Room, *changes: Delta) -> None:
    async with room.db.transaction() as conn:
        await deltas.insert(conn, changes)


async def totals(room: Room, ref: int = 1) -> dict[str, int]:
    async with room.db.connection() as conn:
        return await service.totals(conn, room.workspace_id, "campaign", ref)


async def test_what_is_not_folded_counts(room: Room):
    number = room.workspace_id
    await count(room, Delta(number, "campaign", 1, "sent", 2), Delta(number, "campaign", 1, "opened"))
    await count(room, Delta(number, "campaign", 2, "sent", 5), Delta(number, "segment", 1, "members", -1))
    assert await totals(room) == {"sent": 2, "opened": 1}
    await service.fold_once(room.db)
    assert await room.rows("SELECT 1 FROM metric_deltas WHERE workspace_id = $1") == []
    await count(room, Delta(number, "campaign", 1, "sent", 3))
    assert await totals(room) == {"sent": 5, "opened": 1}
    assert await totals(room, 3) == {}
    async with room.db.connection() as conn:
        assert await metrics.sums(conn, number, "campaign") == {"sent": 10, "opened": 1}
        assert await metrics.totals(conn, number, "campaign", [1, 2, 3]) == {
            1: {"sent": 5, "opened": 1},
            2: {"sent": 5},
        }


async def test_totals_never_waver_while_changes_are_folded(room: Room):
    change = Delta(room.workspace_id, "campaign", 1, "sent")
    seen: list[int] = []
    done = asyncio.Event()

    async def write() -> None:
        for _ in range(ROUNDS):
            await count(room, change)

    async def fold() -> None:
        while not done.is_set():
            async with room.db.transaction() as conn:
                await metrics.fold(conn, 7)

    async def read() -> None:
        while not done.is_set():
            seen.append((await totals(room)).get("sent", 0))

    helpers = [asyncio.create_task(work()) for work in (fold, fold, read)]
    await asyncio.gather(*(write() for _ in range(WRITERS)))
    done.set()
    await asyncio.gather(*helpers)
    assert seen == sorted(seen)
    assert await totals(room) == {"sent": WRITERS * ROUNDS}
    await service.fold_once(room.db)
    assert await totals(room) == {"sent": WRITERS * ROUNDS}


async def test_a_fold_that_is_rolled_back_loses_nothing(room: Room):
    await count(room, Delta(room.workspace_id, "campaign", 1, "sent"))
    async with room.db.connection() as conn:
        transaction = conn.transaction()
        await transaction.start()
        assert await metrics.fold(conn) >= 1
        await transaction.rollback()
    assert await totals(room) == {"sent": 1}


async def test_the_folder_stops_when_told(room: Room):
    stop = asyncio.Event()
    await count(room, Delta(room.workspace_id, "campaign", 1, "sent"))
    running = asyncio.create_task(service.MetricFolder(room.db).run(stop))
    async with asyncio.timeout(5):
        while await room.rows("SELECT 1 FROM metric_deltas WHERE workspace_id = $1"):
            pass
        stop.set()
        await running
    assert await totals(room) == {"sent": 1}
