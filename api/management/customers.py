"""Reading people: found by email, attributes, segments, relationships (APP-09); taking a device away."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.routing import APIRoute
from pydantic import Field
from starlette.routing import Match
from starlette.types import Scope

from api import bodies
from api.deps import Db, Definitions, Now, ProcessParts, Reading, Writing
from api.errors import json_response
from api.management import shapes
from api.management.answers import errors
from api.management.parameters import NamedBy, Size, Start
from api.management.schemas import Answer, Body
from api.paths import Dialect
from domain.operations import DeleteDevice, Identifier
from services.looking import objects, people_search
from services.looking import people as looking

router = APIRouter(tags=["People"])


class WithBearer(APIRoute):
    """A route at a path that the Track API has, too: it takes the calls that come with a bearer token (API-01)."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """As any route, where the scheme is right; refusals are then in the words of the management API."""
        found, child = super().matches(scope)
        headers = dict(scope["headers"]) if found is Match.FULL else {}
        if headers.get(b"authorization", b"")[:7].lower() != b"bearer ":
            return Match.NONE, {}
        return found, {**child, "dialect": Dialect.MANAGEMENT}


beside_track = APIRouter(tags=["People"], route_class=WithBearer)


class FilterBody(Body):
    """Who is wanted."""

    filter: dict[str, Any] = Field(
        description="One node: `and`, `or`, `not`, `segment`, `attribute`, or any other that a segment may have."
    )


class Found(Answer):
    """Somebody's names."""

    cio_id: str
    id: str | None
    email: str | None = Field(None, description="Absent from filters' answers where addresses name nobody.")


class FoundPeople(Answer):
    """One page; it may be short although more follow, as `next` says."""

    identifiers: list[Found]
    ids: list[str] = Field(description="The same people's ids, empty where somebody has none.")
    next: str


class AskedPeople(Body):
    """Whom a call asks about."""

    ids: list[str]


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


@router.post(
    "/v1/customers",
    operation_id="getPeopleFilter",
    summary="Find people by a filter",
    response_model=FoundPeople,
    responses=errors(413, 415),
    openapi_extra=bodies.schema(FilterBody),
)
async def find_by_filter(
    request: Request,
    db: Db,
    definitions: Definitions,
    inside: Reading,
    now: Now,
    *,
    start: Start = None,
    limit: Size = 50,
) -> Response:
    """Everybody who matches now, the oldest first. The filter is that of broadcasts and, beyond it, whatever a segment may ask."""
    body = await bodies.json_value(request, bodies.MANAGEMENT_LIMIT)
    page = await people_search.by_filter(
        db, definitions, inside.workspace_id, body, start=start, limit=limit, real_now=now
    )
    return json_response(page)


@router.get(
    "/v1/people/search",
    operation_id="searchPeople",
    summary="Find people by the beginning of their address",
    response_model=FoundPeople,
    responses=errors(),
)
async def search_people(
    db: Db,
    inside: Reading,
    email: Annotated[str, Query(min_length=1, max_length=people_search.MOST_CHARACTERS)],
    *,
    start: Start = None,
    limit: Size = 50,
) -> Response:
    """Whose address begins so, case ignored; `@` and a domain find those whose address ends so."""
    page = await people_search.by_email(db, inside.workspace_id, email, start=start, limit=limit)
    return json_response(page)


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


@router.post(
    "/v1/customers/attributes",
    operation_id="getPeopleById",
    summary="The attributes of several people",
    response_model=shapes.PeopleAnswer,
    responses=errors(),
    openapi_extra=bodies.schema(AskedPeople),
)
async def get_attributes_of_many(request: Request, db: Db, inside: Reading, *, id_type: NamedBy = "id") -> Response:
    """Up to a hundred at once; who is not there is left out."""
    body = await bodies.json_value(request, bodies.MANAGEMENT_LIMIT)
    return json_response(await looking.attributes_of_many(db, inside.workspace_id, body, id_type))


@router.get(
    "/v1/customers/{customer}/relationships",
    operation_id="getPersonRelationships",
    summary="What a person belongs to",
    response_model=shapes.RelatedObjects,
    responses=errors(404),
)
async def get_relationships(
    db: Db, inside: Reading, customer: str, *, id_type: NamedBy = "id", start: Start = None, limit: Size = 50
) -> Response:
    """One page of objects, the oldest first, with the attributes of the relationship as text."""
    page = await objects.objects_of(db, inside.workspace_id, customer, id_type, start=start, limit=limit)
    return json_response(page)


@beside_track.delete("/v1/customers/{customer}/devices/{token}", status_code=204, include_in_schema=False)
async def delete_device(
    db: Db, inside: Writing, now: Now, parts: ProcessParts, *, customer: str, token: str, id_type: NamedBy = "id"
) -> Response:
    """Take a push token from a person, in its turn among the facts about them."""
    async with db.connection() as conn:
        person = await looking.named(conn, inside.workspace_id, customer, id_type)
    operation = DeleteDevice(subject=Identifier(kind="cio_id", value=person.cio_id), token=token)
    await parts.acceptor.append(inside.workspace_id, [operation], "API", now)
    return Response(status_code=204)


__all__ = ["beside_track", "router"]
