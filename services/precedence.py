"""Who goes first in one process: what somebody waits for, before what nobody waits for (CHN-14)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

LONGEST: Final = 0.25
"""For how many seconds bulk work stands aside at most before it does its next piece, so that it never stands still."""


class Precedence:
    """Shared by the roles of a process: bulk work asks before each piece whether it may, and is let through in the end."""

    def __init__(self) -> None:
        self._urgent = 0
        self._free: asyncio.Event | None = None

    @contextmanager
    def urgent(self) -> Iterator[None]:
        """For as long as something is done that somebody waits for."""
        self._urgent += 1
        try:
            yield
        finally:
            self._urgent -= 1
            if not self._urgent and self._free is not None:
                self._free.set()
                self._free = None

    async def give_way(self) -> None:
        """Return as soon as nothing urgent is done, or after a while."""
        if not self._urgent:
            return
        if self._free is None:
            self._free = asyncio.Event()
        try:
            async with asyncio.timeout(LONGEST):
                await self._free.wait()
        except TimeoutError:
            return


__all__ = ["LONGEST", "Precedence"]
