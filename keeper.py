"""Loops that outlive what they depend on: tried again with growing pauses, each outage told once."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

logger = logging.getLogger("sojourn.keeper")

FIRST_PAUSE = 0.2
LONGEST_PAUSE = 2.0
STEADY_AFTER = 1.0

Ready = Callable[[bool], None]
Loop = Callable[[Ready], Awaitable[None]]
"""A loop that runs until told to stop, and says whether it is doing its work."""


@dataclass
class Keeper:
    """Runs loops until `stop` is set; `expected` tells the failures of an outage from those of our code."""

    expected: Callable[[BaseException], bool]
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    _ready: dict[str, bool] = field(default_factory=dict)
    _down: set[str] = field(default_factory=set)

    @property
    def ready(self) -> Mapping[str, bool]:
        """Which loops are doing their work."""
        return self._ready

    async def keep(self, name: str, loop: Loop) -> None:
        """Run a loop, again and again where it fails."""
        self._ready[name] = False
        pause = FIRST_PAUSE
        while not self.stop.is_set():
            attempt = asyncio.ensure_future(loop(lambda ready: self._ready.__setitem__(name, ready)))
            try:
                await asyncio.wait({attempt}, timeout=STEADY_AFTER)
                if not attempt.done():
                    pause = FIRST_PAUSE
                    self._tell_up(name)
                await attempt
            except Exception as error:  # noqa: BLE001 - whatever ends a loop, it has to run again
                self._tell_down(name, error)
            finally:
                attempt.cancel()
                self._ready[name] = False
            await self.rest(pause)
            pause = min(pause * 2, LONGEST_PAUSE)

    async def rest(self, seconds: float) -> None:
        """Wait so long, but not longer than until the end."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.stop.wait()

    def _tell_down(self, name: str, error: Exception) -> None:
        if name in self._down:
            return
        self._down.add(name)
        told = {"loop": name, "reason": type(error).__name__}
        if self.expected(error):
            logger.warning("A loop is interrupted and tried again until it runs.", extra=told)
        else:
            logger.error("A loop failed and is tried again until it runs.", extra=told, exc_info=error)

    def _tell_up(self, name: str) -> None:
        if name in self._down:
            self._down.discard(name)
            logger.warning("A loop runs again.", extra={"loop": name})


def plainly(run: Callable[[], Awaitable[None]]) -> Loop:
    """A loop that does its work whenever it runs."""

    async def loop(ready: Ready) -> None:
        ready(True)
        await run()

    return loop


__all__ = ["Keeper", "Loop", "Ready", "plainly"]
