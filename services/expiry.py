"""Files that nobody needs any more: what is left of broken imports, reports after 30 days, exports after 60 (PPL-45, PPL-49)."""

from __future__ import annotations

from datetime import datetime, timedelta

from ingest.catalog import Catalog
from services.import_job import Job
from services.import_pages import count
from services.imports import CUT_OFF
from services.long_page import Moment
from services.task_pages import Page
from store import exports, import_rows, imports, workspaces
from store.database import Connection, Database
from store.tasks import TaskRow

REPORTS_KEPT = timedelta(days=30)
EXPORTS_KEPT = timedelta(days=60)
UPLOADS_KEPT = timedelta(days=1)
PAGE = 2_000
TOGETHER = 100


async def discard_files(conn: Connection, catalog: Catalog, task: TaskRow, now: datetime, real_now: datetime) -> Page:
    """Remove the next rows of an import, or lines of an export, that ended before it was through.

    Rows of an import that the log holds already are applied: they are waited for and counted, as the others were.
    """
    if "export_id" in task.payload:
        gone = await exports.drop_lines(conn, task.workspace_id, task.payload["export_id"], PAGE)
        return Page(task.cursor, gone, "running" if gone else "succeeded")
    import_id, beyond = task.payload["import_id"], task.payload["beyond"]
    await imports.drop_pieces(conn, task.workspace_id, import_id)
    gone = await import_rows.forget(conn, task.workspace_id, import_id, beyond, PAGE)
    if gone:
        return Page(task.cursor, gone, "running")
    task.cursor = max(task.cursor, task.payload.get("counted", beyond))
    row = await imports.get(conn, task.workspace_id, import_id)
    if row is None or task.cursor >= beyond:
        return Page(task.cursor, 0, "succeeded")
    moved = await count(Job(conn, catalog, task, row, Moment(now, real_now)))
    if moved:
        row.updated_at = now
        await imports.save(conn, row)
    return Page(task.cursor, 0, "running", idle=not moved)


async def expire_files(db: Database, real_now: datetime) -> int:
    """Delete what is over by the clock of its workspace, page by page; returns how many imports and exports that were."""
    async with db.connection() as conn:
        everybody = await workspaces.all_workspaces(conn)
    count = 0
    for workspace in everybody:
        now = workspace.now(real_now)
        count += await _expire_exports(db, workspace.workspace_id, now)
        count += await _expire_imports(db, workspace.workspace_id, now)
    return count


async def _expire_exports(db: Database, workspace_id: int, now: datetime) -> int:
    async with db.connection() as conn:
        old = await exports.made_before(conn, workspace_id, now - EXPORTS_KEPT, TOGETHER)
    for row in old:
        gone = PAGE
        while gone:
            async with db.transaction() as conn:
                gone = await exports.drop_lines(conn, workspace_id, row.export_id, PAGE)
        async with db.transaction() as conn:
            await exports.delete(conn, workspace_id, row.export_id)
    return len(old)


async def _expire_imports(db: Database, workspace_id: int, now: datetime) -> int:
    """Rows go, what the import came to stays; an upload that never ended is given up."""
    async with db.transaction() as conn:
        await imports.fail_abandoned(conn, workspace_id, now - UPLOADS_KEPT, now, CUT_OFF)
        old = await imports.begun_before(conn, workspace_id, now - REPORTS_KEPT, TOGETHER)
    for import_id in old:
        gone = PAGE
        while gone:
            async with db.transaction() as conn:
                await imports.drop_pieces(conn, workspace_id, import_id)
                gone = await import_rows.forget(conn, workspace_id, import_id, 0, PAGE)
    return len(old)


__all__ = ["EXPORTS_KEPT", "REPORTS_KEPT", "discard_files", "expire_files"]
