"""Handing over the messages of pages: so many at once, their outcomes written down together (SUB-20).

Three pages are in hand at most, so that one is made while others are sent and no more is ever held in memory. What is about
to be handed over is claimed some steps ahead, by one statement for many; no more is claimed than a death may leave in doubt.
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
from typing import Final, NamedTuple, Self

from domain.errors import DomainError
from services.broadcasts.claiming import TakenOver, TriggerClaims, place_of
from services.broadcasts.pages import Page
from services.broadcasts.receipts import Tried
from services.broadcasts.recording import MOST, Recorder
from services.deliveries import Deliverer, Prepared
from services.precedence import Precedence

logger = logging.getLogger("sojourn.broadcasts")

PAGES: Final = 3
AT_ONCE: Final = 40
"""How many messages are on their way to providers at once; writing so many out is what others may have to wait for."""
CLAIMED: Final = 24
"""How many are claimed at a time, as soon as no more than `AT_ONCE` claimed ones are left."""
GATHERING: Final = 0.02
"""For how many seconds outcomes are gathered before they are written down."""


@dataclass(slots=True)
class _InHand:
    """A page with how many of its messages have no outcome on record yet."""

    page: Page
    left: int


class _Ready(NamedTuple):
    """A message that is claimed, since when, and its page."""

    prepared: Prepared
    begun: datetime
    in_hand: _InHand


class Hands:
    """Takes pages of one trigger; `handed` is the place up to which everything was handed over and is on record."""

    def __init__(
        self,
        deliverer: Deliverer,
        claims: TriggerClaims,
        recorder: Recorder,
        clock: Callable[[], datetime],
        handed: int,
        *,
        precedence: Precedence,
    ) -> None:
        self._precedence = precedence
        self.handed = handed
        self._deliverer = deliverer
        self._claims = claims
        self._recorder = recorder
        self._clock = clock
        self._pages: deque[_InHand] = deque()
        self._room = asyncio.Semaphore(PAGES)
        self._coming: deque[tuple[Prepared, _InHand]] = deque()
        self._ready: asyncio.Queue[_Ready] = asyncio.Queue()
        self._claimed = 0
        self._begun = self._reached = handed
        self._wanted = asyncio.Event()
        self._tried: list[tuple[Tried | None, _InHand]] = []
        self._some = asyncio.Event()
        self._settled = asyncio.Event()
        self._failure: BaseException | None = None
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        self._tasks = [asyncio.create_task(self._hand_over()) for _ in range(AT_ONCE)]
        self._tasks += [asyncio.create_task(self._claim()), asyncio.create_task(self._record())]
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
            if self._reached > self._begun:
                await self._claims.step_back(self._begun)

    async def take(self, page: Page) -> None:
        """Take a page as soon as there is room for it; raises what handing over another has failed with."""
        await self._room.acquire()
        self._raise()
        in_hand = _InHand(page, len(page.prepared))
        self._pages.append(in_hand)
        self._coming.extend((prepared, in_hand) for prepared in page.prepared)
        self._wanted.set()
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

    async def _claim(self) -> None:
        """Claim what comes next, whenever little is left of what was claimed before."""
        while True:
            if not self._coming or self._claimed > AT_ONCE:
                self._wanted.clear()
                await self._wanted.wait()
                continue
            batch, in_hand = self._next()
            self._reached = place_of(batch[-1])
            try:
                begun, others = await self._claims.ahead(batch)
            except Exception as error:
                if not isinstance(error, TakenOver):
                    logger.exception("Deliveries could not be claimed.")
                self._fail(error)
                return
            for prepared in batch:
                if prepared.row.delivery_id in others:
                    self._tried.append((None, in_hand))
                    self._some.set()
                else:
                    self._claimed += 1
                    self._ready.put_nowait(_Ready(prepared, begun, in_hand))

    def _next(self) -> tuple[list[Prepared], _InHand]:
        """The next ones of one page, whole places at a time."""
        _, in_hand = self._coming[0]
        batch: list[Prepared] = []
        while self._coming and self._coming[0][1] is in_hand:
            prepared = self._coming[0][0]
            if len(batch) >= CLAIMED and place_of(prepared) != place_of(batch[-1]):
                break
            batch.append(prepared)
            self._coming.popleft()
        return batch, in_hand

    async def _hand_over(self) -> None:
        while True:
            prepared, begun, in_hand = await self._ready.get()
            await self._precedence.give_way()
            self._begun = max(self._begun, place_of(prepared))
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
                self._tried.append((Tried(prepared, outcome, at, begun, in_hand.page.made_by), in_hand))
            self._claimed -= 1
            if self._claimed == AT_ONCE:
                self._wanted.set()
            self._some.set()

    async def _record(self) -> None:
        while True:
            await self._some.wait()
            if len(self._tried) < MOST and not self._is_all():
                await asyncio.sleep(GATHERING)
            await self._precedence.give_way()
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
            self.handed = self._pages.popleft().page.last
            self._room.release()
        if not self._pages:
            self._settled.set()

    def _fail(self, error: BaseException) -> None:
        self._failure = self._failure or error
        self._settled.set()
        with contextlib.suppress(ValueError):
            self._room.release()


__all__ = ["AT_ONCE", "Hands"]
