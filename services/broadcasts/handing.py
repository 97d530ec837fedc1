"""Handing over the messages of pages: so many at once, their outcomes written down together (SUB-20).

Two pages are in hand at most, so that one is made while the other is sent and no more is ever held in memory.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Final, Self

from domain.errors import DomainError
from services.broadcasts.pages import Page
from services.broadcasts.recording import MOST, Recorder, Tried
from services.deliveries import Deliverer, Prepared
from services.delivery_claims import Claims

logger = logging.getLogger("sojourn.broadcasts")

PAGES: Final = 2
AT_ONCE: Final = 40
"""How many messages are on their way to providers at once; writing so many out is what others may have to wait for."""
GATHERING: Final = 0.05
"""For how many seconds outcomes are gathered before they are written down."""


@dataclass(slots=True)
class _InHand:
    """A page with how many of its messages have no outcome on record yet."""

    first: int
    last: int
    left: int


class Hands:
    """Takes pages of one trigger; `handed` is the place up to which everything was handed over and is on record."""

    def __init__(
        self,
        deliverer: Deliverer,
        claims: Claims,
        recorder: Recorder,
        clock: Callable[[], datetime],
        handed: int,
    ) -> None:
        self.handed = handed
        self._deliverer = deliverer
        self._claims = claims
        self._recorder = recorder
        self._clock = clock
        self._pages: deque[_InHand] = deque()
        self._room = asyncio.Semaphore(PAGES)
        self._queue: asyncio.Queue[tuple[Prepared, _InHand]] = asyncio.Queue()
        self._tried: list[tuple[Tried | None, _InHand]] = []
        self._some = asyncio.Event()
        self._settled = asyncio.Event()
        self._failure: BaseException | None = None
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        self._tasks = [asyncio.create_task(self._hand_over()) for _ in range(AT_ONCE)]
        self._tasks.append(asyncio.create_task(self._record()))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        try:
            if kind is None or issubclass(kind, Exception):
                await self.empty()
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def take(self, page: Page) -> None:
        """Take a page as soon as there is room for it; raises what handing over another has failed with."""
        await self._room.acquire()
        self._raise()
        in_hand = _InHand(page.first, page.last, len(page.prepared))
        self._pages.append(in_hand)
        for prepared in page.prepared:
            self._queue.put_nowait((prepared, in_hand))
        self._move_on()

    async def empty(self) -> None:
        """Return when nothing is in hand any more; raises what handing over has failed with."""
        while self._pages and self._failure is None:
            self._settled.clear()
            await self._settled.wait()
        self._raise()

    def _raise(self) -> None:
        if self._failure is not None:
            raise self._failure

    async def _hand_over(self) -> None:
        while True:
            prepared, in_hand = await self._queue.get()
            try:
                outcome = await self._deliverer.hand_over(prepared, self._clock, self._claims)
            except DomainError as error:
                if error.code != "delivery_in_hand":
                    self._fail(error)
                    continue
                self._tried.append((None, in_hand))
            except Exception as error:
                logger.exception("A delivery could not be handed over.", extra={"delivery": prepared.row.delivery_id})
                self._fail(error)
                continue
            else:
                at = prepared.catalog.now(self._clock())
                self._tried.append((Tried(prepared, outcome, at), in_hand))
            self._some.set()

    async def _record(self) -> None:
        while True:
            await self._some.wait()
            if len(self._tried) < MOST and not self._is_all():
                await asyncio.sleep(GATHERING)
            batch, self._tried = self._tried[:MOST], self._tried[MOST:]
            if not self._tried:
                self._some.clear()
            try:
                if tried := [one for one, _ in batch if one is not None]:
                    await self._recorder.record(tried)
            except Exception as error:
                logger.exception("Outcomes of deliveries could not be written down.")
                self._fail(error)
                return
            for _, in_hand in batch:
                in_hand.left -= 1
            self._move_on()

    def _is_all(self) -> bool:
        """Whether nothing else is on its way."""
        return sum(in_hand.left for in_hand in self._pages) == len(self._tried)

    def _move_on(self) -> None:
        """Let go of pages that are done, in their order."""
        while self._pages and self._pages[0].left == 0:
            self.handed = self._pages.popleft().last
            self._room.release()
        if not self._pages:
            self._settled.set()

    def _fail(self, error: BaseException) -> None:
        self._failure = self._failure or error
        self._settled.set()
        with contextlib.suppress(ValueError):
            self._room.release()


__all__ = ["AT_ONCE", "Hands"]
