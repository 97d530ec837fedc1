"""The verbs of a campaign's life: start, stop, restart, archive, unarchive, duplicate."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from api import bodies
from api.deps import Db, Now, ProcessParts, Writing, WritingLive
from api.errors import json_response
from api.management import schemas
from api.management.answers import errors, located
from api.paths import reference
from services import campaign_copy, campaign_life, campaigns

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
    """Runs the start-stage validation. State becomes `starting`, then `running` once the audience is known.

    Clears a scheduled start. Without `audience` that of the document holds.
    """
    body = await bodies.optional(request)
    answer = await campaigns.start(db, inside.workspace_id, reference(campaign), body, now)
    parts.notifier.send("tasks")
    return json_response(located(answer, parts.base_url))


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
    return json_response(located(answer, parts.base_url))


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
    return json_response(located(answer, parts.base_url))


@router.post(
    "/v1/campaigns/{campaign}/archive",
    operation_id="archiveCampaign",
    summary="Archive a running or stopped campaign",
    response_model=schemas.Status,
    responses=errors(404, 409),
)
async def archive(db: Db, inside: WritingLive, *, now: Now, parts: ProcessParts, campaign: str) -> Response:
    """Ends journeys, deletes unsent drafts, makes the document read-only."""
    answer = await campaign_life.archive(db, inside.workspace_id, reference(campaign), now)
    parts.notifier.send("tasks", "outbox")
    return json_response(located(answer, parts.base_url))


@router.post(
    "/v1/campaigns/{campaign}/unarchive",
    operation_id="unarchiveCampaign",
    summary="Bring an archived campaign back as stopped",
    response_model=schemas.Status,
    responses=errors(404, 409),
)
async def unarchive(db: Db, inside: WritingLive, *, now: Now, parts: ProcessParts, campaign: str) -> Response:
    """Archived segments that it uses come back with it and are built."""
    answer = await campaign_life.unarchive(db, inside.workspace_id, reference(campaign), now)
    parts.notifier.send("tasks")
    return json_response(located(answer, parts.base_url))


@router.post(
    "/v1/campaigns/{campaign}/duplicate",
    operation_id="duplicateCampaign",
    summary="Copy into a new draft",
    status_code=201,
    response_model=schemas.DefinitionRecord,
    responses=errors(404, 409, 422),
    openapi_extra=bodies.schema(schemas.CopyBody, required=False),
)
async def duplicate(
    request: Request, db: Db, inside: Writing, *, now: Now, parts: ProcessParts, campaign: str
) -> Response:
    """Without `name` it is called `[COPY] ` and the name of the original; `key` is derived from it.

    Webhook campaigns get a new URL, blocks new ids; a schedule is not copied.
    """
    body = await bodies.optional(request)
    answer = await campaign_copy.duplicate(db, inside.workspace_id, reference(campaign), body, now)
    return json_response(located(answer, parts.base_url), 201)


__all__ = ["router"]
