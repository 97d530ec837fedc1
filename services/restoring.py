"""After a restore: the database is older than Temporal and the world, or lives on another server, and goes on from there."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import NamedTuple

from domain.values import EPOCH
from services.long_tasks import KINDS
from services.repair import IN_HAND, repair_broadcasts, repair_sends
from store import restoring as store
from store import workers
from store.database import Database
from store.notify import Notifier

PAGE = 1_000
LISTEN = 3.0
"""Seconds within which every worker that runs says so."""


class StillRunning(Exception):
    """A worker runs: nothing may work on the database before it is fit for it."""


class Restored(NamedTuple):
    """What goes on from the point: journeys, tasks, transactional sends, triggers of broadcasts, facts that wait."""

    journeys: int
    tasks: int
    sends: int
    triggers: int
    facts: int


async def restored(db: Database, notifier: Notifier, real_now: datetime) -> Restored:
    """Make a restored database fit to go on, before any process works on it; repeating it does no harm.

    Numbers move on, so that none is given out twice. Everything under way is asked for again in the outbox: a workflow
    that is ahead of its row looks again, one that is over or lost is started. Raises `StillRunning`.
    """
    if await _somebody_works(db):
        raise StillRunning
    async with db.transaction() as conn:
        await store.forget_workers(conn)
        await store.move_numbers(conn)
        facts = await store.renumber_facts(conn)
        tasks = await store.begin_tasks_anew(conn, list(KINDS))
    journeys = await _ask_journeys(db)
    # Whoever had them in hand is of another life.
    sends = await repair_sends(db, notifier, real_now + IN_HAND)
    triggers = await repair_broadcasts(db, notifier, real_now)
    return Restored(journeys, tasks, sends, triggers, facts)


async def _somebody_works(db: Database) -> bool:
    """Whether a worker says that it is there while we listen; what it said before was restored with the rest."""
    async with db.connection() as conn:
        before = {worker.worker_id: worker.seen_at for worker in await workers.seen_since(conn, EPOCH)}
    await asyncio.sleep(LISTEN)
    async with db.connection() as conn:
        after = await workers.seen_since(conn, EPOCH)
    return any(before.get(worker.worker_id) != worker.seen_at for worker in after)


async def _ask_journeys(db: Database) -> int:
    asked, after = 0, (0, 0, "")
    while True:
        async with db.transaction() as conn:
            last, count = await store.ask_journeys(conn, after, PAGE)
        asked += count
        if last is None or count < PAGE:
            return asked
        after = last


__all__ = ["Restored", "StillRunning", "restored"]
