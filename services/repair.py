"""Starting the workflows that Temporal lost: the journey rows say which there have to be."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import NamedTuple

from services.gate import Gate, GateRefused, JourneyStart
from store import outbox
from store.database import Database

logger = logging.getLogger("sojourn.repair")

PAGE = 200
AT_ONCE = 4
"""Little at once, because this runs beside live work and most journeys turn out to be there."""


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


__all__ = ["Repaired", "repair"]
