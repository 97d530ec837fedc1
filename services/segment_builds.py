"""Building segments: everybody is looked at, page by page; a build can be cancelled, and asked for again (PPL-29, PPL-41)."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from domain.definitions.library import ARCHIVED
from domain.errors import DomainError, NotFound
from ingest.builds import SAVED, build_page
from ingest.catalog import Catalog
from services import task_barrier, tasks
from services.long_page import LongPage, Moment
from store import definitions, workspaces
from store import tasks as store
from store.database import Connection, Database
from store.tasks import TaskRow

ASKED: Final = "built: a build was asked for"
"""Why a build that somebody asked for moves people, in words of the activity log."""
_WHY: Final = {"saved": SAVED, "asked": ASKED}


async def page(conn: Connection, catalog: Catalog, task: TaskRow, moment: Moment) -> LongPage:
    """The next people of a build; a later revision's build takes over from an earlier one's."""
    segment_id = task.payload["segment_id"]
    if segment_id not in catalog.segments or await store.is_superseded(conn, task, "segment_id"):
        return LongPage("cancelled")
    if not await task_barrier.passed(conn, task):
        return LongPage("queued", idle=True)
    await store.count_once(conn, task)
    why = _WHY[task.payload.get("why", "saved")]
    done = await build_page(
        conn,
        catalog,
        "segment",
        segment_id,
        after=task.cursor,
        since=task.created_at,
        now=moment.now,
        why=why,
    )
    task.cursor = done.last
    task.done += done.looked
    if done.looked:
        return LongPage()
    await definitions.lock(conn, task.workspace_id)
    row = await definitions.get(conn, task.workspace_id, "segment", segment_id)
    if row is None or row.state != "building" or await store.is_superseded(conn, task, "segment_id"):
        # It may have been archived since the page began.
        return LongPage("cancelled")
    await definitions.set_state(conn, task.workspace_id, "segment", segment_id, "ready")
    await workspaces.bump_definitions(conn, task.workspace_id)
    return LongPage("succeeded")


async def ended(conn: Connection, task: TaskRow, _state: str, _now: datetime) -> None:
    """Note on the segment of a build that was cancelled or has failed that who is in it is not complete."""
    workspace_id, segment_id = task.workspace_id, task.payload.get("segment_id")
    if segment_id is None:
        return
    await definitions.lock(conn, workspace_id)
    row = await definitions.get(conn, workspace_id, "segment", segment_id)
    if row is None or row.state != "building" or await store.is_superseded(conn, task, "segment_id"):
        return
    await definitions.set_state(conn, workspace_id, "segment", segment_id, "unbuilt")
    await workspaces.bump_definitions(conn, workspace_id)


def words(task: TaskRow) -> str:
    """The build by the number of its segment."""
    return f"build of segment {task.payload.get('segment_id')}"


async def rebuild(db: Database, workspace_id: int, ref: str | int, real_now: datetime) -> dict[str, Any]:
    """Look at everybody again; answers with the task.

    Raises NotFound, and DomainError `invalid_state` for a segment that is made by hand, archived or being built already.
    """
    async with db.transaction() as conn:
        await definitions.lock(conn, workspace_id)
        workspace = await workspaces.get(conn, workspace_id)
        row = await definitions.get(conn, workspace_id, "segment", ref)
        if workspace is None or row is None:
            raise NotFound("segment", ref)
        if row.document.get("type") == "manual":
            raise DomainError("invalid_state", f"Who is in the segment '{row.key}' is said by hand; it is not built.")
        if row.state == ARCHIVED:
            raise DomainError("invalid_state", f"The segment '{row.key}' is archived; unarchiving it builds it.")
        if row.state == "building":
            raise DomainError("invalid_state", f"The segment '{row.key}' is being built already.")
        await definitions.set_state(conn, workspace_id, "segment", row.definition_id, "building")
        payload = {"segment_id": row.definition_id, "why": "asked"}
        task_id = await tasks.create(conn, workspace_id, "segment_build", payload, now=workspace.now(real_now))
        await workspaces.bump_definitions(conn, workspace_id)
    return await tasks.get(db, workspace_id, task_id)


__all__ = ["ASKED", "ended", "page", "rebuild", "words"]
