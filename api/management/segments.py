"""Segments: read, with who is in them, came and left; manual ones made, deleted and emptied (APP-11, PPL-41, PPL-43)."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request, Response

from api import bodies
from api.deps import Db, Now, ProcessParts, Reading, Writing, WritingLive
from api.errors import json_response
from api.management.answers import errors
from api.management.parameters import Customer, Limit, NamedBy, Start, UnixTime
from api.management.schemas import Task
from api.management.segment_shapes import (
    ClearBody,
    CustomerCount,
    Membership,
    SegmentAnswer,
    SegmentChanges,
    SegmentHistory,
    Segments,
    UsedBy,
)
from api.paths import reference
from services import segment_clearing, segments
from services.looking import segments as history_of
from services.looking.segments import ChangeQuery

router = APIRouter(tags=["Segments"])

Size = Annotated[int, Query(description=f"How many at most; {segments.MOST_MEMBERS} is the end.")]


_TEXT: Final = {"type": "string", "minLength": 1, "maxLength": segments.LONGEST_NAME}
_DESCRIPTION: Final = {"type": "string", "maxLength": segments.LONGEST_DESCRIPTION}
_NEW: Final = {
    "type": "object",
    "additionalProperties": False,
    "required": ["name"],
    "properties": {"name": _TEXT, "description": _DESCRIPTION},
}
_CREATE: Final = {
    "type": "object",
    "additionalProperties": False,
    "required": ["segment"],
    "properties": {"segment": _NEW},
}


@router.get(
    "/v1/segments",
    operation_id="listSegments",
    summary="List segments",
    response_model=Segments,
    responses=errors(),
)
async def listed(db: Db, inside: Reading) -> Response:
    """All of them, oldest first, archived ones included."""
    return json_response(await segments.list_all(db, inside.workspace_id))


@router.post(
    "/v1/segments",
    operation_id="createManSegment",
    summary="Create a manual segment",
    response_model=SegmentAnswer,
    responses=errors(),
    openapi_extra={"requestBody": {"required": True, "content": {"application/json": {"schema": _CREATE}}}},
)
async def create(request: Request, db: Db, inside: Writing, *, now: Now) -> Response:
    """An empty one; its key is derived from the name. People are added with the Track API or by workflows."""
    body: Any = await bodies.json_value(request, bodies.MANAGEMENT_LIMIT)
    return json_response(await segments.create(db, inside.workspace_id, body, now))


@router.get(
    "/v1/segments/{segment}",
    operation_id="getSegment",
    summary="Read one segment",
    response_model=SegmentAnswer,
    responses=errors(404),
)
async def get(db: Db, inside: Reading, segment: str) -> Response:
    """By key or id."""
    return json_response(await segments.one(db, inside.workspace_id, reference(segment)))


@router.delete(
    "/v1/segments/{segment}",
    operation_id="deleteManSegment",
    summary="Delete a manual segment",
    status_code=204,
    responses=errors(404),
)
async def delete(db: Db, inside: Writing, *, now: Now, segment: str) -> Response:
    """Refused with 400 for a segment with conditions, and while something refers to it."""
    await segments.delete(db, inside.workspace_id, reference(segment), now)
    return Response(status_code=204)


@router.get(
    "/v1/segments/{segment}/used_by",
    operation_id="getSegmentDependencies",
    summary="What refers to a segment",
    response_model=UsedBy,
    responses=errors(404),
)
async def used_by(db: Db, inside: Reading, segment: str) -> Response:
    """Campaigns, segments and forms by number, archived ones included; `referents` says where each reference stands."""
    return json_response(await segments.used_by(db, inside.workspace_id, reference(segment)))


@router.get(
    "/v1/segments/{segment}/customer_count",
    operation_id="getSegmentCount",
    summary="How many people are in a segment",
    response_model=CustomerCount,
    responses=errors(404),
)
async def customer_count(db: Db, inside: Reading, segment: str) -> Response:
    """As of now; of a segment that is being built, as far as it is."""
    return json_response(await segments.customer_count(db, inside.workspace_id, reference(segment)))


@router.get(
    "/v1/segments/{segment}/membership",
    operation_id="getSegmentMembership",
    summary="The people in a segment",
    response_model=Membership,
    responses=errors(404),
)
async def membership(
    db: Db, inside: Reading, segment: str, *, start: Start = None, limit: Size = segments.MEMBERS
) -> Response:
    """One page, whoever was added to the workspace first coming first; `since` says since when somebody is in it."""
    page = await segments.membership(db, inside.workspace_id, reference(segment), start=start, limit=limit)
    return json_response(page)


@router.get(
    "/v1/segments/{segment}/changes",
    operation_id="getSegmentChanges",
    summary="Who came into a segment and left it",
    response_model=SegmentChanges,
    responses=errors(404),
)
async def changes(
    db: Db,
    inside: Reading,
    segment: str,
    *,
    type_: Annotated[history_of.ChangeType | None, Query(alias="type", description="Only those of one kind.")] = None,
    customer: Customer = None,
    id_type: NamedBy = "id",
    since: UnixTime = None,
    until: UnixTime = None,
    start: Start = None,
    limit: Limit = 50,
) -> Response:
    """The latest recorded first, with the reason, as far back as the activity log goes.

    Where a build moved somebody, the reason begins with `built: `. Both times are included.
    """
    query = ChangeQuery(type_, customer, id_type, since, until)
    page = await history_of.changes(db, inside.workspace_id, reference(segment), query, start=start, limit=limit)
    return json_response(page)


@router.get(
    "/v1/segments/{segment}/history",
    operation_id="getSegmentHistory",
    summary="A segment's size, and who came and left day by day",
    response_model=SegmentHistory,
    responses=errors(404),
)
async def history(
    db: Db,
    inside: Reading,
    segment: str,
    *,
    now: Now,
    days: Annotated[int, Query(ge=1, le=history_of.MOST_DAYS, description="How many days, today included.")] = 30,
    timezone: Annotated[str, Query(max_length=64, description="Whose days they are, such as `Europe/Rome`.")] = "UTC",
) -> Response:
    """`days` ends with today by the workspace's clock; a day counts whom a build moved, too."""
    answer = await history_of.history(
        db, inside.workspace_id, reference(segment), days=days, timezone=timezone, real_now=now
    )
    return json_response(answer)


@router.post(
    "/v1/segments/{segment}/clear",
    operation_id="clearSegment",
    summary="Empty a manual segment",
    status_code=202,
    response_model=Task,
    responses=errors(404, 409, 422),
    openapi_extra=bodies.schema(ClearBody, required=False),
)
async def clear(
    request: Request, db: Db, inside: WritingLive, *, now: Now, parts: ProcessParts, segment: str
) -> Response:
    """In the background, who is in it by now leaves. Exit rules apply; waits on not being in it end only if asked."""
    body = await bodies.optional(request)
    task = await segment_clearing.clear(db, inside.workspace_id, reference(segment), body, now)
    parts.notifier.send("tasks")
    return json_response(task, 202)


__all__ = ["router"]
