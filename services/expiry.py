"""Files that nobody needs any more: what is left of broken imports, reports after 30 days, exports after 60 (PPL-45, PPL-49)."""

from __future__ import annotations

from datetime import datetime, timedelta

from ingest.catalog import Catalog
from services.imports import CUT_OFF
from services.task_pages import Page
from store import exports, import_rows, imports, workspaces
from store.database import Connection, Database
from store.tasks import TaskRow

REPORTS_KEPT = timedelta(days=30)
EXPORTS_KEPT = timedelta(days=60)
UPLOADS_KEPT = timedelta(days=1)
PAGE = 2_000
TOGETHER = 100


async def discard_files(
    conn: Connection, _catalog: Catalog, task: TaskRow, _now: datetime, _real_now: datetime
) -> Page:
    """Remove the next rows of an import, or lines of an export, that ended before it was through."""
    if "export_id" in task.payload:
        gone = await exports.drop_lines(conn, task.workspace_id, task.payload["export_id"], PAGE)
    else:
        import_id = task.payload["import_id"]
        await imports.drop_pieces(conn, task.workspace_id, import_id)
        gone = await import_rows.forget(conn, task.workspace_id, import_id, task.payload["beyond"], PAGE)
    return Page(task.cursor, gone, "running" if gone else "succeeded")


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
