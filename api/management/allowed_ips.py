"""The addresses from which a workspace takes calls (API-02)."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import Field, StrictStr

from api import bodies
from api.deps import Admin, Db
from api.errors import json_response
from api.management.answers import errors
from api.management.schemas import Answer, Body
from api.management.workspaces import WorkspaceId
from services import allowed_ips

router = APIRouter(tags=["Workspaces"])

_PATH = "/v1/workspaces/{workspace_id}/allowed_ips"
_Listed = Annotated[str, Field(description="Address or CIDR.")]


class AllowedIps(Answer):
    """Addresses and networks; none means all."""

    allowed_ips: list[_Listed]


class AllowedIpsBody(Body):
    """The whole list as it is to be."""

    allowed_ips: list[StrictStr]


@router.get(
    _PATH,
    operation_id="getAllowedIps",
    summary="IP allow list",
    response_model=AllowedIps,
    responses=errors(404),
)
async def get(db: Db, _caller: Admin, workspace_id: WorkspaceId) -> Response:
    """Empty means unrestricted."""
    return json_response(await allowed_ips.get(db, workspace_id))


@router.put(
    _PATH,
    operation_id="putAllowedIps",
    summary="Replace the IP allow list",
    response_model=AllowedIps,
    responses=errors(404, 422),
    openapi_extra=bodies.schema(AllowedIpsBody),
)
async def put(request: Request, db: Db, _caller: Admin, workspace_id: WorkspaceId) -> Response:
    """Calls with keys of the workspace are refused from anywhere else at once; service-account tokens are not bound by it."""
    body = await bodies.model(request, AllowedIpsBody)
    return json_response(await allowed_ips.put(db, workspace_id, body.allowed_ips))


__all__ = ["router"]
