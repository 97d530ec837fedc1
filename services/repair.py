"""Starting the workflows that Temporal lost: the rows of journeys and of sends say which there have to be."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from services.gate import Gate, GateRefused, JourneyStart
from store import broadcasts, outbox, requests
from store.database import Database
from store.notify import Notifier

logger = logging.getLogger("sojourn.repair")

PAGE = 200
AT_ONCE = 4
"""Little at once, because this runs beside live work and most journeys turn out to be there."""
IN_HAND = timedelta(minutes=5)
"""How long a send may be in the hands of somebody who does not say so."""


class Repaired(NamedTuple):
    """How many journeys under way were looked at, and how many of their workflows had to be started."""

    looked_at: int
    started: int


async def repair(
    db: Database,
    gate: Gate,
    *,
    workspace_id: int | None = None,
    at_once: int = AT_ONCE,
    report: Callable[[Repaired], None] | None = None,
) -> Repaired:
    """Have a workflow for every journey under way, of one workspace or all; `report` hears of progress page by page.

    A start with the derived id changes nothing where the workflow runs, and where the journey ends meanwhile the
    workflow finds that out. Raises `TemporalAway`.
    """
    done = Repaired(0, 0)
    after = (0, 0, "")
    while True:
        async with db.connection() as conn:
            page = await outbox.active_journeys(conn, after, PAGE, workspace_id)
        started = await _start_missing(gate, page, at_once)
        done = Repaired(done.looked_at + len(page), done.started + started)
        if report is not None:
            report(done)
        if len(page) < PAGE:
            break
        after = (page[-1].workspace_id, page[-1].person_id, page[-1].journey_id)
    if done.started:
        logger.warning("Started workflows that Temporal did not know.", extra={"started": done.started})
    return done


async def repair_sends(db: Database, notifier: Notifier, real_now: datetime, *, workspace_id: int | None = None) -> int:
    """Have transactional sends tried that nobody has in hand: Temporal has lost them, or their worker. Returns how many."""
    asked, after = 0, (0, "")
    while True:
        async with db.transaction() as conn:
            page = await requests.stranded(conn, real_now - IN_HAND, after=after, limit=PAGE, workspace_id=workspace_id)
            for owner in sorted({workspace for workspace, _, _ in page}):
                await outbox.ask_sends(conn, owner, [(name, number) for other, name, number in page if other == owner])
        asked += len(page)
        if len(page) < PAGE:
            break
        after = page[-1][:2]
    if asked:
        notifier.send("outbox")
        logger.warning("Asked again for transactional sends that nobody had in hand.", extra={"asked": asked})
    return asked


async def repair_broadcasts(
    db: Database, notifier: Notifier, real_now: datetime, *, workspace_id: int | None = None
) -> int:
    """Have triggers of broadcasts go on whose turn it is: Temporal may have lost their workflows. Returns how many.

    One that is under way already only hears of it; who waits for an instant of the clock, or is paused, is left alone.
    """
    async with db.transaction() as conn:
        triggers = await broadcasts.going(conn, real_now, workspace_id)
        for key in triggers:
            await outbox.ask_broadcast(conn, *key, "repaired")
    if triggers:
        notifier.send("outbox")
    return len(triggers)


async def repair_strays(db: Database, gate: Gate, running: AsyncIterator[Sequence[str]]) -> int:
    """Have workflows look that run without a journey under way, in pages of their ids; returns how many there were.

    After a restore they belong to journeys that never began. Each finds no row, or one that is over, and ends; one whose
    journey began just now loses nothing by looking. Raises `TemporalAway`.
    """
    told = 0
    async for page in running:
        async with db.connection() as conn:
            known = await outbox.under_way(conn, page)
        for workflow_id in page:
            if workflow_id not in known and await gate.wake_journey(workflow_id, "is there a journey?", 0):
                told += 1
    if told:
        logger.warning("Told workflows without a journey to look.", extra={"told": told})
    return told


async def _start_missing(gate: Gate, page: list[JourneyStart], at_once: int) -> int:
    places = asyncio.Semaphore(at_once)

    async def start(journey: JourneyStart) -> bool:
        async with places:
            try:
                return await gate.start_journey(journey, again=True)
            except GateRefused as error:
                ids = {"workspace": journey.workspace_id, "journey": journey.journey_id, "code": error.code}
                logger.warning("Temporal refused to start a journey.", extra=ids)
                return False

    return sum(await asyncio.gather(*[start(journey) for journey in page]))


__all__ = ["Repaired", "repair", "repair_broadcasts", "repair_sends", "repair_strays"]
