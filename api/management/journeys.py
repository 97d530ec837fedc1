"""Journeys: lists, one with its step log, how many are where, and ending one or many by hand."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response

from api import bodies
from api.deps import Db, Definitions, Now, ProcessParts, Reading, WritingLive
from api.errors import json_response
from api.management import schemas, shapes
from api.management.answers import errors
from api.management.parameters import BlockKey, Customer, Limit, NamedBy, Ref, Start, UnixTime
from api.paths import reference
from domain.journey_choice import JourneyChoice
from services import journey_ending
from services import journeys as endings
from services.looking import blocks
from services.looking import journeys as looking

router = APIRouter(tags=["Journeys"])


@router.get(
    "/v1/journeys",
    operation_id="listJourneys",
    summary="List journeys",
    response_model=shapes.Journeys,
    responses=errors(422),
)
async def list_journeys(
    db: Db,
    catalogs: Definitions,
    inside: Reading,
    *,
    campaign: Ref = None,
    broadcast: Ref = None,
    customer: Customer = None,
    id_type: NamedBy = "id",
    state: Annotated[Literal["in_progress", "finished", "exited_early"] | None, Query()] = None,
    block: BlockKey = None,
    started_after: UnixTime = None,
    started_before: UnixTime = None,
    start: Start = None,
    limit: Limit = 50,
) -> Response:
    """Newest first, without step logs."""
    query = looking.JourneyQuery(
        campaign=None if campaign is None else reference(campaign),
        broadcast=None if broadcast is None else reference(broadcast),
        customer=customer,
        id_type=id_type,
        state=state,
        block=block,
        started_after=started_after,
        started_before=started_before,
    )
    return json_response(await looking.page(db, catalogs, inside.workspace_id, query, start=start, limit=limit))


@router.get(
    "/v1/journeys/{journey_id}",
    operation_id="getJourney",
    summary="One journey with its step log",
    response_model=shapes.JourneyAnswer,
    responses=errors(404),
)
async def get_journey(db: Db, catalogs: Definitions, inside: Reading, journey_id: str) -> Response:
    """The journey: where it stands, why it ended, and what happened at each block."""
    return json_response(await looking.one(db, catalogs, inside.workspace_id, journey_id))


@router.post(
    "/v1/journeys/{journey_id}/end",
    operation_id="endJourney",
    summary="Remove the person from the workflow",
    response_model=shapes.JourneyAnswer,
    responses=errors(404, 409),
)
async def end_journey(process: ProcessParts, inside: WritingLive, now: Now, journey_id: str) -> Response:
    """State becomes `exited_early`, reason `manual`. Frequency still counts this journey."""
    await endings.end_one(process.db, inside.workspace_id, journey_id, now)
    process.notifier.send("outbox")
    return json_response(await looking.one(process.db, process.catalogs, inside.workspace_id, journey_id))


@router.post(
    "/v1/journeys/end",
    operation_id="endJourneys",
    summary="Remove many people from a workflow",
    status_code=202,
    response_model=schemas.Task,
    responses=errors(422),
    openapi_extra=bodies.schema(JourneyChoice),
)
async def end_journeys(request: Request, process: ProcessParts, inside: WritingLive, now: Now) -> Response:
    """In the background: those of a campaign, narrowed by block and start, or those with these ids, as far as under way.

    Each becomes `exited_early`, reason `manual`. Whoever begins after the call is not concerned.
    """
    body = await bodies.json_value(request, bodies.MANAGEMENT_LIMIT)
    task = await journey_ending.end_many(process.db, process.catalogs, inside.workspace_id, body, now)
    process.notifier.send("tasks")
    return json_response(task, 202)


@router.get(
    "/v1/campaigns/{campaign}/blocks",
    operation_id="listBlockFigures",
    summary="How many stand at each block of a campaign",
    response_model=shapes.Blocks,
    responses=errors(404),
)
async def list_blocks(db: Db, catalogs: Definitions, inside: Reading, campaign: str) -> Response:
    """In the order of the workflow, with how many passed, skipped and failed it since the campaign was made."""
    return json_response(await blocks.of_campaign(db, catalogs, inside.workspace_id, reference(campaign)))


@router.get(
    "/v1/customers/{customer}/journeys",
    operation_id="listCustomerJourneys",
    summary="A person's journeys",
    response_model=shapes.Journeys,
    responses=errors(404),
)
async def list_customer_journeys(
    db: Db,
    catalogs: Definitions,
    inside: Reading,
    customer: str,
    *,
    id_type: NamedBy = "id",
    start: Start = None,
    limit: Limit = 50,
) -> Response:
    """Newest first."""
    whose = (customer, id_type)
    return json_response(await looking.of_customer(db, catalogs, inside.workspace_id, whose, start=start, limit=limit))


__all__ = ["router"]
