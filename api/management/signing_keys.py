"""Signing keys of a workspace, by which receivers know its calls (ACT-30)."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response, Security
from pydantic import ValidationError

from api import bodies
from api.deps import Db, InWorkspace, Now, member
from api.errors import json_response
from api.management.answers import errors
from api.management.schemas import Answer, Body
from api.management.workspaces import WorkspaceId
from domain.durations import Duration
from domain.errors import InvalidInput, NotFound, Problem
from domain.problems import from_validation_error
from services import signing_keys

router = APIRouter(tags=["Workspaces"])

LONGEST_OVERLAP = timedelta(days=30)
Configuring = Annotated[InWorkspace, Security(member, scopes=["configure"])]


class RotateBody(Body):
    """How long the key that is replaced goes on counting."""

    overlap: Duration | None = None


class Rotated(Answer):
    """The new key, shown once."""

    signing_key: str
    previous_valid_until: int | None = None


@router.post(
    "/v1/workspaces/{workspace_id}/signing_keys/{purpose}/rotate",
    operation_id="rotateSigningKey",
    summary="Rotate a signing key",
    response_model=Rotated,
    response_model_exclude_none=True,
    responses=errors(404, 422),
    openapi_extra=bodies.schema(RotateBody, required=False),
)
async def rotate(
    request: Request,
    db: Db,
    inside: Configuring,
    now: Now,
    *,
    workspace_id: WorkspaceId,
    purpose: Annotated[str, Path(description="`webhook` signs the calls of workflows.")],
) -> Response:
    """Calls are signed with the new key from now on; for `overlap` (24 hours) a second signature tells the old one."""
    body = await _read(request)
    overlap = signing_keys.OVERLAP if body.overlap is None else body.overlap.delta
    if overlap > LONGEST_OVERLAP:
        message = f"The old key counts on for at most {LONGEST_OVERLAP.days} days."
        raise InvalidInput([Problem(code="range", pointer="/overlap", message=message)])
    if workspace_id != inside.workspace_id:
        raise NotFound("workspace", workspace_id)
    made = await signing_keys.rotate(db, workspace_id, purpose, overlap=overlap, real_now=now)
    return json_response(made)


async def _read(request: Request) -> RotateBody:
    raw = await bodies.optional(request)
    try:
        return RotateBody.model_validate({} if raw is None else raw)
    except ValidationError as error:
        raise InvalidInput(from_validation_error(error, raw)) from None


__all__ = ["router"]
