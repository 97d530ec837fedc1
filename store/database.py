"""The door to the database: pooled connections, and the transaction that is the unit of every write."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import orjson

from telemetry import figures

Connection = Any
"""An asyncpg connection inside the caller's transaction."""


_JSONB_VERSION = b"\x01"
"""What precedes the text of a jsonb value in the binary format."""


def _dump(value: Any) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS)


def _dump_binary(value: Any) -> bytes:
    return _JSONB_VERSION + orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS)


def _load_binary(value: bytes) -> Any:
    return orjson.loads(value[1:])


async def _init(connection: asyncpg.Connection) -> None:
    """Binary, because texts in arrays are quoted on one side and unquoted on the other, which costs more than the JSON."""
    for name, encoder, decoder in (("jsonb", _dump_binary, _load_binary), ("json", _dump, orjson.loads)):
        await connection.set_type_codec(name, schema="pg_catalog", encoder=encoder, decoder=decoder, format="binary")


async def _leave(_connection: asyncpg.Connection) -> None:
    """Nothing: what a transaction leaves behind, its end has cleaned up, and a round trip for each would be felt."""


async def _let_go(connection: Connection) -> None:
    """Free the locks of the session before somebody else gets the connection; a broken one has lost them already."""
    with contextlib.suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
        await connection.execute("SELECT pg_advisory_unlock_all()")


class Database:
    """An open pool on one PostgreSQL; `transaction()` is the unit every write happens in."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self.pool = pool
        self._waiting = 0

    @classmethod
    async def connect(cls, url: str, *, min_size: int = 2, max_size: int = 20) -> Database:
        """Open the pool. `url` is `postgresql://...`."""
        pool = await asyncpg.create_pool(url, min_size=min_size, max_size=max_size, init=_init, reset=_leave)
        return cls(pool)

    async def close(self) -> None:
        """Close the pool."""
        await self.pool.close()

    def report(self) -> None:
        """Note for the figures of the process how its connections stand."""
        idle = self.pool.get_idle_size()
        figures.CONNECTIONS.labels("in_use").set(self.pool.get_size() - idle)
        figures.CONNECTIONS.labels("idle").set(idle)
        figures.CONNECTIONS.labels("allowed").set(self.pool.get_max_size())
        figures.WAITING.set(self._waiting)

    async def _acquire(self) -> Connection:
        self._waiting += 1
        try:
            return await self.pool.acquire()
        finally:
            self._waiting -= 1

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """A connection in a READ COMMITTED transaction, committed when the block ends without an exception."""
        connection = await self._acquire()
        try:
            async with connection.transaction():
                yield connection
        except BaseException:
            await _let_go(connection)
            raise
        finally:
            await self.pool.release(connection)

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """A connection without a transaction, for single statements; locks of the session are given back by who took them."""
        connection = await self._acquire()
        try:
            yield connection
        except BaseException:
            await _let_go(connection)
            raise
        finally:
            await self.pool.release(connection)
