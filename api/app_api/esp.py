"""The suppression list: addresses that no mail is sent to (APP-19, SUB-16)."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel

from api.deps import Db, Definitions, Now, Reading, Writing
from api.errors import json_response
from api.management.answers import errors
from api.management.parameters import Size, Start
from api.management.schemas import Answer
from domain.suppressed import Category
from services import suppression_lists as lists

router = APIRouter(tags=["Messages"])


class Suppression(Answer):
    """One entry; an empty `domain` stands for all sending domains."""

    created: int
    email: str
    reason: str
    status: str
    category: Category
    domain: str


class Suppressions(Answer):
    """Entries of a category; those of a search may be of others, as each says."""

    category: Category
    suppressions: list[Suppression]


class SuppressionPage(Suppressions):
    """One page; `next` is empty after the last one."""

    next: str


class Nothing(BaseModel):
    """An empty object."""


@router.get(
    "/v1/esp/search_suppression/{email_address}",
    operation_id="searchSuppression",
    summary="Why an address gets no mail",
    response_model=Suppressions,
    responses=errors(404),
)
async def search(db: Db, inside: Reading, email_address: str) -> Response:
    """Every entry of the address, of all categories."""
    return json_response(await lists.search(db, inside.workspace_id, email_address))


@router.get(
    "/v1/esp/suppression/{suppression_type}",
    operation_id="listSuppressions",
    summary="List suppressed addresses",
    response_model=Suppressions,
    responses=errors(),
)
async def listed(
    db: Db,
    inside: Reading,
    *,
    suppression_type: Category,
    limit: Size = 100,
    offset: Annotated[int, Query(ge=0, le=2**31 - 1, description="How many to leave out.")] = 0,
    domain: Annotated[str | None, Query(max_length=253, description="A sending domain.")] = None,
) -> Response:
    """Newest first; of one domain those that hold for all as well."""
    answer = await lists.page(db, inside.workspace_id, suppression_type, limit=limit, offset=offset, domain=domain)
    return json_response(answer)


@router.get(
    "/v1/esp/domains/{domain_name}/suppression/{suppression_type}",
    operation_id="listDomainSuppressions",
    summary="List the suppressed addresses of a sending domain",
    response_model=SuppressionPage,
    responses=errors(404),
)
async def of_domain(
    db: Db,
    known: Definitions,
    inside: Reading,
    *,
    domain_name: str,
    suppression_type: Category,
    limit: Size = 100,
    start: Start = None,
    email: Annotated[str | None, Query(max_length=320, description="One address.")] = None,
) -> Response:
    """Newest first."""
    answer = await lists.page_of_domain(
        db, known, inside.workspace_id, suppression_type, domain_name, limit=limit, start=start, email=email
    )
    return json_response(answer)


@router.post(
    "/v1/esp/suppression/{suppression_type}/{email_address}",
    operation_id="suppressAddress",
    summary="Send no mail to an address any more",
    response_model=Nothing,
    responses=errors(),
)
async def add(
    db: Db, known: Definitions, inside: Writing, *, now: Now, suppression_type: Category, email_address: str
) -> Response:
    """Whatever the sending domain, transactional messages included. Nothing else changes for the person."""
    await lists.add(db, known, inside.workspace_id, suppression_type, email_address, now=now)
    return json_response({})


@router.delete(
    "/v1/esp/suppression/{suppression_type}/{email_address}",
    operation_id="unsuppressAddress",
    summary="Send mail to an address again",
    status_code=204,
    responses=errors(404),
)
async def remove(db: Db, inside: Writing, *, suppression_type: Category, email_address: str) -> Response:
    """For every sending domain, not only for the one that put it on the list."""
    await lists.remove(db, inside.workspace_id, suppression_type, email_address)
    return Response(status_code=204)


__all__ = ["router"]
