"""Workspaces: made, listed, renamed."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request, Response, Security

from api import bodies
from api.deps import APP_KEY, Admin, Db, Now, bearer_caller
from api.errors import json_response
from api.management import schemas
from api.management.answers import errors
from domain.errors import InvalidInput, Problem
from domain.values import from_unix
from services import workspaces
from services.access import Caller, require

router = APIRouter(tags=["Workspaces"])

WorkspaceId = Annotated[int, Path(ge=1, le=2**31 - 1)]


@router.post(
    "/v1/workspaces",
    operation_id="createWorkspace",
    summary="Create a workspace with its first credentials",
    status_code=201,
    response_model=schemas.WorkspaceMade,
    responses=errors(422),
    openapi_extra=bodies.schema(schemas.WorkspaceCreate),
)
async def create(request: Request, db: Db, _caller: Admin, now: Now) -> Response:
    """Secrets are returned this once."""
    body = await bodies.model(request, schemas.WorkspaceCreate)
    if body.now is not None and not body.sandbox:
        message = "Only a sandbox has a time of its own."
        raise InvalidInput([Problem(code="not_applicable", pointer="/now", message=message)])
    clock = None
    if body.sandbox:
        clock = now.replace(microsecond=0) if body.now is None else from_unix(body.now)
    made = await workspaces.create(
        db, name=body.name, sandbox=body.sandbox, clock=clock, settings=body.settings, now=now
    )
    return json_response(made, 201)


@router.get(
    "/v1/workspaces",
    operation_id="listWorkspaces",
    summary="List workspaces",
    response_model=schemas.Workspaces,
    responses=errors(),
)
async def listed(
    db: Db, caller: Annotated[Caller, Depends(bearer_caller)], _scheme: Annotated[object, Security(APP_KEY)]
) -> Response:
    """All of them for a service-account token; an App key sees its own."""
    require(caller, ["read"])
    return json_response({"workspaces": await workspaces.listed(db, caller.workspace_id)})


@router.patch(
    "/v1/workspaces/{workspace_id}",
    operation_id="updateWorkspace",
    summary="Rename a workspace",
    response_model=schemas.Workspace,
    responses=errors(404, 422),
    openapi_extra=bodies.schema(schemas.WorkspaceChange),
)
async def change(request: Request, db: Db, _caller: Admin, workspace_id: WorkspaceId) -> Response:
    """Everything else is the `settings` definition. `sandbox` never changes."""
    body = await bodies.model(request, schemas.WorkspaceChange)
    if body.name is None and body.colour is None:
        raise InvalidInput([Problem(code="required", pointer="/name", message="Say what to change.")])
    return json_response(await workspaces.change(db, workspace_id, name=body.name, colour=body.colour))


__all__ = ["WorkspaceId", "router"]
