"""A person's timeline: everything that happened, in one order."""

from __future__ import annotations

from typing import Annotated, get_args

from fastapi import APIRouter, Query, Response

from api.deps import Db, Definitions, Reading
from api.errors import json_response
from api.management import shapes
from api.management.answers import errors
from api.management.parameters import Limit, NamedBy, Start, UnixTime
from domain.errors import DomainError
from services.looking import timeline as looking
from services.looking.timeline import EntryType

router = APIRouter(tags=["Journeys"])
TYPES: tuple[EntryType, ...] = get_args(EntryType)


@router.get(
    "/v1/customers/{customer}/timeline",
    operation_id="getTimeline",
    summary="Everything that happened to a person, in one order",
    response_model=shapes.Timeline,
    responses=errors(404),
)
async def get_timeline(
    db: Db,
    catalogs: Definitions,
    inside: Reading,
    customer: str,
    *,
    id_type: NamedBy = "id",
    types: Annotated[list[str] | None, Query(description=f"Any of {', '.join(TYPES)}; all without it.")] = None,
    since: UnixTime = None,
    until: UnixTime = None,
    start: Start = None,
    limit: Limit = 50,
) -> Response:
    """Newest first; `since` and `until` include the second they name."""
    query = looking.TimelineQuery(customer, id_type, types=wanted(types or []), since=since, until=until)
    return json_response(await looking.page(db, catalogs, inside.workspace_id, query, start=start, limit=limit))


def wanted(words: list[str]) -> list[EntryType]:
    """The entry types that a repeated or comma-separated parameter names; raises DomainError `invalid_parameter`."""
    named = {word for text in words for word in text.split(",") if word}
    if unknown := sorted(named.difference(TYPES)):
        message = f"There are no entries of type {unknown[0]!r}; there are {', '.join(TYPES)}."
        raise DomainError("invalid_parameter", message, "/types")
    return [word for word in TYPES if word in named]


__all__ = ["router"]
