"""What workers do, done here and now, for tests of the API alone."""

from __future__ import annotations

from clock import system_now
from ingest.apply import Applier
from ingest.catalog import Catalogs
from store.database import Database
from store.notify import Notifier
from tests.support.tasks import Tasks


async def apply_all(db: Database) -> None:
    """Apply whatever the logs hold."""
    applier = Applier(db, Catalogs(), Notifier(db.pool))
    while await applier.apply_once(system_now()):
        pass


async def run_tasks(db: Database) -> None:
    """Run all open tasks to their end."""
    await Tasks(db).drain()
