"""Tasks that follow the end of a segment or a trigger: memberships removed, or left as they are for good (PPL-29)."""

from __future__ import annotations

from datetime import datetime

from ingest.catalog import Catalog
from services.task_pages import Page
from store import membership_pages as store
from store import tasks
from store.database import Connection
from store.tasks import TaskRow

PAGE = 5_000


async def purge_page(conn: Connection, _catalog: Catalog, task: TaskRow, _now: datetime, _real_now: datetime) -> Page:
    """Remove the memberships of a deleted segment or campaign, then the segment's totals.

    Facts applied by the definitions of before are through when the first page begins, so that nothing is left over.
    """
    kind, ref_id = task.payload["kind"], task.payload["ref_id"]
    await tasks.count_once(conn, task)
    last, looked = await store.purge(conn, task.workspace_id, kind, ref_id, after=task.cursor, limit=PAGE)
    if looked:
        return Page(last, looked, "running")
    if kind == "segment":
        await store.forget_totals(conn, task.workspace_id, kind, ref_id)
    return Page(last, 0, "succeeded")


async def freeze_page(conn: Connection, catalog: Catalog, task: TaskRow, _now: datetime, _real_now: datetime) -> Page:
    """Leave the members of an archived segment as they are: the clock asks about them no more."""
    segment_id = task.payload["segment_id"]
    if segment_id not in catalog.compiled.archived_segments:
        return Page(task.cursor, 0, "cancelled")
    await tasks.count_once(conn, task)
    last, looked = await store.freeze(conn, task.workspace_id, "segment", segment_id, after=task.cursor, limit=PAGE)
    return Page(last, looked, "running" if looked else "succeeded")


__all__ = ["freeze_page", "purge_page"]
