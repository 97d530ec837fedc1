"""The task that removes the objects of a deleted type, with all their relationships."""

from __future__ import annotations

from datetime import datetime

from ingest.catalog import Catalog
from services.task_pages import Page
from store import objects
from store.database import Connection
from store.tasks import TaskRow

PAGE = 500


async def purge_objects(
    conn: Connection, _catalog: Catalog, task: TaskRow, _now: datetime, _real_now: datetime
) -> Page:
    """One page. Facts applied by the definitions of before are through when the first begins, so that none is left over."""
    gone = await objects.purge(conn, task.workspace_id, task.payload["object_type_id"], PAGE)
    return Page(task.cursor, gone, "running" if gone else "succeeded")


__all__ = ["purge_objects"]
