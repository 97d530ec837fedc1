"""Running tasks in pages, a transaction each: whoever is killed rolls back, and the next one takes the page again."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import datetime

from ingest.apply import TRANSIENT
from ingest.catalog import Catalog, Catalogs
from services import data_index, journey_ending, membership_pages, segment_clearing, task_barrier
from services import task_pages as pages
from services.expiry import discard_files
from services.object_purge import purge_objects
from services.task_pages import Page
from services.tasks import CARRIED, TaskType
from store import tasks as store
from store.database import Connection, Database
from store.notify import Listener, Notifier
from store.tasks import TaskRow

logger = logging.getLogger("sojourn.tasks")

Clock = Callable[[], datetime]
PageOf = Callable[[Connection, Catalog, TaskRow, datetime, datetime], Awaitable[Page]]
"""Does a page, given the workspace's instant and the real one."""
KINDS: Mapping[TaskType, PageOf] = {
    "trigger_build": pages.trigger_build,
    "replan": pages.replan_waiting,
    "end_journeys": pages.end_journeys,
    "end_chosen_journeys": journey_ending.end_chosen,
    "discard_files": discard_files,
    "object_type_delete": purge_objects,
    "segment_clear": segment_clearing.clear_page,
    "purge_attribute": data_index.purge_page,
    "purge_memberships": membership_pages.purge_page,
    "freeze_memberships": membership_pages.freeze_page,
    "identifiers": pages.identifiers,
}
SETTLING_IN = 0.01


class TaskRunner:
    """Takes turns among the open tasks of all workspaces; any number of processes may run one."""

    def __init__(
        self,
        db: Database,
        catalogs: Catalogs,
        notifier: Notifier,
        clock: Clock,
        *,
        kinds: Mapping[TaskType, PageOf] = KINDS,
    ) -> None:
        """`kinds` are the pages of every type of task, those that need more than a connection among them."""
        self._db = db
        self._kinds = kinds
        self._catalogs = catalogs
        self._notifier = notifier
        self._clock = clock
        self._turn = (0, "")

    async def run(self, listener: Listener, stop: asyncio.Event) -> None:
        """Work on each notice and at least every second, until told to stop."""
        async for _ in listener.ticks("tasks"):
            try:
                while not stop.is_set() and await self.run_once():
                    pass
            except Exception:
                logger.exception("a page of a task failed; it is tried again")
            if stop.is_set():
                return

    async def run_once(self) -> bool:
        """Do one page of the next task; False when there is none that nobody else runs."""
        claimed: TaskRow | None = None
        try:
            async with self._db.transaction() as conn:
                task = await store.claim(conn, self._turn, CARRIED)
                if task is None:
                    return False
                claimed = replace(task)
                self._turn = (task.workspace_id, task.task_id)
                blocked = not await self._work(conn, task)
        except TRANSIENT:
            raise
        except Exception:
            if claimed is None:
                raise
            about = {"workspace": claimed.workspace_id, "task": claimed.task_id, "type": claimed.type}
            logger.exception("a task failed", extra=about)
            await self._fail(claimed)
            return True
        if blocked:
            await asyncio.sleep(SETTLING_IN)
        else:
            self._notifier.send("outbox", "ingest")
        return True

    async def _work(self, conn: Connection, task: TaskRow) -> bool:
        """One page; False where older transactions are still under way, or others work for the task."""
        waits = task_barrier.taken(task)
        if not await task_barrier.passed(conn, task):
            await store.save(conn, task)
            return not waits
        catalog = await self._catalogs.get(conn, task.workspace_id)
        real_now = self._clock()
        now = catalog.now(real_now)
        if task.started_at is None:
            task.started_at = now
        page = await self._kinds[task.type](conn, catalog, task, now, real_now)  # type: ignore[index]
        task.cursor, task.state = page.cursor, page.state
        task.done += page.looked
        if page.state != "running":
            task.ended_at = now
        await store.save(conn, task)
        return not page.idle

    async def _fail(self, claimed: TaskRow) -> None:
        async with self._db.transaction() as conn:
            task = await store.get(conn, claimed.workspace_id, claimed.task_id)
            if task is None or task.state not in store.OPEN:
                return
            catalog = await self._catalogs.get(conn, task.workspace_id)
            task.state, task.ended_at = "failed", catalog.now(self._clock())
            task.error = f"A page failed after {task.done} people; the log of the worker says why."
            await store.save(conn, task)


async def run_once(db: Database, catalogs: Catalogs, notifier: Notifier, clock: Clock) -> bool:
    """Do one page of the oldest open task; False when there is none that nobody else runs."""
    return await TaskRunner(db, catalogs, notifier, clock).run_once()


__all__ = ["KINDS", "TaskRunner", "run_once"]
