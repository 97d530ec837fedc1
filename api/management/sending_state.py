"""Switching the sending behaviour of several blocks of a campaign at once (CMP-27)."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from api import bodies
from api.deps import Db, Now, ProcessParts, WritingLive
from api.errors import json_response
from api.management import schemas
from api.management.answers import errors
from api.paths import reference
from services import sending_state

router = APIRouter(tags=["Lifecycle"])


@router.post(
    "/v1/campaigns/{campaign}/sending_state",
    operation_id="setSendingState",
    summary="Switch the sending behaviour of several blocks at once",
    response_model=schemas.Status,
    responses=errors(404, 409, 422),
    openapi_extra=bodies.schema(schemas.SendingStateBody),
)
async def switch(
    request: Request, db: Db, inside: WritingLive, *, now: Now, parts: ProcessParts, campaign: str
) -> Response:
    """Affects later arrivals only; existing drafts stay drafts."""
    body = await bodies.model(request, schemas.SendingStateBody)
    answer = await sending_state.switch(
        db, inside.workspace_id, reference(campaign), body.sending_state, body.blocks, real_now=now
    )
    parts.notifier.send("tasks")
    return json_response(answer)


__all__ = ["router"]
