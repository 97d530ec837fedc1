"""Planning a journey: what it needs next, decided under its person's lock."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime

from temporalio import activity

from activities.holding import GONE, Held, holding
from domain.steps import AdvanceInput, StepResult
from ingest.catalog import Catalogs
from services.advance import Delivered, advance
from store.database import Database
from store.notify import Notifier
from telemetry.figures import PLAN_SECONDS


class JourneyActivities:
    """The planning activity with what it needs; `clock` gives the real present instant."""

    def __init__(self, db: Database, catalogs: Catalogs, notifier: Notifier, clock: Callable[[], datetime]) -> None:
        self._db = db
        self._catalogs = catalogs
        self._notifier = notifier
        self._clock = clock

    @activity.defn(name="advance")
    async def advance(self, call: AdvanceInput) -> StepResult:
        """Walk the journey on until it has to wait, to deliver, or has ended."""
        async with holding(self._db, self._catalogs, call, self._clock) as held:
            if held is None:
                return GONE
            step = await plan(held, call.why)
        held.unit.tell(self._notifier)
        return step


async def plan(held: Held, why: str, delivered: Delivered | None = None) -> StepResult:
    """Walk a held journey on and write everything that this changed; the caller commits."""
    clock = asyncio.get_running_loop().time
    began = clock()
    step = await advance(held.conn, held.catalog, held.unit, held.journey, held.now, why=why, delivered=delivered)
    await held.unit.flush()
    PLAN_SECONDS.observe(clock() - began)
    return step


__all__ = ["JourneyActivities", "plan"]
