"""Who moves or watches a workspace's clock: one call at a time, over all processes, with one connection a process."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from weakref import WeakKeyDictionary

from domain.errors import DomainError
from store import quiescence
from store.database import Connection, Database


class ClockHolds:
    """The clocks that calls of this process hold.

    However many wait for their workspaces at once, they share a connection: one each would empty the pool that the work
    they wait for needs.
    """

    def __init__(self, db: Database) -> None:
        self._db = db
        self._turn = asyncio.Lock()
        self._held: set[int] = set()
        self._open = AsyncExitStack()
        self._conn: Connection | None = None

    @contextlib.asynccontextmanager
    async def hold(self, workspace_id: int) -> AsyncIterator[None]:
        """Be the only one; raises DomainError `clock_busy`."""
        if not await self._take(workspace_id):
            raise DomainError("clock_busy", "Another advance or settle of this workspace is running.")
        try:
            yield
        finally:
            await self._give(workspace_id)

    async def _take(self, workspace_id: int) -> bool:
        async with self._turn:
            if workspace_id in self._held:
                return False
            if self._conn is None:
                self._conn = await self._open.enter_async_context(self._db.connection())
            try:
                if await quiescence.hold_clock(self._conn, workspace_id):
                    self._held.add(workspace_id)
                    return True
                return False
            finally:
                await self._tidy()

    async def _give(self, workspace_id: int) -> None:
        async with self._turn:
            self._held.discard(workspace_id)
            try:
                if self._conn is not None:
                    await quiescence.release_clock(self._conn, workspace_id)
            finally:
                await self._tidy()

    async def _tidy(self) -> None:
        """Give the connection back when nothing is held with it, or when it broke and took the locks along."""
        if self._conn is not None and (not self._held or self._conn.is_closed()):
            self._conn = None
            await self._open.aclose()
            self._open = AsyncExitStack()


_HOLDS: WeakKeyDictionary[Database, ClockHolds] = WeakKeyDictionary()


def holds_of(db: Database) -> ClockHolds:
    """The holds of this process on one database."""
    return _HOLDS.setdefault(db, ClockHolds(db))


__all__ = ["ClockHolds", "holds_of"]
