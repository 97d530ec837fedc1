"""Notices between processes: sent after commit on a connection of their own, a lost one costs a second at most."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Any, Literal, Self

import asyncpg

logger = logging.getLogger("sojourn.store")

Channel = Literal["ingest", "outbox", "due", "tasks"]
CHANNELS: tuple[Channel, ...] = ("ingest", "outbox", "due", "tasks")
COALESCE = 0.01
RECONNECT = 1.0


class Notifier:
    """Sends at most one notice per channel in ten milliseconds, never inside a transaction that writes."""

    def __init__(self, pool: asyncpg.Pool[Any]) -> None:
        self._pool = pool
        self._wanted: set[Channel] = set()
        self._task: asyncio.Task[None] | None = None

    def send(self, *channels: Channel) -> None:
        """Tell listeners soon that there is work; call it after the commit."""
        self._wanted.update(channels)
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._flush())

    async def _flush(self) -> None:
        while self._wanted:
            wanted, self._wanted = self._wanted, set()
            # A listener that hears nothing looks by itself within a second.
            with contextlib.suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                async with self._pool.acquire() as connection:
                    for channel in sorted(wanted):
                        await connection.execute("SELECT pg_notify($1, '')", f"sojourn_{channel}")
            await asyncio.sleep(COALESCE)

    async def close(self) -> None:
        """Send what is still to be sent."""
        if self._task is not None:
            await asyncio.gather(self._task, return_exceptions=True)


class Listener:
    """Hears the notices of one database and comes back by itself when the connection breaks."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._events: dict[Channel, set[asyncio.Event]] = {channel: set() for channel in CHANNELS}
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.get_running_loop().create_task(self._keep())
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def ticks(self, channel: Channel, every: float = 1.0) -> AsyncIterator[None]:
        """Yield at once, then on each notice and at least every so many seconds."""
        heard = asyncio.Event()
        self._events[channel].add(heard)
        try:
            while True:
                heard.clear()
                yield
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(every):
                        await heard.wait()
        finally:
            self._events[channel].discard(heard)

    async def _keep(self) -> None:
        while True:
            try:
                await self._listen()
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError):
                logger.debug("The connection for notices broke; looking every second until it is back.")
            await asyncio.sleep(RECONNECT)

    async def _listen(self) -> None:
        connection = await asyncpg.connect(self._url)
        try:
            gone = asyncio.Event()
            connection.add_termination_listener(lambda *_: gone.set())
            for channel in CHANNELS:
                await connection.add_listener(f"sojourn_{channel}", self._hear)
            await gone.wait()
        finally:
            connection.terminate()

    def _hear(self, _connection: Any, _pid: int, name: str, _payload: Any) -> None:
        for event in self._events[name.removeprefix("sojourn_")]:  # type: ignore[index]
            event.set()


__all__ = ["CHANNELS", "Channel", "Listener", "Notifier"]
