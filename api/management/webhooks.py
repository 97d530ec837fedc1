"""The entry points of webhook campaigns: any JSON, and no credential but the secret in the URL (CMP-09)."""

from __future__ import annotations

from typing import Any, Final

from fastapi import APIRouter, Request, Response

from api.bodies import TRACK_BATCH_LIMIT, json_value
from api.deps import Db, Now, ProcessParts
from api.errors import json_response
from api.management import schemas
from api.management.answers import errors
from services import webhooks

router = APIRouter(tags=["Lifecycle"])

_ANY: Final[dict[str, Any]] = {
    "security": [],
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": {"description": "Any JSON value, up to 500 KB."}}},
    },
}
_ANSWERS: Final = {status: answer for status, answer in errors(404, 409, 413, 415).items() if status not in (401, 403)}


@router.post(
    "/v1/webhooks/campaigns/{token}",
    operation_id="triggerWebhookCampaign",
    summary="Entry point of a webhook-triggered campaign",
    response_model=schemas.WebhookReceived,
    responses=_ANSWERS,
    openapi_extra=_ANY,
)
async def receive(request: Request, db: Db, now: Now, parts: ProcessParts, token: str) -> Response:
    """Running: a journey of its own is begun. Draft: the payload is kept as the sample, in place of the one before."""
    target = await webhooks.target_of(db, token)
    if parts.rates is not None and not target.workspace.sandbox:
        await parts.rates.take(target.workspace.workspace_id, "track")
    payload = await json_value(request, TRACK_BATCH_LIMIT)
    received = await webhooks.receive(db, parts.acceptor, target, payload, now)
    return json_response({"journey_id": received.journey_id, "sample_stored": received.sample_stored})


__all__ = ["router"]
