"""Journeys that should have moved and have not: what keeps each of them, and starting them anew from their rows."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final, Literal, NamedTuple

from services.gate import GateRefused, Keeping, Look, Trouble, Watch
from store import late as store
from store.database import Database
from store.late import Late

logger = logging.getLogger("sojourn.wedged")

OLDER_THAN: Final = timedelta(seconds=60)
"""Younger trouble passes by itself: half a minute is the longest pause between two attempts to plan."""
PAGE: Final = 200
AT_ONCE: Final = 8
WHY: Final = "started anew from its row: sojourn journeys restart"

Cause = Trouble | Literal["lost"]
HINTS: Final[Mapping[Cause, str]] = MappingProxyType(
    {
        "nondeterminism": "The workflow code asks for other commands than the journey's history holds: bring back the "
        "code of before, or `sojourn journeys restart`. See docs/wedged-journeys.md.",
        "failing": "The workflow code raises an error: correct it or bring back the code of before; the journey goes on "
        "by itself.",
        "timing_out": "Workflow tasks take too long or their workers die: look at the workers' logs and machines.",
        "planning": "The plan fails and is tried again: the worker's log tells the error under its error id.",
        "activity": "The activity fails and is tried again: the worker's log tells the error under its error id.",
        "unpolled": "No worker polls the queue: start one with the role of its name.",
        "resting": "Temporal asks for nothing, as after a restore of its data: `sojourn journeys restart`.",
        "lost": "Temporal does not run the workflow: `sojourn journeys repair`.",
    }
)
RESTARTABLE: Final[frozenset[Cause]] = frozenset({"nondeterminism", "resting", "lost"})
"""Where a new start from the row helps. Elsewhere it would meet the same error, and only lose the count of attempts."""


@dataclass(frozen=True, slots=True)
class Wedged:
    """A journey that stands still; `since` is when the trouble began, `told` what Temporal says of it."""

    late: Late
    cause: Cause
    since: datetime | None
    attempts: int = 0
    told: str = ""
    run_id: str | None = None

    @property
    def hint(self) -> str:
        """What to do."""
        return HINTS[self.cause]

    @property
    def restartable(self) -> bool:
        """Whether starting it anew helps."""
        return self.cause in RESTARTABLE


class Findings(NamedTuple):
    """How many late journeys were looked at, and those of them that stand still; others are merely slow."""

    looked_at: int
    wedged: list[Wedged]


async def find(
    db: Database,
    watch: Watch,
    real_now: datetime,
    *,
    workspace_id: int | None = None,
    older_than: timedelta = OLDER_THAN,
    most: int | None = None,
    report: Callable[[Findings], None] | None = None,
) -> Findings:
    """The journeys of one workspace or all that should have moved `older_than` ago and stand still.

    At most `most` late ones are looked at; `report` hears of progress page by page. Raises `TemporalAway`.
    """
    found = Findings(0, [])
    before = real_now - older_than
    kinds: tuple[store.Kind, ...] = ("behind", "overdue")
    for kind in kinds:
        after: store.After | None = None
        while most is None or found.looked_at < most:
            size = PAGE if most is None else min(PAGE, most - found.looked_at)
            async with db.connection() as conn:
                page = await store.page(conn, kind, before, after, size, workspace_id=workspace_id)
            wedged = await _look_at(db, watch, page, real_now, older_than)
            found = Findings(found.looked_at + len(page), found.wedged + wedged)
            if report is not None:
                report(found)
            if len(page) < size:
                break
            after = store.after(page[-1])
    return found


async def count_late(
    db: Database, real_now: datetime, *, workspace_id: int | None = None, older_than: timedelta = OLDER_THAN
) -> dict[store.Kind, int]:
    """How many journeys there are to look at, by the database alone; `behind` are mostly in hand at this moment."""
    async with db.connection() as conn:
        return await store.count(conn, real_now - older_than, workspace_id)


Restart = Literal["restarted", "started", "over", "unknown", "refused"]
"""`started` where nothing ran; `over` and `unknown` are journeys that need no workflow; `refused` by Temporal."""


async def restart_one(db: Database, gate: Keeping, journey_id: str, real_now: datetime) -> Restart:
    """Start a journey anew from its row, whatever its workflow does. May be repeated. Raises `TemporalAway`."""
    async with db.connection() as conn:
        row = await store.one(conn, journey_id)
    if row is None:
        return "unknown"
    found, state = row
    if state != "in_progress":
        return "over"
    seen = await gate.look(found.journey.workflow_id, real_now)
    return await _restart(gate, found, seen.run_id if seen is not None and seen.running else None)


async def restart_all(
    gate: Keeping, wedged: Iterable[Wedged], *, report: Callable[[int], None] | None = None
) -> dict[Restart, int]:
    """Start those anew where that helps; how many, by what was done. May be repeated. Raises `TemporalAway`."""
    places = asyncio.Semaphore(AT_ONCE)
    counts: dict[Restart, int] = {}

    async def restart(one: Wedged) -> None:
        async with places:
            done = await _restart(gate, one.late, one.run_id)
        counts[done] = counts.get(done, 0) + 1
        if report is not None:
            report(sum(counts.values()))

    await asyncio.gather(*[restart(one) for one in wedged if one.restartable])
    return counts


async def _restart(gate: Keeping, late: Late, run_id: str | None) -> Restart:
    """End the run that was seen, if any, and have a new one.

    Whoever dies between the two leaves a journey without a workflow, which the next call, a wake or the repair starts. A
    message in hand meanwhile is finished by its activity, and claimed by its row: the new run cannot send it again.
    """
    journey = late.journey
    ids = {"workspace": journey.workspace_id, "journey": journey.journey_id}
    try:
        ended = run_id is not None and await gate.end_run(journey.workflow_id, run_id, WHY)
        await gate.start_journey(journey, again=True)
    except GateRefused as error:
        logger.warning("Temporal refused to start a journey anew.", extra={**ids, "code": error.code})
        return "refused"
    logger.info("A journey was started anew from its row.", extra=ids)
    return "restarted" if ended else "started"


async def _look_at(
    db: Database, watch: Watch, page: list[Late], real_now: datetime, older_than: timedelta
) -> list[Wedged]:
    places = asyncio.Semaphore(AT_ONCE)

    async def look(one: Late) -> Wedged | None:
        async with places:
            return _judged(one, await watch.look(one.journey.workflow_id, real_now), real_now - older_than)

    found = [one for one in await asyncio.gather(*[look(one) for one in page]) if one is not None]
    if not found:
        return []
    # Some moved between the two looks.
    async with db.connection() as conn:
        there = await store.still(conn, [one.late for one in found], real_now - older_than)
    return [one for one in found if one.late.journey.journey_id in there]


def _judged(late: Late, look: Look | None, before: datetime) -> Wedged | None:
    """What keeps a late journey; None where it is in hand, or in trouble for so short a time that it may pass."""
    if look is None or not look.running:
        told = "" if look is None else f"its last run is {look.status}"
        return Wedged(late, "lost", late.at or (look.since if look else None), told=told)
    if look.trouble is None or (look.since is not None and look.since > before):
        return None
    return Wedged(late, look.trouble, look.since, look.attempts, look.told, look.run_id)


__all__ = [
    "HINTS",
    "OLDER_THAN",
    "RESTARTABLE",
    "Cause",
    "Findings",
    "Restart",
    "Wedged",
    "count_late",
    "find",
    "restart_all",
    "restart_one",
]
