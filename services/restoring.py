"""After a restore: the database is older than Temporal and the world, or lives on another server, and goes on from there."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from services.long_tasks import KINDS
from services.repair import IN_HAND, repair_broadcasts, repair_sends
from store import restoring as store
from store import workers
from store.database import Database
from store.notify import Notifier

PAGE = 1_000
HEARD = timedelta(seconds=10)


class StillRunning(Exception):
    """Workers were heard of a moment ago: nothing may work on the database before it is fit for it."""


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
    async with db.transaction() as conn:
        if await workers.seen_since(conn, real_now - HEARD):
            raise StillRunning
        await store.forget_workers(conn)
        await store.move_numbers(conn)
        facts = await store.renumber_facts(conn)
        tasks = await store.begin_tasks_anew(conn, list(KINDS))
    journeys = await _ask_journeys(db)
    # Whoever had them in hand is of another life.
    sends = await repair_sends(db, notifier, real_now + IN_HAND)
    triggers = await repair_broadcasts(db, notifier, real_now)
    return Restored(journeys, tasks, sends, triggers, facts)


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
