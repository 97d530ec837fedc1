"""Numbers after a restore: none comes again, of whatever has counted by then or not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from clock import system_now
from services.restoring import StillRunning, restored
from store import log, workers, workspaces
from store.database import Database
from store.notify import Notifier
from store.restoring import COUNTER_STRIDE, LONG_STRIDE, SHORT_STRIDE
from tests.support.database import Room, migrated
from tests.support.eventually import eventually


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def own() -> AsyncIterator[Database]:
    """A database of its own, because its numbers jump."""
    async with migrated() as db:
        yield db


async def _restored(db: Database) -> None:
    notifier = Notifier(db.pool)
    try:
        await restored(db, notifier, system_now())
    finally:
        await notifier.close()


async def test_every_number_moves_on(own: Database) -> None:
    room = await Room.make(own)
    async with own.transaction() as conn:
        assert [await workspaces.next_id(conn, room.workspace_id, "task") for _ in range(3)] == [1, 2, 3]
        fact = await log.next_seq(conn)
    await _restored(own)
    async with own.transaction() as conn:
        assert await workspaces.last_id(conn, room.workspace_id, "export") == COUNTER_STRIDE
        assert await workspaces.next_id(conn, room.workspace_id, "task") == COUNTER_STRIDE + 4
        # What the lost time may have begun to count begins further up.
        assert await workspaces.next_id(conn, room.workspace_id, "export") == COUNTER_STRIDE + 1
        assert await workspaces.next_id(conn, room.workspace_id, "transactional", 2) == COUNTER_STRIDE + 2
        assert await log.next_seq(conn) > fact + LONG_STRIDE
    again = await Room.make(own)
    assert again.workspace_id > room.workspace_id + SHORT_STRIDE
    async with own.transaction() as conn:
        assert await workspaces.next_id(conn, again.workspace_id, "task") == 1


async def test_it_may_be_repeated(own: Database) -> None:
    room = await Room.make(own)
    await _restored(own)
    await _restored(own)
    async with own.transaction() as conn:
        assert await workspaces.next_id(conn, room.workspace_id, "task") == 2 * COUNTER_STRIDE + 1


async def test_it_refuses_while_a_worker_says_that_it_is_there(own: Database) -> None:
    began = system_now()

    async def beat() -> None:
        async with own.transaction() as conn:
            await workers.beat(conn, "one", ["ingest"], began, system_now())

    await beat()
    refusing = asyncio.create_task(_restored(own))

    async def refused() -> bool:
        await beat()
        return refusing.done()

    await eventually(refused, "it has listened")
    with pytest.raises(StillRunning):
        await refusing
    # A row alone, which was restored with the rest, says nothing.
    await _restored(own)
