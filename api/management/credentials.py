"""The keys of a workspace: listed without secrets, made, renamed, revoked."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from api import bodies
from api.deps import Admin, Db, Now
from api.errors import json_response
from api.management import schemas
from api.management.answers import errors
from api.management.workspaces import WorkspaceId
from domain.errors import InvalidInput, Problem
from services import workspaces

router = APIRouter(tags=["Workspaces"])

CredentialId = Annotated[int, Path(ge=1, le=2**31 - 1)]
_ALL = "/v1/workspaces/{workspace_id}/credentials"
_ONE = "/v1/workspaces/{workspace_id}/credentials/{credential_id}"


@router.get(
    _ALL,
    operation_id="listCredentials",
    summary="Credentials, without secrets",
    response_model=schemas.Credentials,
    responses=errors(404),
)
async def listed(db: Db, _caller: Admin, workspace_id: WorkspaceId) -> Response:
    """All kinds, oldest first."""
    return json_response({"credentials": await workspaces.credentials(db, workspace_id)})


@router.post(
    _ALL,
    operation_id="createCredential",
    summary="Create a Track pair, an App key or a Pipelines key",
    status_code=201,
    response_model=schemas.CredentialWithSecret,
    responses=errors(404, 422),
    openapi_extra=bodies.schema(schemas.CredentialCreate),
)
async def create(request: Request, db: Db, _caller: Admin, now: Now, workspace_id: WorkspaceId) -> Response:
    """The secret is shown once and stored hashed."""
    body = await bodies.model(request, schemas.CredentialCreate)
    problems = []
    if body.scopes is not None and body.kind != "app":
        problems.append(Problem(code="not_applicable", pointer="/scopes", message="Only App keys have scopes."))
    if body.scopes is not None and len(set(body.scopes)) < len(body.scopes):
        problems.append(Problem(code="duplicate", pointer="/scopes", message="Name each scope once."))
    settings = {"client_side": body.client_side, "blocked_events": body.blocked_events}
    if body.kind != "pipelines":
        problems += [workspaces.only_pipelines(name) for name, value in settings.items() if value is not None]
    if problems:
        raise InvalidInput(problems)
    made = await workspaces.create_credential(
        db,
        workspace_id,
        kind=body.kind,
        name=body.name,
        scopes=body.scopes,
        client_side=body.client_side or False,
        blocked_events=body.blocked_events or (),
        now=now,
    )
    return json_response(made, 201)


@router.patch(
    _ONE,
    operation_id="renameCredential",
    summary="Rename a credential, or say where a Pipelines key is used",
    response_model=schemas.Credential,
    responses=errors(404, 422),
    openapi_extra=bodies.schema(schemas.CredentialChange),
)
async def rename(
    request: Request, db: Db, _caller: Admin, workspace_id: WorkspaceId, credential_id: CredentialId
) -> Response:
    """The name is what the log of accepted facts calls their source."""
    body = await bodies.model(request, schemas.CredentialChange)
    changed = await workspaces.change_credential(
        db,
        workspace_id,
        credential_id,
        name=body.name,
        client_side=body.client_side,
        blocked_events=body.blocked_events,
    )
    return json_response(changed)


@router.delete(
    _ONE,
    operation_id="deleteCredential",
    summary="Revoke at once",
    status_code=204,
    responses=errors(404, 409),
)
async def revoke(db: Db, _caller: Admin, workspace_id: WorkspaceId, credential_id: CredentialId) -> Response:
    """Refused with `last_credential` for the last Track pair of a workspace."""
    await workspaces.revoke_credential(db, workspace_id, credential_id)
    return Response(status_code=204)


__all__ = ["router"]
