"""Background tasks of a workspace."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response

from api.deps import Db, Now, Reading, Writing
from api.errors import json_response
from api.management import schemas
from api.management.answers import errors
from api.management.parameters import Limit, Start
from services import long_tasks, tasks

router = APIRouter(tags=["Tasks"])

State = Annotated[Literal["queued", "running", "succeeded", "failed", "cancelled"] | None, Query()]


@router.get(
    "/v1/tasks",
    operation_id="listTasks",
    summary="Background tasks of the workspace",
    response_model=schemas.Tasks,
    responses=errors(),
)
async def listed(db: Db, inside: Reading, *, state: State = None, start: Start = None, limit: Limit = 50) -> Response:
    """Newest first."""
    return json_response(await tasks.list_page(db, inside.workspace_id, state=state, start=start, limit=limit))


@router.get(
    "/v1/tasks/{task_id}",
    operation_id="getTask",
    summary="One task",
    response_model=schemas.Task,
    responses=errors(404),
)
async def get(db: Db, inside: Reading, task_id: str) -> Response:
    """How far it is."""
    return json_response(await tasks.get(db, inside.workspace_id, task_id))


@router.post(
    "/v1/tasks/{task_id}/cancel",
    operation_id="cancelTask",
    summary="Stop an import, an export or the build of a segment",
    response_model=schemas.Task,
    responses=errors(404, 409),
)
async def cancel(db: Db, inside: Writing, task_id: str, now: Now) -> Response:
    """At once; rows that were not put in line yet are not applied, people not looked at are not; what was done stays done."""
    return json_response(await long_tasks.cancel(db, inside.workspace_id, task_id, now))


__all__ = ["router"]
