"""Deliveries: lists, one, its rendered content, its attempts (APP-12)."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from api.deps import Db, Now, Reading, ReadingSensitive
from api.errors import json_response
from api.management import shapes
from api.management.answers import errors
from api.management.parameters import MOST, BlockKey, Customer, NamedBy, Number, Start, UnixTime
from domain.message_metrics import MessageMetric
from services.looking import messages as looking
from services.looking.messages import MessageState, MessageType

router = APIRouter(tags=["Deliveries"])


@router.get(
    "/v1/messages",
    operation_id="listMessages",
    summary="List deliveries and drafts",
    response_model=shapes.Messages,
    responses=errors(),
)
async def list_messages(
    db: Db,
    inside: Reading,
    now: Now,
    *,
    customer: Customer = None,
    id_type: NamedBy = "id",
    journey_id: Annotated[str | None, Query(max_length=64)] = None,
    block: BlockKey = None,
    transactional_message_id: Number = None,
    drafts: Annotated[bool, Query(description="List drafts, and nothing but drafts.")] = False,
    type: Annotated[MessageType | None, Query(description="The vendor's channel names.")] = None,  # noqa: A002 - the wire name
    metric: Annotated[MessageMetric | None, Query(description="Only messages that reached it.")] = None,
    state: Annotated[MessageState | None, Query()] = None,
    campaign_id: Number = None,
    newsletter_id: Number = None,
    action_id: Number = None,
    start_ts: UnixTime = None,
    end_ts: UnixTime = None,
    start: Start = None,
    limit: Annotated[int, Query(ge=1, description="How many at most; more than 1,000 counts as 1,000.")] = 50,
) -> Response:
    """Newest first; without `start_ts` and `end_ts`, of the last six months."""
    query = looking.MessageQuery(
        customer=customer,
        id_type=id_type,
        journey_id=journey_id,
        block=block,
        transactional_message_id=transactional_message_id,
        drafts=drafts,
        type=type,
        metric=metric,
        state=state,
        campaign_id=campaign_id,
        newsletter_id=newsletter_id,
        action_id=action_id,
        start_ts=start_ts,
        end_ts=end_ts,
    )
    most = min(limit, MOST)
    return json_response(await looking.page(db, inside.workspace_id, query, start=start, limit=most, now=now))


@router.get(
    "/v1/messages/{message_id}",
    operation_id="getMessage",
    summary="One delivery",
    response_model=shapes.MessageAnswer,
    responses=errors(404),
)
async def get_message(db: Db, inside: Reading, message_id: str) -> Response:
    """The delivery with what became of it."""
    return json_response(await looking.one(db, inside.workspace_id, message_id))


@router.get(
    "/v1/messages/{message_id}/archived_message",
    operation_id="getArchivedMessage",
    summary="The rendered content of one delivery",
    response_model=shapes.ArchivedAnswer,
    responses=errors(404),
)
async def get_archived_message(db: Db, inside: ReadingSensitive, message_id: str) -> Response:
    """What was rendered; `forgotten` means that it was not kept."""
    return json_response(await looking.archived(db, inside.workspace_id, message_id))


@router.get(
    "/v1/messages/{message_id}/attempts",
    operation_id="listAttempts",
    summary="Hand-off attempts and provider feedback",
    response_model=shapes.Attempts,
    responses=errors(404),
)
async def list_attempts(db: Db, inside: Reading, message_id: str) -> Response:
    """Oldest first."""
    return json_response(await looking.attempts(db, inside.workspace_id, message_id))


__all__ = ["router"]
