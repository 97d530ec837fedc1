"""Processes that a test starts and that do not outlive it."""

from __future__ import annotations

import contextlib
from asyncio.subprocess import Process
from collections.abc import AsyncIterator


@contextlib.asynccontextmanager
async def killed_at_the_end(process: Process) -> AsyncIterator[Process]:
    """The process, which is killed where it still runs on leaving."""
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
