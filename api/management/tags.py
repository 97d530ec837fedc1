"""Tags: which there are, what they are called, and taking one off everything (CMP-35)."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from api import bodies
from api.deps import Db, Now, Reading, Writing
from api.errors import json_response
from api.management import schemas
from api.management.answers import errors
from services import tags

router = APIRouter(tags=["Definitions"])


@router.get(
    "/v1/tags",
    operation_id="listTags",
    summary="Tags in use, with counts",
    response_model=schemas.Tags,
    responses=errors(),
)
async def listed(db: Db, inside: Reading) -> Response:
    """By name; a tag that nothing has is no tag."""
    return json_response(await tags.listed(db, inside.workspace_id))


@router.put(
    "/v1/tags/{tag}",
    operation_id="renameTag",
    summary="Rename a tag wherever it is used",
    response_model=schemas.Tag,
    responses=errors(404, 422),
    openapi_extra=bodies.schema(schemas.TagBody),
)
async def rename(request: Request, db: Db, inside: Writing, *, now: Now, tag: str) -> Response:
    """One that is called so already becomes one with it. Documents that have it get a new revision."""
    body = await bodies.json_value(request, bodies.MANAGEMENT_LIMIT)
    return json_response(await tags.rename(db, inside.workspace_id, tag, body, now))


@router.delete(
    "/v1/tags/{tag}",
    operation_id="deleteTag",
    summary="Take a tag off everything",
    status_code=204,
    responses=errors(404),
)
async def delete(db: Db, inside: Writing, *, now: Now, tag: str) -> Response:
    """The documents stay."""
    await tags.remove(db, inside.workspace_id, tag, now)
    return Response(status_code=204)


__all__ = ["router"]
