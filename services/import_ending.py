"""An import that ends before its file is through: what is left of the file goes, what was queued is applied and counted."""

from __future__ import annotations

from datetime import datetime

from services import tasks
from store import imports as store
from store.database import Connection
from store.tasks import TaskRow


async def ended(conn: Connection, task: TaskRow, state: str, now: datetime) -> None:
    """Note on the import of a task that it was cancelled or has failed, and have its rows removed page by page."""
    row = await store.get(conn, task.workspace_id, task.payload["import_id"])
    if row is None:
        return
    row.state = "canceled" if state == "cancelled" else "failed"
    row.error, row.updated_at = task.error or row.error or "", now
    await store.save(conn, row)
    counted = task.cursor if row.rows_queued else 0
    payload = {"import_id": row.import_id, "beyond": row.rows_queued, "counted": counted}
    await tasks.create(conn, task.workspace_id, "discard_files", payload, now=now, priority="low")


__all__ = ["ended"]
