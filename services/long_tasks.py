"""Long work, carried by workflows: pages under the lock of the task's row, each a transaction of its own."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import NamedTuple

import faults
from domain.errors import DomainError, NotFound
from domain.task_steps import TaskProgress, TaskRef
from ingest.apply import TRANSIENT
from ingest.catalog import Catalog, Catalogs
from services import export_pages, import_pages, segment_builds, task_barrier
from services.long_page import Around, Ended, LongPage, Moment
from services.tasks import TaskType, wire
from store import tasks as store
from store import workspaces
from store.database import Connection, Database
from store.notify import Notifier
from store.tasks import TaskRow
from store.workspaces import WorkspaceRow

logger = logging.getLogger("sojourn.tasks")

TURN_SECONDS = 10.0
SHORTEST_PAUSE = 0.02
LONGEST_PAUSE = 0.25


class Kind(NamedTuple):
    """One type of long work: its page, what else happens when it is cancelled or fails, how it is told to people."""

    page: Callable[[Connection, Catalog, TaskRow, Moment], Awaitable[LongPage]]
    ended: Ended
    words: Callable[[TaskRow], str]


KINDS: Mapping[TaskType, Kind] = {
    "import": Kind(import_pages.page, import_pages.ended, import_pages.words),
    "export": Kind(export_pages.page, export_pages.ended, export_pages.words),
    "segment_build": Kind(segment_builds.page, segment_builds.ended, segment_builds.words),
}

_ONLY = "Only imports, exports and builds of segments can be cancelled."
_NOT_CANCELLED: Mapping[str, str] = {
    "trigger_build": "Looking for who matches a campaign's trigger cannot be cancelled: stop the campaign instead."
}


class LongTasks:
    """Does the pages of long tasks; any number of processes may work on one, a page at a time."""

    def __init__(
        self,
        db: Database,
        catalogs: Catalogs,
        notifier: Notifier,
        clock: Callable[[], datetime],
        *,
        allow_private_urls: bool = False,
    ) -> None:
        self._db = db
        self._catalogs = catalogs
        self._notifier = notifier
        self._clock = clock
        self._allow_private_urls = allow_private_urls

    async def run(self, ref: TaskRef, stopping: Callable[[], bool]) -> TaskProgress:
        """Do pages until the task is over, some seconds have passed, or the process is to end."""
        time = asyncio.get_running_loop().time
        until = time() + TURN_SECONDS
        pause = SHORTEST_PAUSE
        while True:
            progress, idle = await self.step(ref)
            if progress.over or stopping():
                return progress
            if time() >= until:
                await self._tell_why(ref, progress)
                return progress
            # Others are waited for with growing pauses; they do not tell.
            pause = min(pause * 1.5, LONGEST_PAUSE) if idle else SHORTEST_PAUSE
            await asyncio.sleep(pause if idle else 0)

    async def _tell_why(self, ref: TaskRef, progress: TaskProgress) -> None:
        """Say in the log what a task waits for that could not even begin."""
        if progress.state != "queued":
            return
        async with self._db.connection() as conn:
            writer = await store.oldest_writer(conn)
        about = {"workspace": ref.workspace_id, "task": ref.task_id}
        logger.warning("A task waits for a transaction that began before it: %s.", writer, extra=about)

    async def step(self, ref: TaskRef) -> tuple[TaskProgress, bool]:
        """Do one page; how far the task is then, and whether there was nothing to do but to wait."""
        try:
            progress, page, workspace = await self._page(ref)
            if page.outside is not None:
                await page.outside(Around(self._db, workspace, self._clock, self._allow_private_urls))
        except TRANSIENT:
            raise
        except _Over as over:
            return over.progress, False
        except Exception:
            logger.exception("A task failed.", extra={"workspace": ref.workspace_id, "task": ref.task_id})
            return await self._fail(ref), False
        if page.told:
            self._notifier.send(*page.told)
        return progress, page.idle

    async def _page(self, ref: TaskRef) -> tuple[TaskProgress, LongPage, WorkspaceRow]:
        async with self._db.transaction() as conn:
            task = await store.hold(conn, ref.workspace_id, ref.task_id)
            if task is None or task.state not in store.OPEN:
                raise _Over(_progress(task))
            catalog = await self._catalogs.get(conn, ref.workspace_id)
            moment = _moment(catalog, self._clock())
            page = await KINDS[task.type].page(conn, catalog, task, moment)  # type: ignore[index]
            task.state = page.state
            if task.started_at is None and page.state != "queued":
                task.started_at = moment.now
            if page.state not in store.OPEN:
                task.ended_at = moment.now
            await store.save(conn, task)
            done = _progress(task), page, catalog.workspace
            faults.point("task.before_commit")
        faults.point("task.after_commit")
        return done

    async def _fail(self, ref: TaskRef) -> TaskProgress:
        async with self._db.transaction() as conn:
            task = await store.hold(conn, ref.workspace_id, ref.task_id)
            if task is not None and task.state in store.OPEN:
                catalog = await self._catalogs.get(conn, ref.workspace_id)
                now = catalog.now(self._clock())
                task.error = f"It failed after {task.done}; the log of the worker says why."
                await _end(conn, task, "failed", now)
            return _progress(task)


class _Over(Exception):
    """The task needs nothing any more."""

    def __init__(self, progress: TaskProgress) -> None:
        super().__init__(progress.state)
        self.progress = progress


async def cancel(db: Database, workspace_id: int, task_id: str, real_now: datetime) -> dict[str, object]:
    """Stop long work at once; raises NotFound, or DomainError `invalid_state` where it is over or cannot be stopped.

    What was done stays done. The workflow finds the row ended.
    """
    async with db.transaction() as conn:
        workspace = await workspaces.get(conn, workspace_id)
        task = None if "\x00" in task_id else await store.hold(conn, workspace_id, task_id)
        if workspace is None or task is None:
            raise NotFound("task", task_id)
        if task.state not in store.OPEN:
            raise DomainError("invalid_state", "The task is over already.")
        if task.type not in KINDS:
            raise DomainError("invalid_state", _NOT_CANCELLED.get(task.type, _ONLY))
        await _end(conn, task, "cancelled", workspace.now(real_now))
    return wire(task)


async def _end(conn: Connection, task: TaskRow, state: str, now: datetime) -> None:
    task.state, task.ended_at = state, now
    await KINDS[task.type].ended(conn, task, state, now)  # type: ignore[index]
    await store.save(conn, task)


def _moment(catalog: Catalog, real_now: datetime) -> Moment:
    return Moment(catalog.now(real_now), real_now)


def words(task: TaskRow) -> str:
    """What long work is, for people to read: ids and counts only."""
    return KINDS[task.type].words(task)  # type: ignore[index]


def _progress(task: TaskRow | None) -> TaskProgress:
    if task is None:
        return TaskProgress(state="gone")
    total = "" if task.total is None else f" of {task.total}"
    waits = ", waits for transactions that began before it" if _waits(task) else ""
    details = f"{words(task)}: {task.done}{total} ({task.state}{waits})"
    return TaskProgress(state=task.state, done=task.done, total=task.total, details=details)


def _waits(task: TaskRow) -> bool:
    return task.state == "queued" and task_barrier.taken(task)


__all__ = ["KINDS", "Kind", "LongTasks", "cancel", "words"]
