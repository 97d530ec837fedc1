"""Object types, objects, and who belongs to them (APP-20)."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from api import bodies
from api.deps import Db, Reading
from api.errors import json_response
from api.management.answers import errors
from api.management.parameters import Size, Start
from api.management.schemas import Answer, Body
from api.management.shapes import ObjectIdentifiers
from services import object_types
from services.looking import objects as looking
from services.looking.objects import ObjectIdType

router = APIRouter(tags=["Objects"])

NamedBy = Annotated[ObjectIdType, Query(description="What kind of name the object is given by.")]


class ObjectType(Answer):
    """A kind of objects; one that is not enabled takes data and nothing else."""

    id: str
    name: str
    singular_name: str
    slug: str
    singular_slug: str
    icon: str = Field(description="Always empty; known to the vendor's clients.")
    enabled: bool


class ObjectTypes(Answer):
    """Every object type, by number."""

    types: list[ObjectType]


class SearchBody(Body):
    """Which objects are wanted."""

    object_type_id: str
    filter: dict[str, Any] = Field(
        description="`and`, `or`, `not` over `object_attribute` with `field`, `operator` eq or exists, `type_id`, `value`."
    )


class FoundObjects(Answer):
    """One page; it may be short although more follow, as `next` says."""

    identifiers: list[ObjectIdentifiers]
    ids: list[str]
    next: str


class OneObject(Answer):
    """An object; every attribute value is text."""

    identifiers: ObjectIdentifiers
    object_type_id: str
    attributes: dict[str, str]
    timestamps: dict[str, int]


class ObjectAnswer(Answer):
    """One object."""

    object: OneObject


class PersonIdentifiers(Answer):
    """The names of a person."""

    cio_id: str
    id: str | None
    email: str | None


class RelatedPerson(Answer):
    """Somebody who belongs to an object."""

    identifiers: PersonIdentifiers
    object_type_id: str
    object_type_disabled: bool


class RelatedPeople(Answer):
    """One page."""

    cio_relationships: list[RelatedPerson]
    next: str


@router.get(
    "/v1/object_types",
    operation_id="getObjectTypes",
    summary="List object types",
    response_model=ObjectTypes,
    responses=errors(),
)
async def types(db: Db, inside: Reading) -> Response:
    """All of them, by number; they are written as definitions of the kind `object_type`."""
    return json_response(await object_types.list_all(db, inside.workspace_id))


@router.post(
    "/v1/objects",
    operation_id="getObjectsFilter",
    summary="Find objects of a type",
    response_model=FoundObjects,
    responses=errors(404),
    openapi_extra=bodies.schema(SearchBody),
)
async def search(request: Request, db: Db, inside: Reading, *, start: Start = None, limit: Size = 50) -> Response:
    """By conditions on their attributes, in the order of their ids. A page may be short although more follow."""
    body = await bodies.json_value(request, bodies.MANAGEMENT_LIMIT)
    return json_response(await looking.search(db, inside.workspace_id, body, start=start, limit=limit))


@router.get(
    "/v1/objects/{object_type}/{object_id}/attributes",
    operation_id="getObjectAttributes",
    summary="An object's attributes",
    response_model=ObjectAnswer,
    responses=errors(404),
)
async def attributes(
    db: Db, inside: Reading, object_type: str, object_id: str, *, id_type: NamedBy = "object_id"
) -> Response:
    """Every value as text."""
    return json_response(await looking.attributes(db, inside.workspace_id, object_type, object_id, id_type))


@router.get(
    "/v1/objects/{object_type}/{object_id}/relationships",
    operation_id="getObjectRelationships",
    summary="The people who belong to an object",
    response_model=RelatedPeople,
    responses=errors(404),
)
async def relationships(
    db: Db,
    inside: Reading,
    object_type: str,
    object_id: str,
    *,
    id_type: NamedBy = "object_id",
    start: Start = None,
    limit: Size = 50,
) -> Response:
    """One page, whoever was added to the workspace first coming first."""
    page = await looking.people_of(db, inside.workspace_id, object_type, object_id, id_type, start=start, limit=limit)
    return json_response(page)


__all__ = ["router"]
