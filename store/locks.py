"""Locks on names, held by a connection outside of any transaction: for work that takes longer than one may last."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import asyncpg

from store.database import Connection, Database


async def hold(conn: Connection, name: str) -> bool:
    """Try to become the only one with this name, for as long as the connection holds it."""
    held: bool = await conn.fetchval("SELECT pg_try_advisory_lock(hashtextextended($1, 0))", name)
    return held


async def release(conn: Connection, name: str) -> None:
    """Let others have it."""
    await conn.execute("SELECT pg_advisory_unlock(hashtextextended($1, 0))", name)


class SharedLocks:
    """Locks on names that all stand on one connection, which is taken while there are any.

    However many are held for however long, they keep nobody else from the pool. Should the connection break, they are lost.
    """

    def __init__(self, db: Database) -> None:
        self._db = db
        self._held: set[str] = set()
        self._conn: Connection | None = None
        self._turn = asyncio.Lock()

    async def hold(self, name: str) -> bool:
        """Try to become the only one with this name, here and in other processes."""
        async with self._turn:
            if name in self._held:
                return False
            if self._conn is not None and self._conn.is_closed():
                await self._give_back()
            if self._conn is None:
                self._conn = await self._db.pool.acquire()
            try:
                held = await hold(self._conn, name)
                if held:
                    self._held.add(name)
            finally:
                await self._rest()
            return held

    async def release(self, name: str) -> None:
        """Let others have it."""
        async with self._turn:
            self._held.discard(name)
            if self._held and self._conn is not None:
                with suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
                    await release(self._conn, name)
            await self._rest()

    async def _rest(self) -> None:
        if not self._held and self._conn is not None:
            with suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
                await self._conn.execute("SELECT pg_advisory_unlock_all()")
            await self._give_back()

    async def _give_back(self) -> None:
        conn, self._conn = self._conn, None
        if conn is not None:
            await self._db.pool.release(conn)


__all__ = ["SharedLocks", "hold", "release"]
