"""Reading people: found by email, attributes, segments (APP-09)."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from api.deps import Db, Reading
from api.errors import json_response
from api.management import shapes
from api.management.answers import errors
from api.management.parameters import NamedBy
from services.looking import people as looking

router = APIRouter(tags=["People"])


@router.get(
    "/v1/customers",
    operation_id="getPeopleByEmail",
    summary="Find people by email address",
    response_model=shapes.People,
    responses=errors(),
)
async def find_people(db: Db, inside: Reading, email: Annotated[str, Query(min_length=1, max_length=512)]) -> Response:
    """Everybody with this address, case ignored; nobody is an empty list."""
    return json_response(await looking.search(db, inside.workspace_id, email))


@router.get(
    "/v1/customers/{customer}/attributes",
    operation_id="getPersonAttributes",
    summary="A person's attributes",
    response_model=shapes.PersonAnswer,
    responses=errors(404),
)
async def get_attributes(db: Db, inside: Reading, customer: str, *, id_type: NamedBy = "id") -> Response:
    """Every value as text, identifiers included."""
    return json_response(await looking.attributes(db, inside.workspace_id, customer, id_type))


@router.get(
    "/v1/customers/{customer}/segments",
    operation_id="getPersonSegments",
    summary="A person's segments",
    response_model=shapes.PersonSegments,
    responses=errors(404),
)
async def get_segments(db: Db, inside: Reading, customer: str, *, id_type: NamedBy = "id") -> Response:
    """The segments the person is in now."""
    return json_response(await looking.segments(db, inside.workspace_id, customer, id_type))


__all__ = ["router"]
