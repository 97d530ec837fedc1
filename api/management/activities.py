"""The activity log: of a workspace and of one person (APP-09, APP-10)."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import Field

from api.deps import Db, Now, Reading
from api.errors import json_response
from api.management.answers import errors
from api.management.parameters import Customer, NamedBy, Start
from api.management.schemas import Answer
from api.management.shapes import Identifiers
from services.looking import activities as looking
from services.looking.activities import DEFAULT, MOST, ActivityQuery

router = APIRouter(tags=["People"])

Kind = Annotated[str | None, Query(max_length=64, description="One type of activity.")]
OfName = Annotated[str | None, Query(max_length=1000, description="The name of an event, or of an attribute.")]
Limit = Annotated[int, Query(ge=1, description=f"How many at most; {MOST} is the end.")]


class Activity(Answer):
    """Something that happened."""

    id: str
    type: str
    name: str | None = None
    timestamp: int
    processed_at: int | None = Field(None, description="Absent while nobody knows whose it is.")
    customer_id: str | None
    customer_identifiers: Identifiers | None
    anonymous_id: str | None = None
    delivery_id: str | None = None
    delivery_type: str | None = None
    data: Any = None


class Activities(Answer):
    """One page, newest first."""

    activities: list[Activity]
    next: str


@router.get(
    "/v1/activities",
    operation_id="listActivities",
    summary="What happened in the workspace",
    response_model=Activities,
    responses=errors(),
)
async def list_activities(
    db: Db,
    inside: Reading,
    now: Now,
    *,
    type: Kind = None,  # noqa: A002 - the word of the wire
    name: OfName = None,
    deleted: Annotated[bool | None, Query(description="Only, or not, of people who are no longer there.")] = None,
    anonymous: Annotated[bool, Query(description="What was done by people not known yet.")] = False,
    customer_id: Customer = None,
    id_type: NamedBy = "id",
    start: Start = None,
    limit: Limit = DEFAULT,
) -> Response:
    """The last thirty days. Metrics of messages are listed where one is asked for by its type, and per person."""
    query = ActivityQuery(customer_id, id_type, type, name, deleted, anonymous)
    return json_response(await looking.page(db, inside.workspace_id, query, start=start, limit=limit, now=now))


@router.get(
    "/v1/customers/{customer}/activities",
    operation_id="getPersonActivities",
    summary="What happened to a person",
    response_model=Activities,
    responses=errors(404),
)
async def person_activities(
    db: Db,
    inside: Reading,
    now: Now,
    customer: str,
    *,
    id_type: NamedBy = "id",
    type: Kind = None,  # noqa: A002 - the word of the wire
    name: OfName = None,
    start: Start = None,
    limit: Limit = DEFAULT,
) -> Response:
    """The last thirty days, newest first, with what became of their messages."""
    query = ActivityQuery(customer, id_type, type, name)
    return json_response(await looking.of_person(db, inside.workspace_id, query, start=start, limit=limit, now=now))


__all__ = ["router"]
