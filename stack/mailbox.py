"""What the SMTP sink of a running stack does with a message: a row in the mailbox."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import asyncpg

from clock import system_now

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Record = Callable[[asyncpg.Pool[Any], bytes, str, list[str], datetime], Awaitable[None]]

CONNECTIONS = 4


async def into_table(pool: asyncpg.Pool[Any], raw: bytes, mail_from: str, rcpt_tos: list[str], now: datetime) -> None:
    """Store a message where the API's mailbox finds it; the store is imported when there is something to store."""
    from store.mailbox import record_received

    await record_received(pool, raw, mail_from, rcpt_tos, now)


class Mailbox:
    """The received messages of one database, reached with connections of its own from the first message on."""

    def __init__(self, database_url: str, record: Record = into_table) -> None:
        self._database_url = database_url
        self._record = record
        self._pool: asyncpg.Pool[Any] | None = None

    async def record(self, raw: bytes, mail_from: str, rcpt_tos: list[str]) -> None:
        """Store one message; an error means that it is not stored."""
        if self._pool is None:
            self._pool = asyncpg.create_pool(self._database_url, min_size=0, max_size=CONNECTIONS)
        await self._pool  # without connections to open at once this cannot be interrupted by a second message
        await self._record(self._pool, raw, mail_from, rcpt_tos, system_now())

    async def close(self) -> None:
        """Give the connections back."""
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.terminate()
