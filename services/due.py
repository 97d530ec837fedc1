"""What the clock asks for: waking journeys, having flips looked at, trying deliveries again, closing stopped campaigns."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from domain.blocks import TimeDelay, TimeWindow
from domain.deliveries import microseconds
from domain.drafts import EXPIRY, RELEASE
from domain.operations import Reevaluate
from domain.workflow_graph import resume_at
from ingest.catalog import Catalog, Catalogs
from store import definitions as definition_store
from store import drafts, journeys, log, schedules, workspaces
from store import due as store
from store.database import Connection, Database
from store.deliveries import RETRIES
from store.due import DueKey
from store.notify import Listener, Notifier
from telemetry.figures import DUE_HANDLED

logger = logging.getLogger("sojourn.due")

Clock = Callable[[], datetime]
FLIP_PAGE = 5_000
FLIPS_AHEAD = 1_000
"""How many facts may wait while flips come: whoever calls meanwhile is not to wait behind everybody whom the clock moves."""
LEAST_FLIPS = 20
"""How many flips are taken at a time whatever waits, so that a busy workspace does not put them off for ever."""
FLIP_PAUSE = 0.02
DRAFT_PAGE = 2_000
"""How many drafts are deleted at a time that have been kept for as long as drafts are."""
NOT_ROWS = frozenset({"segment_flip", EXPIRY, "delay", "window", "wait"})
"""What is set going where it is found; rows of `due` are worked on one by one."""
PAGED = frozenset({"segment_flip", EXPIRY})
"""What comes in pages; everything else is counted whole each time."""
ROW_PAGE = 50
AT_ONCE = 10
PAGES_AT_ONCE = 4
"""Each page holds a connection while providers answer, and what it does needs further ones."""
REST = timedelta(seconds=5)
TIMER_KINDS: Mapping[str, str] = {
    "flip": "segment_flip",
    "delivery": "delivery_retry",
    RELEASE: "send_at",
    "transactional": "send_at",
    "broadcast": "broadcast",
    "provider": "delivery_retry",
    **dict.fromkeys(schedules.TURNS, "schedule"),
}
"""What the contract calls what is due, where it is not a journey."""


class Retries(Protocol):
    """Who tries a delivery again; the outcome's transaction deletes or moves its row in `due`."""

    async def retry(self, workspace_id: int, delivery_id: str, clock: Clock) -> object:
        """Try it now."""


DueWork = Callable[[int, str, Clock], Awaitable[object]]
"""Works on one row of `due`, given its workspace and its `ref`; its transaction deletes or moves the row."""


@dataclass
class Fired:
    """What was set going, by the contract's kinds of timers; `more` where flips are left for another transaction."""

    counts: Counter[str] = field(default_factory=Counter)
    more: bool = False


async def fire(conn: Connection, catalog: Catalog, real_now: datetime, most_flips: int = FLIP_PAGE) -> Fired:
    """Set going what the workspace's clock asks for now: in a sandbox waiting journeys, everywhere flips.

    Journeys elsewhere have timers of their own. Rows of `due` are counted here and worked on by the `DueRunner`. At most
    `most_flips` memberships are seen to.
    """
    workspace_id, now = catalog.workspace_id, catalog.now(real_now)
    fired = Fired()
    if catalog.workspace.sandbox:
        for standing in await store.overdue_journeys(conn, workspace_id, now):
            fired.counts[journey_timer(catalog, standing.campaign_id, standing.block)] += standing.journeys
    for kind, rows in (await store.due_rows(conn, workspace_id, now)).items():
        fired.counts[TIMER_KINDS.get(kind, kind)] += rows
    flips = await fire_flips(conn, workspace_id, now, real_now, most_flips)
    if flips:
        fired.counts["segment_flip"] += flips
        fired.more = flips >= most_flips
    expired = await drafts.expire(conn, workspace_id, now, DRAFT_PAGE)
    if expired:
        fired.counts[EXPIRY] += expired
        fired.more = fired.more or expired >= DRAFT_PAGE
    # Of one instant the memberships come first, so that no plan sees one of before; until they have, timers wait.
    if catalog.workspace.sandbox and not await store.flips_pending(conn, workspace_id, now):
        await journeys.wake_due(conn, workspace_id, now)
    return fired


async def most_flips(conn: Connection, catalog: Catalog) -> int:
    """How many flips may be taken now; in a sandbox nobody waits behind them."""
    if catalog.workspace.sandbox:
        return FLIP_PAGE
    return max(LEAST_FLIPS, FLIPS_AHEAD - await log.count_waiting(conn, catalog.workspace_id, FLIPS_AHEAD))


async def fire_flips(conn: Connection, workspace_id: int, now: datetime, real_now: datetime, most: int) -> int:
    """Have people looked at again whose memberships the clock may have changed, so many of them; returns how many."""
    flips = await store.take_flips(conn, workspace_id, now, most)
    entries = [log.entry_of(workspace_id, _look(flip), store.FLIP_SOURCE) for flip in flips]
    await log.append(conn, entries, real_now)
    return sum(len(flip.refs) for flip in flips)


def _look(flip: store.Flip) -> Reevaluate:
    """The fact that asks for the look; for triggers it says which instants had come: dates and checks happen at them."""
    by_instant = any(kind == "trigger" for kind, _ in flip.refs)
    instants = [microseconds(instant) for instant in flip.instants] if by_instant else []
    return Reevaluate(person_id=flip.person_id, refs=flip.refs, why="flip", instants=instants)


def journey_timer(catalog: Catalog, campaign_id: int, block_key: str | None) -> str:
    """What the contract calls the timer of somebody standing at a block."""
    campaign = catalog.campaigns.get(campaign_id)
    if campaign is None or block_key is None:
        return "wait"
    workflow = campaign.definition.workflow
    key = resume_at(workflow, block_key, campaign.removed_blocks)
    block = workflow.blocks.get(key) if key is not None else None
    if isinstance(block, TimeDelay):
        return "delay"
    return "window" if isinstance(block, TimeWindow) else "wait"


async def finish_stopping(db: Database) -> int:
    """Call campaigns stopped that let people finish and have nobody left inside; returns how many."""
    async with db.connection() as conn:
        found = await store.stopping_campaigns(conn)
    closed = 0
    for workspace_id in sorted({workspace_id for workspace_id, _ in found}):
        async with db.transaction() as conn:
            await definition_store.lock(conn, workspace_id)
            over = [number for other, number in await store.stopping_campaigns(conn) if other == workspace_id]
            for campaign_id in over:
                await definition_store.set_state(conn, workspace_id, "campaign", campaign_id, "stopped")
            if over:
                await workspaces.bump_definitions(conn, workspace_id)
        closed += len(over)
    return closed


class DueRunner:
    """Watches the clocks of all workspaces and works on what is due; any number of processes may run one."""

    def __init__(
        self,
        db: Database,
        catalogs: Catalogs,
        notifier: Notifier,
        retries: Retries | None,
        clock: Clock,
        *,
        workers: Mapping[str, DueWork] | None = None,
    ) -> None:
        """`workers` work on rows of other kinds than deliveries, by their kind."""
        self._db = db
        self._catalogs = catalogs
        self._notifier = notifier
        self._workers = dict(workers or {}) | ({} if retries is None else dict.fromkeys(RETRIES, retries.retry))
        self._clock = clock
        self._pages: dict[int, asyncio.Task[None]] = {}
        self._firing: dict[int, asyncio.Task[None]] = {}
        self._ending = False
        self._resting: dict[DueKey, datetime] = {}
        self._turn = 0

    async def run(self, listener: Listener, stop: asyncio.Event) -> None:
        """Look at each notice and at least every second, until told to stop; what is in hand is finished."""
        async for _ in listener.ticks("due"):
            if stop.is_set():
                break
            try:
                await self.look_once()
            except Exception:
                logger.exception("looking for due work failed; trying again at the next tick")
        self._ending = True
        await self.drain()

    async def look_once(self) -> None:
        """Fire what is due everywhere and begin a page of due rows where none is in hand."""
        now = self._clock()
        self._resting = {key: until for key, until in self._resting.items() if until > now}
        self._pages = {name: page for name, page in self._pages.items() if not page.done()}
        self._firing = {name: firing for name, firing in self._firing.items() if not firing.done()}
        async with self._db.connection() as conn:
            ripe = await store.ripe(conn, now)
        for workspace in ripe:
            asked = workspace.flips or workspace.journeys or workspace.drafts
            if asked and workspace.workspace_id not in self._firing:
                await self._fire(workspace.workspace_id)
        if self._workers:
            # Workspaces take turns: where many have rows, the next ones begin behind the last that had its page.
            for workspace_id in sorted((r.workspace_id for r in ripe if r.rows), key=lambda w: (w <= self._turn, w)):
                if workspace_id not in self._pages and len(self._pages) < PAGES_AT_ONCE:
                    self._turn = workspace_id
                    self._pages[workspace_id] = asyncio.create_task(self._work(workspace_id))
        await finish_stopping(self._db)

    async def drain(self) -> None:
        """Wait for the rows in hand, and for flips that come in the background."""
        await asyncio.gather(*self._pages.values(), *self._firing.values(), return_exceptions=True)

    async def _fire(self, workspace_id: int) -> None:
        """Fire what is due; where that is much, the rest in the background, as fast as it is applied."""
        if await self._fire_some(workspace_id):
            self._firing[workspace_id] = asyncio.create_task(self._fire_rest(workspace_id))

    async def _fire_rest(self, workspace_id: int) -> None:
        try:
            more = True
            while more and not self._ending:
                await asyncio.sleep(FLIP_PAUSE)
                more = await self._fire_some(workspace_id)
        except Exception:
            logger.exception("flips could not be taken; trying again at the next tick")

    async def _fire_some(self, workspace_id: int) -> bool:
        """Fire a page; whether there is more."""
        async with self._db.transaction() as conn:
            catalog = await self._catalogs.get(conn, workspace_id)
            fired = await fire(conn, catalog, self._clock(), await most_flips(conn, catalog))
        for kind, times in fired.counts.items():
            if kind in NOT_ROWS:
                DUE_HANDLED.labels(kind, "done").inc(times)
        if fired.counts:
            self._notifier.send("ingest", "outbox")
        return fired.more

    async def _work(self, workspace_id: int) -> None:
        try:
            async with self._db.connection() as conn:
                catalog = await self._catalogs.get(conn, workspace_id)
                now = catalog.now(self._clock())
                try:
                    keys = await store.hold_rows(conn, workspace_id, now, ROW_PAGE, list(self._resting))
                    gate = asyncio.Semaphore(AT_ONCE)
                    await asyncio.gather(*(self._try(key, gate) for key in keys))
                finally:
                    await store.release_rows(conn)
        except Exception:
            logger.exception("a page of due rows failed; they stay and are tried again")

    async def _try(self, key: DueKey, gate: asyncio.Semaphore) -> None:
        outcome = "done"
        async with gate:
            try:
                if key.kind not in self._workers:
                    raise LookupError(f"nobody works on due rows of kind {key.kind}")
                await self._workers[key.kind](key.workspace_id, key.ref, self._clock)
            except Exception:
                outcome = "failed"
                logger.exception("due row failed", extra={"workspace": key.workspace_id, "ref": key.ref})
                self._resting[key] = self._clock() + REST
        DUE_HANDLED.labels(key.kind, outcome).inc()
        self._notifier.send("ingest", "outbox")


__all__ = [
    "Clock",
    "DueRunner",
    "Fired",
    "Retries",
    "finish_stopping",
    "fire",
    "fire_flips",
    "journey_timer",
    "most_flips",
]
