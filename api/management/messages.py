"""Deliveries: lists, one, its rendered content, its attempts (APP-12)."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from api import bodies
from api.deps import Db, Definitions, Now, ProcessParts, Reading, ReadingSensitive, Writing, WritingLive
from api.errors import json_response
from api.management import schemas, shapes
from api.management.answers import errors
from api.management.parameters import MOST, BlockKey, Customer, NamedBy, Number, Responses, Start, UnixTime
from domain.message_metrics import MessageMetric
from services import draft_bulk
from services.drafts import Drafts
from services.looking import messages as looking
from services.looking.message_lists import MessageLists, MessageQuery, MessageState, MessageType, Paging

router = APIRouter(tags=["Deliveries"])


def handling(parts: ProcessParts) -> Drafts:
    """What handles drafts."""
    return Drafts(parts.db, parts.catalogs, parts.notifier, parts.base_url)


Handling = Annotated[Drafts, Depends(handling)]


@router.get(
    "/v1/messages",
    operation_id="listMessages",
    summary="List deliveries and drafts",
    response_model=shapes.Messages,
    responses=errors(),
)
async def list_messages(
    db: Db,
    catalogs: Definitions,
    inside: Reading,
    now: Now,
    *,
    customer: Customer = None,
    id_type: NamedBy = "id",
    journey_id: Annotated[str | None, Query(max_length=64)] = None,
    block: BlockKey = None,
    transactional_message_id: Number = None,
    transactional_id: Annotated[Number, Query(description="The same, as newer clients call it.")] = None,
    trigger_id: Annotated[Number, Query(description="Of one trigger of a broadcast; with its `campaign_id`.")] = None,
    content_id: Number = None,
    template_id: Annotated[Number, Query(description="What an answer calls `msg_template_id`.")] = None,
    drafts: Annotated[bool, Query(description="List drafts, and nothing but drafts.")] = False,
    type: Annotated[MessageType | None, Query(description="The vendor's channel names.")] = None,  # noqa: A002 - the wire name
    metric: Annotated[MessageMetric | None, Query(description="Only messages that reached it.")] = None,
    state: Annotated[MessageState | None, Query()] = None,
    campaign_id: Annotated[Number, Query(description="Of a campaign or a broadcast.")] = None,
    newsletter_id: Number = None,
    action_id: Number = None,
    start_ts: UnixTime = None,
    end_ts: UnixTime = None,
    get_tracked_responses: Responses = False,
    start: Start = None,
    limit: Annotated[int, Query(ge=1, description="How many at most; more than 1,000 counts as 1,000.")] = 50,
) -> Response:
    """Newest first; without `start_ts` and `end_ts`, of the last six months."""
    query = MessageQuery(
        customer=customer,
        id_type=id_type,
        journey_id=journey_id,
        block=block,
        transactional_message_id=transactional_message_id if transactional_id is None else transactional_id,
        trigger_no=trigger_id,
        content_id=content_id,
        template_id=template_id,
        drafts=drafts,
        type=type,
        metric=metric,
        state=state,
        campaign_id=campaign_id,
        newsletter_id=newsletter_id,
        action_id=action_id,
        start_ts=start_ts,
        end_ts=end_ts,
        responses=get_tracked_responses,
    )
    lists = MessageLists(db, catalogs, inside.workspace_id, now)
    return json_response(await lists.of_workspace(query, Paging(start, min(limit, MOST))))


@router.post(
    "/v1/messages/bulk",
    operation_id="bulkDeliveries",
    summary="Send or delete drafts, or retry failures, in bulk",
    status_code=202,
    response_model=schemas.Task,
    responses=errors(422),
    openapi_extra=bodies.schema(schemas.BulkBody),
)
async def bulk(request: Request, db: Db, inside: WritingLive, now: Now, parts: ProcessParts) -> Response:
    """Begins a task and answers with it; it is about what is there now."""
    body = await bodies.json_value(request, bodies.MANAGEMENT_LIMIT)
    answer = await draft_bulk.begin(db, inside.workspace_id, body, now)
    parts.notifier.send("tasks")
    return json_response(answer, 202)


@router.get(
    "/v1/messages/{message_id}",
    operation_id="getMessage",
    summary="One delivery",
    response_model=shapes.MessageAnswer,
    responses=errors(404),
)
async def get_message(
    db: Db, inside: Reading, message_id: str, *, get_tracked_responses: Responses = False
) -> Response:
    """The delivery with what became of it."""
    return json_response(await looking.one(db, inside.workspace_id, message_id, responses=get_tracked_responses))


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


@router.patch(
    "/v1/messages/{message_id}",
    operation_id="editDraft",
    summary="Edit the content of one draft",
    response_model=shapes.MessageAnswer,
    responses=errors(404, 409, 422),
    openapi_extra=bodies.schema(schemas.DraftEdit),
)
async def edit_draft(request: Request, inside: Writing, drafts: Handling, now: Now, message_id: str) -> Response:
    """A later save of the block's content renders the draft again and discards this edit."""
    body = await bodies.json_value(request, bodies.MANAGEMENT_LIMIT)
    return json_response(await drafts.edit(inside.workspace_id, message_id, body, now))


@router.delete(
    "/v1/messages/{message_id}",
    operation_id="deleteDraft",
    summary="Delete a draft for good",
    status_code=204,
    response_class=Response,
    responses=errors(404, 409),
)
async def delete_draft(inside: Writing, drafts: Handling, now: Now, message_id: str) -> Response:
    """The journey still says that it drafted the block, and never does so again."""
    await drafts.delete(inside.workspace_id, message_id, now)
    return Response(status_code=204)


@router.post(
    "/v1/messages/{message_id}/send",
    operation_id="sendDraft",
    summary="Send a draft",
    response_model=shapes.MessageAnswer,
    responses=errors(404, 409),
)
async def send_draft(inside: WritingLive, drafts: Handling, now: Now, message_id: str) -> Response:
    """Rendered again with the data of now, subscription and all; trigger, filters and exit are not looked at."""
    return json_response(await drafts.send(inside.workspace_id, message_id, now))


@router.post(
    "/v1/messages/{message_id}/retry",
    operation_id="retryDelivery",
    summary="Send a failed or undeliverable delivery again",
    response_model=shapes.MessageAnswer,
    responses=errors(404, 409, 422),
    openapi_extra=bodies.schema(schemas.RetryBody, required=False),
)
async def retry_delivery(
    request: Request, inside: WritingLive, drafts: Handling, now: Now, message_id: str
) -> Response:
    """Rendered again with the latest template and data; a webhook keeps its idempotency key. The journey is not touched."""
    body = await bodies.optional(request)
    return json_response(await drafts.retry(inside.workspace_id, message_id, body, now))


__all__ = ["router"]
