"""What carries tasks on in a room: pages of the runner's tasks, and of builds, without the workflows of these."""

from __future__ import annotations

from clock import system_now
from domain.task_steps import TaskRef
from ingest.catalog import Catalogs
from services.draft_tasks import DraftPages
from services.long_tasks import LongTasks
from services.task_runner import KINDS, TaskRunner
from store import tasks as store
from store.database import Database
from store.notify import Notifier


class Tasks:
    """Takes turns among all open tasks of a database but imports and exports, a page at a time."""

    def __init__(self, db: Database, catalogs: Catalogs | None = None) -> None:
        self._db = db
        catalogs = catalogs or Catalogs()
        notifier = Notifier(db.pool)
        kinds = {**KINDS, **DraftPages("https://mail.example.com").kinds}
        self.runner = TaskRunner(db, catalogs, notifier, system_now, kinds=kinds)
        self.long = LongTasks(db, catalogs, notifier, system_now)

    async def run_once(self) -> bool:
        """Do a page of one task of the runner and of every build; False when there is none."""
        worked = await self.runner.run_once()
        async with self._db.connection() as conn:
            rows = await store.unstarted(conn, ["segment_build"], 100)
        for row in rows:
            await self.long.step(TaskRef(workspace_id=row.workspace_id, task_id=row.task_id))
        return worked or bool(rows)

    async def drain(self) -> None:
        """Do everything there is to do."""
        while await self.run_once():
            pass


__all__ = ["Tasks"]
