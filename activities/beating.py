"""Heartbeats: how Temporal learns within seconds that a worker is gone."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from temporalio import activity

BEAT = 1.0


@contextlib.asynccontextmanager
async def beating() -> AsyncIterator[None]:
    """Tell Temporal every second that the activity is at work."""

    async def beat() -> None:
        while True:
            activity.heartbeat()
            await asyncio.sleep(BEAT)

    task = asyncio.create_task(beat())
    try:
        yield
    finally:
        task.cancel()


__all__ = ["beating"]
