"""Cancelling transactional sends that wait for their instant (CHN-09)."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Response

from api.app_api.references import named
from api.deps import Now, ProcessParts, WritingLive
from api.errors import json_response
from api.management import shapes
from api.management.answers import errors
from api.management.schemas import Answer
from services.transactional.cancelling import Cancelling

router = APIRouter(tags=["Deliveries"])


class CancelledSends(Answer):
    """How many sends were cancelled."""

    cancelled: int


def cancelling(parts: ProcessParts) -> Cancelling:
    """What cancels sends."""
    return Cancelling(parts.db, parts.catalogs, parts.notifier)


Handling = Annotated[Cancelling, Depends(cancelling)]


@router.post(
    "/v1/messages/{message_id}/cancel",
    operation_id="cancelDelivery",
    summary="Cancel a scheduled transactional send",
    response_model=shapes.MessageAnswer,
    responses=errors(404, 409),
)
async def cancel_delivery(inside: WritingLive, handling: Handling, now: Now, message_id: str) -> Response:
    """It becomes undeliverable. One whose instant has come is refused."""
    return json_response(await handling.one(inside.workspace_id, message_id, now))


@router.post(
    "/v1/transactional/{transactional}/cancel",
    operation_id="cancelScheduledSends",
    summary="Cancel every send of a template that still waits for its `send_at`",
    response_model=CancelledSends,
    responses=errors(404),
)
async def cancel_scheduled_sends(inside: WritingLive, handling: Handling, now: Now, transactional: str) -> Response:
    """Each becomes undeliverable; the id 1 means those without a template."""
    return json_response({"cancelled": await handling.of_template(inside.workspace_id, named(transactional), now)})


__all__ = ["router"]
