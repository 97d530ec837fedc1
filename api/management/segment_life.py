"""The verbs of a segment's life: archive, unarchive, rebuild, duplicate (PPL-29)."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from api import bodies
from api.deps import Db, Now, ProcessParts, Writing, WritingLive
from api.errors import json_response
from api.management import schemas
from api.management.answers import errors
from api.management.segment_shapes import CopyBody, SegmentAnswer
from api.paths import reference
from services import segment_builds, segment_life

router = APIRouter(tags=["Lifecycle"])


@router.post(
    "/v1/segments/{segment}/archive",
    operation_id="archiveSegment",
    summary="Archive a segment that nothing uses",
    response_model=schemas.Status,
    responses=errors(404, 409),
)
async def archive(db: Db, inside: WritingLive, *, now: Now, parts: ProcessParts, segment: str) -> Response:
    """Its members stay as they are, and nobody joins or leaves. Refused while anything not archived refers to it."""
    answer = await segment_life.archive(db, inside.workspace_id, reference(segment), now)
    parts.notifier.send("tasks")
    return json_response(answer)


@router.post(
    "/v1/segments/{segment}/unarchive",
    operation_id="unarchiveSegment",
    summary="Bring an archived segment back",
    response_model=schemas.Status,
    responses=errors(404, 409),
)
async def unarchive(db: Db, inside: WritingLive, *, now: Now, parts: ProcessParts, segment: str) -> Response:
    """One with conditions is built anew, by the task `task_id`. Refused where its references lead nowhere any more."""
    answer = await segment_life.unarchive(db, inside.workspace_id, reference(segment), now)
    parts.notifier.send("tasks")
    return json_response(answer)


@router.post(
    "/v1/segments/{segment}/rebuild",
    operation_id="rebuildSegment",
    summary="Build a segment with conditions again",
    status_code=202,
    response_model=schemas.Task,
    responses=errors(404, 409),
)
async def rebuild(db: Db, inside: WritingLive, *, now: Now, parts: ProcessParts, segment: str) -> Response:
    """In the background, everybody is looked at; for a build that failed or was cancelled. Refused while one is under way."""
    task = await segment_builds.rebuild(db, inside.workspace_id, reference(segment), now)
    parts.notifier.send("tasks")
    return json_response(task, 202)


@router.post(
    "/v1/segments/{segment}/duplicate",
    operation_id="duplicateSegment",
    summary="Copy a segment with conditions",
    status_code=201,
    response_model=SegmentAnswer,
    responses=errors(404, 409, 422),
    openapi_extra=bodies.schema(CopyBody, required=False),
)
async def duplicate(
    request: Request, db: Db, inside: Writing, *, now: Now, parts: ProcessParts, segment: str
) -> Response:
    """The copy is built. Without `name` it is called `[COPY] ` and the name of the original; `key` is derived from it."""
    body = await bodies.optional(request)
    answer = await segment_life.duplicate(db, inside.workspace_id, reference(segment), body, now)
    parts.notifier.send("tasks")
    return json_response(answer, 201)


__all__ = ["router"]
