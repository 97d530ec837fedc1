"""Track, first version, probes of a credential (API-12)."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from api.deps import parts, track_caller
from api.errors import json_response
from api.track import schemas
from api.track.calls import described

router = APIRouter(tags=["Track API"], responses={401: schemas.UNAUTHORIZED, 503: schemas.AWAY})


@router.get(
    "/api/v1/accounts/region",
    operation_id="getRegion",
    summary="Whether a Track pair works, and for which workspace",
    openapi_extra=described(),
)
async def region(request: Request) -> Response:
    """The vendor's probe of a credential: our own address, the region of this deployment, the workspace."""
    inside, process = await track_caller(request), parts(request)
    answer = {"url": process.base_url, "region": process.region, "environment_id": inside.workspace_id}
    return json_response(answer)


@router.get("/auth", operation_id="checkTrackPair", summary="Whether a Track pair works", openapi_extra=described())
async def auth(request: Request) -> Response:
    """The probe of a credential that other pipelines use."""
    await track_caller(request)
    return json_response({"meta": {"message": "ok"}})


__all__ = ["router"]
