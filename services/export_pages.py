"""The work of an export in pages: lines are gathered, then those of people removed meanwhile taken out (PPL-49)."""

from __future__ import annotations

from datetime import datetime

from ingest.catalog import Catalog
from services import tasks
from services.exporting import WALKS, ExportFailed, Job
from services.long_page import LongPage, Moment
from store import exports as store
from store import tasks as task_store
from store.database import Connection
from store.tasks import TaskRow

_BARRIER = "barrier"
_LOOKED_AT = "looked_at"
CHECKED_PAGE = 10_000


async def page(conn: Connection, catalog: Catalog, task: TaskRow, moment: Moment) -> LongPage:
    """The next piece of work of an export."""
    row = await store.get(conn, task.workspace_id, task.payload["export_id"])
    if row is None:
        return LongPage("cancelled")
    if _BARRIER in task.payload:
        return await _finish(conn, task, row, moment)
    job = Job(conn, catalog, task, row, moment)
    task.payload = {**task.payload}
    try:
        more = await WALKS[row.type](job)
    except ExportFailed as failure:
        task.error = str(failure)
        await ended(conn, task, "failed", moment.now)
        return LongPage("failed", told=("tasks",))
    await job.write()
    row.updated_at = moment.now
    await store.save(conn, row)
    if not more:
        task.payload[_BARRIER] = await task_store.own_number(conn)
    return LongPage()


async def _finish(conn: Connection, task: TaskRow, row: store.ExportRecord, moment: Moment) -> LongPage:
    """Who was being removed while their lines were written is gone when every transaction of then is over."""
    if await task_store.oldest_running(conn) < task.payload[_BARRIER]:
        return LongPage(idle=True)
    file, line_no = task.payload.get(_LOOKED_AT, ("", 0))
    last = await store.drop_lines_of_nobody(conn, row.workspace_id, row.export_id, (file, line_no), CHECKED_PAGE)
    if last is not None:
        task.payload = {**task.payload, _LOOKED_AT: last}
        return LongPage()
    row.state, row.updated_at = "done", moment.now
    await store.save(conn, row)
    task.total = task.done
    return LongPage("succeeded")


def words(task: TaskRow) -> str:
    """The export by its number."""
    return f"export {task.payload['export_id']}"


async def ended(conn: Connection, task: TaskRow, state: str, now: datetime) -> None:
    """The export of a task that was cancelled or has failed: its lines go, page by page."""
    row = await store.get(conn, task.workspace_id, task.payload["export_id"])
    if row is None:
        return
    row.state, row.updated_at = "failed", now
    row.error = task.error or ("It was cancelled." if state == "cancelled" else "It failed.")
    await store.save(conn, row)
    payload = {"export_id": row.export_id}
    await tasks.create(conn, task.workspace_id, "discard_files", payload, now=now, priority="low")


__all__ = ["ended", "page", "words"]
