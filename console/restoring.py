"""`after-restore`: what an operator runs once between a restore of the database and the start of the processes."""

from __future__ import annotations

import asyncio

import asyncpg
from rich.console import Console

from clock import system_now
from console.failure import Failure
from console.repairing import places_of
from console.words import number
from services.restoring import Restored, StillRunning, restored
from settings import Settings
from store.database import Database
from store.notify import Notifier


def after_restore(settings: Settings, console: Console) -> Restored:
    """Make the restored database fit to go on, and say what goes on from the point."""
    done = asyncio.run(_after_restore(places_of(settings).database_url))
    console.print("Numbers were moved on; what is under way looks again as soon as workers run:")
    for count, what in (
        (done.journeys, "journey"),
        (done.triggers, "broadcast"),
        (done.sends, "transactional send"),
        (done.tasks, "task"),
        (done.facts, "accepted fact"),
    ):
        if count:
            console.print(f"  {number(count, what)}")
    return done


async def _after_restore(database_url: str) -> Restored:
    try:
        db = await Database.connect(database_url, min_size=1, max_size=2)
    except (OSError, asyncpg.PostgresError) as error:
        raise Failure(f"The database cannot be reached: {error}", "Is SOJOURN_DATABASE_URL right?") from None
    notifier = Notifier(db.pool)
    try:
        return await restored(db, notifier, system_now())
    except StillRunning:
        raise Failure(
            "A worker runs on this database.",
            "Stop API and workers first: nothing may work on it before it is fit for it.",
        ) from None
    except asyncpg.UndefinedTableError:
        raise Failure("The schema is not that of this version.", "Run `sojourn setup` first.") from None
    finally:
        await notifier.close()
        await db.close()


__all__ = ["after_restore"]
