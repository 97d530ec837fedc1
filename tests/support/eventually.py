"""Waiting for what comes about by itself, with a deadline: for what no `settle` can tell."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")

LOOK_EVERY = 0.05


async def eventually(look: Callable[[], Awaitable[T]], what: str, within: float = 30.0) -> T:
    """What `look` answers as soon as that is true of it; fails, saying what was waited for, after so many seconds."""
    clock = asyncio.get_running_loop().time
    deadline = clock() + within
    while True:
        found = await look()
        if found:
            return found
        assert clock() < deadline, f"not within {within:g} s: {what}; last look: {found!r}"
        await asyncio.sleep(LOOK_EVERY)


async def throughout(seconds: float, look: Callable[[], Awaitable[None]]) -> int:
    """Have `look` assert something again and again for so long; how often it did."""
    clock = asyncio.get_running_loop().time
    end, looks = clock() + seconds, 0
    while clock() < end:
        await look()
        looks += 1
        await asyncio.sleep(LOOK_EVERY)
    return looks
