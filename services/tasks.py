"""Background tasks: begun in the transaction that needs them, run in pages, shown while they last and afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal, get_args

from domain.errors import DomainError, NotFound
from domain.values import to_unix
from store import tasks as store
from store import workspaces
from store.database import Connection, Database
from store.tasks import TaskRow

TaskType = Literal[
    "segment_build",
    "trigger_build",
    "replan",
    "end_journeys",
    "end_chosen_journeys",
    "segment_clear",
    "import",
    "export",
    "discard_files",
    "object_type_delete",
    "purge_attribute",
    "purge_memberships",
    "freeze_memberships",
    "identifiers",
    "rerender_drafts",
    "send_drafts",
    "delete_drafts",
    "retry_failed",
]
CARRIED: tuple[TaskType, ...] = ("import", "export", "segment_build")
"""Types that a workflow carries; all others are done by the task runner."""
_ABOUT = (
    ("segment_id", "segment"),
    ("campaign_id", "campaign"),
    ("import_id", "import"),
    ("export_id", "export"),
    ("object_type_id", "object_type"),
)
"""Under which name a payload says what the task is about, and what kind of thing that is."""
Priority = Literal["high", "medium", "low"]
TaskState = Literal["queued", "running", "succeeded", "failed", "cancelled"]


async def create(
    conn: Connection,
    workspace_id: int,
    type: TaskType,  # noqa: A002 - the word of the wire
    payload: Mapping[str, Any],
    *,
    now: datetime,
    priority: Priority = "medium",
    total: int | None = None,
) -> str:
    """Begin a task with the caller's transaction; returns its id. Ids grow, and with them the order of tasks."""
    number = await workspaces.next_id(conn, workspace_id, "task")
    task_id = f"task_{number:010d}"
    row = TaskRow(workspace_id, task_id, type, "queued", priority, dict(payload), now, total=total)
    await store.insert(conn, row)
    return task_id


async def get(db: Database, workspace_id: int, task_id: str) -> dict[str, Any]:
    """One task as it is answered; raises NotFound."""
    async with db.connection() as conn:
        row = await store.get(conn, workspace_id, task_id)
    if row is None:
        raise NotFound("task", task_id)
    return wire(row)


async def list_page(
    db: Database, workspace_id: int, *, state: str | None = None, start: str | None = None, limit: int = 50
) -> dict[str, Any]:
    """One page of tasks, newest first; `next` is empty after the last page."""
    if state is not None and state not in get_args(TaskState):
        raise DomainError("invalid_parameter", f"`state` is one of {', '.join(get_args(TaskState))}.", "/state")
    async with db.connection() as conn:
        rows = await store.page(conn, workspace_id, state=state, before=start or None, limit=limit + 1)
    shown = rows[:limit]
    return {"tasks": [wire(row) for row in shown], "next": shown[-1].task_id if len(rows) > limit else ""}


def wire(row: TaskRow) -> dict[str, Any]:
    """The task in the shape of the contract."""
    return {
        "id": row.task_id,
        "type": row.type,
        "priority": row.priority,
        "state": row.state,
        "progress": {"done": row.done, "total": row.total},
        "about": next(({"kind": kind, "id": row.payload[name]} for name, kind in _ABOUT if name in row.payload), None),
        "error": row.error,
        "created_at": to_unix(row.created_at),
        "started_at": None if row.started_at is None else to_unix(row.started_at),
        "ended_at": None if row.ended_at is None else to_unix(row.ended_at),
    }


__all__ = ["CARRIED", "Priority", "TaskState", "TaskType", "create", "get", "list_page", "wire"]
