"""Deliveries of one campaign, one broadcast, one transactional message, one person (APP-04 to APP-06, APP-08, APP-09)."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from api.app_api.references import named
from api.deps import Db, Definitions, Now, Reading
from api.errors import json_response
from api.management import shapes
from api.management.answers import errors
from api.management.parameters import NamedBy, Responses, Size, Start, UnixTime
from domain.message_metrics import MessageMetric
from services.looking.message_lists import MessageLists, MessageQuery, MessageState, MessageType, Paging

router = APIRouter(tags=["Deliveries"])


def asked(
    *,
    type: Annotated[MessageType | None, Query(description="The vendor's channel names.")] = None,  # noqa: A002 - the wire name
    metric: Annotated[MessageMetric | None, Query(description="Only messages that reached it.")] = None,
    state: Annotated[MessageState | None, Query(description="`sent` is whatever was handed over.")] = None,
    drafts: Annotated[bool, Query(description="List drafts, and nothing but drafts.")] = False,
    start_ts: UnixTime = None,
    end_ts: UnixTime = None,
    get_tracked_responses: Responses = False,
) -> MessageQuery:
    """The filters that the lists of one source share."""
    return MessageQuery(
        type=type,
        metric=metric,
        state=state,
        drafts=drafts,
        start_ts=start_ts,
        end_ts=end_ts,
        responses=get_tracked_responses,
    )


def paging(*, start: Start = None, limit: Size = 50) -> Paging:
    """Which page."""
    return Paging(start, limit)


def lists(db: Db, catalogs: Definitions, inside: Reading, now: Now) -> MessageLists:
    """The lists of the key's workspace."""
    return MessageLists(db, catalogs, inside.workspace_id, now)


Lists = Annotated[MessageLists, Depends(lists)]
Asked = Annotated[MessageQuery, Depends(asked)]
Page = Annotated[Paging, Depends(paging)]


@router.get(
    "/v1/campaigns/{campaign}/messages",
    operation_id="listCampaignMessages",
    summary="Deliveries of one campaign",
    response_model=shapes.Messages,
    responses=errors(404),
)
async def of_campaign(found: Lists, campaign: str, query: Asked, page: Page) -> Response:
    """Newest first; without times, of the last six months; of a span of more than twelve months, the last twelve."""
    return json_response(await found.of_campaign(named(campaign), query, page))


@router.get(
    "/v1/broadcasts/{broadcast}/messages",
    operation_id="listBroadcastMessages",
    summary="Deliveries of one broadcast",
    response_model=shapes.Messages,
    responses=errors(404),
)
async def of_broadcast(found: Lists, broadcast: str, query: Asked, page: Page) -> Response:
    """Newest first; without times, of the month after the first trigger; of a longer span than twelve months, the last twelve."""
    return json_response(await found.of_broadcast(named(broadcast), query, page))


@router.get(
    "/v1/transactional/{transactional}/messages",
    operation_id="listTransactionalDeliveries",
    summary="Deliveries of one transactional message",
    response_model=shapes.Messages,
    responses=errors(404),
)
async def of_transactional(found: Lists, transactional: str, query: Asked, page: Page) -> Response:
    """Newest first; without times, of the last six months; of more than twelve months, the last twelve. 1: sends without a template."""
    return json_response(await found.of_transactional(named(transactional), query, page))


@router.get(
    "/v1/customers/{customer}/messages",
    operation_id="getPersonMessages",
    summary="Deliveries to one person",
    response_model=shapes.Messages,
    responses=errors(404),
)
async def of_person(
    found: Lists,
    customer: str,
    page: Page,
    *,
    id_type: NamedBy = "id",
    start_ts: UnixTime = None,
    end_ts: UnixTime = None,
    get_tracked_responses: Responses = False,
) -> Response:
    """Newest first, without drafts: of the last six months, or of six months at most that end at `end_ts`."""
    query = MessageQuery(
        customer=customer, id_type=id_type, start_ts=start_ts, end_ts=end_ts, responses=get_tracked_responses
    )
    return json_response(await found.of_person(query, page))


__all__ = ["router"]
