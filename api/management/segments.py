"""Segments: read, manual ones made, deleted and emptied (APP-11, PPL-43)."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from api import bodies
from api.deps import Db, Now, ProcessParts, Reading, Writing, WritingLive
from api.errors import json_response
from api.management.answers import errors
from api.management.parameters import Start
from api.management.schemas import Answer, Body, Task
from api.management.shapes import Identifiers
from api.paths import reference
from services import segments

router = APIRouter(tags=["Segments"])

Size = Annotated[int, Query(description=f"How many at most; {segments.MOST_MEMBERS} is the end.")]


class Segment(Answer):
    """A segment in the vendor's shape, with its key added."""

    id: int
    deduplicate_id: str
    key: str
    name: str
    description: str
    state: Literal["events", "build", "events_queued", "build_queued", "finished"]
    progress: int | None = Field(description="Percent, while the segment is built.")
    type: Literal["dynamic", "manual"]
    tags: list[str] | None
    created_at: int
    updated_at: int


class SegmentAnswer(Answer):
    """One segment."""

    segment: Segment


class Segments(Answer):
    """Every segment, oldest first."""

    segments: list[Segment]


_TEXT: Final = {"type": "string", "minLength": 1, "maxLength": segments.LONGEST_NAME}
_NEW: Final = {"type": "object", "required": ["name"], "properties": {"name": _TEXT, "description": {"type": "string"}}}
_CREATE: Final = {"type": "object", "required": ["segment"], "properties": {"segment": _NEW}}


class ClearBody(Body):
    """How a segment is emptied."""

    update_campaign_journeys: bool = Field(
        default=False, description="True also releases waits and fires triggers on not being in the segment."
    )


class UsedBy(Answer):
    """What refers to a segment."""

    segment_id: int
    used_by: dict[str, list[int]]


class CustomerCount(Answer):
    """How many are in a segment."""

    count: int


class Membership(Answer):
    """One page of the people in a segment; `ids` holds an empty text for those without an id."""

    segment_id: int
    ids: list[str]
    identifiers: list[Identifiers]
    next: str


@router.get(
    "/v1/segments",
    operation_id="listSegments",
    summary="List segments",
    response_model=Segments,
    responses=errors(),
)
async def listed(db: Db, inside: Reading) -> Response:
    """All of them, oldest first."""
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
    """The numbers of campaigns and newsletters."""
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
    """One page, whoever was added to the workspace first coming first."""
    page = await segments.membership(db, inside.workspace_id, reference(segment), start=start, limit=limit)
    return json_response(page)


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
    task = await segments.clear(db, inside.workspace_id, reference(segment), body, now)
    parts.notifier.send("tasks")
    return json_response(task, 202)


__all__ = ["router"]
