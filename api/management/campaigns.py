"""The verbs of a campaign's life: start, stop and restart."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from api import bodies
from api.deps import Db, Now, ProcessParts, WritingLive
from api.errors import json_response
from api.management import schemas
from api.management.answers import errors
from api.paths import reference
from services import campaigns

router = APIRouter(tags=["Lifecycle"])


@router.post(
    "/v1/campaigns/{campaign}/start",
    operation_id="startCampaign",
    summary="Start a draft campaign",
    response_model=schemas.Status,
    responses=errors(404, 409, 422),
    openapi_extra=bodies.schema(schemas.AudienceBody, required=False),
)
async def start(
    request: Request, db: Db, inside: WritingLive, *, now: Now, parts: ProcessParts, campaign: str
) -> Response:
    """Runs the start-stage validation. State becomes `starting`, then `running` once the audience is known."""
    body = await bodies.optional(request)
    answer = await campaigns.start(db, inside.workspace_id, reference(campaign), body, now)
    parts.notifier.send("tasks")
    return json_response(answer)


@router.post(
    "/v1/campaigns/{campaign}/restart",
    operation_id="restartCampaign",
    summary="Restart a stopped campaign",
    response_model=schemas.Status,
    responses=errors(404, 409, 422),
    openapi_extra=bodies.schema(schemas.AudienceBody, required=False),
)
async def restart(
    request: Request, db: Db, inside: WritingLive, *, now: Now, parts: ProcessParts, campaign: str
) -> Response:
    """As `start`; refused while the campaign is stopping. How often people entered before still counts."""
    body = await bodies.optional(request)
    answer = await campaigns.restart(db, inside.workspace_id, reference(campaign), body, now)
    parts.notifier.send("tasks")
    return json_response(answer)


@router.post(
    "/v1/campaigns/{campaign}/stop",
    operation_id="stopCampaign",
    summary="Stop a running campaign",
    response_model=schemas.Status,
    responses=errors(404, 409, 422),
    openapi_extra=bodies.schema(schemas.StopBody),
)
async def stop(
    request: Request, db: Db, inside: WritingLive, *, now: Now, parts: ProcessParts, campaign: str
) -> Response:
    """`exit` ends active journeys now, `finish` lets them run out. A second stop with `exit` ends those that remain."""
    body = await bodies.optional(request)
    answer = await campaigns.stop(db, inside.workspace_id, reference(campaign), body, now)
    parts.notifier.send("tasks", "outbox")
    return json_response(answer)


__all__ = ["router"]
