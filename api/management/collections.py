"""Collections: lists of rows that journeys look things up in (APP-15, PPL-27)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final

from fastapi import APIRouter, Request, Response
from pydantic import Field

from api import bodies
from api.deps import Db, Now, Reading, Writing
from api.errors import json_response
from api.management.answers import errors
from api.management.schemas import Answer, Body
from domain.errors import NotFound
from services import collections

router = APIRouter(tags=["Collections"])

PREFIXES: Final = ("/v1/collections", "/v1/api/collections")
"""Where collections are found: as the API description has it, and as pages of the vendor print it."""
_ROWS: Final = {"type": "array", "items": {"type": "object"}}


class Collection(Answer):
    """A collection without its rows, its key added; `schema` lists every key that a row has."""

    id: int
    key: str
    name: str
    schema_: list[str] = Field(alias="schema")
    rows: int
    bytes: int
    created_at: int
    updated_at: int


class CollectionAnswer(Answer):
    """One collection."""

    collection: Collection


class Collections(Answer):
    """Every collection, oldest first."""

    collections: list[Collection]


class NewCollection(Body):
    """A name, and the rows or where they are fetched from."""

    name: str
    data: list[dict[str, Any]] | None = None
    url: str | None = None


class ChangedCollection(Body):
    """What is to change: what is left out stays."""

    name: str | None = None
    data: list[dict[str, Any]] | None = None
    url: str | None = None


async def listed(db: Db, inside: Reading) -> Response:
    """All of them, oldest first, without rows."""
    return json_response(await collections.list_all(db, inside.workspace_id))


async def create(request: Request, db: Db, inside: Writing, *, now: Now) -> Response:
    """Rows are given as `data`, or fetched from `url`: JSON, lines of JSON, or CSV. The key is derived from the name."""
    body = await bodies.json_value(request, collections.LARGEST_FILE)
    return json_response(await collections.create(db, inside.workspace_id, body, now))


async def get(db: Db, inside: Reading, collection: str) -> Response:
    """Without its rows."""
    return json_response(await collections.one(db, inside.workspace_id, _number(collection)))


async def update(request: Request, db: Db, inside: Writing, *, now: Now, collection: str) -> Response:
    """Rename it or replace all its rows; a url is fetched again even where it is the same."""
    number = _number(collection)
    body = await bodies.json_value(request, collections.LARGEST_FILE)
    return json_response(await collections.update(db, inside.workspace_id, number, body, now))


async def delete(db: Db, inside: Writing, *, now: Now, collection: str) -> Response:
    """Whatever still names it finds nothing from then on."""
    await collections.delete(db, inside.workspace_id, _number(collection), now)
    return Response(status_code=204)


async def content(db: Db, inside: Reading, collection: str) -> Response:
    """The rows as they are stored, a list of objects."""
    text = await collections.content(db, inside.workspace_id, _number(collection))
    return Response(text, media_type="application/json")


async def replace(request: Request, db: Db, inside: Writing, *, now: Now, collection: str) -> Response:
    """Replace all rows by those of the body: a JSON list, `{"data": [...]}`, lines of JSON, or CSV with a header."""
    number = _number(collection)
    body = await bodies.read_body(request, collections.LARGEST_FILE)
    media = bodies.media_type(request)
    return json_response(await collections.replace(db, inside.workspace_id, number, body, media, real_now=now))


def _number(text: str) -> int:
    """The id in a path; raises NotFound."""
    if not (text.isascii() and text.isdecimal() and len(text) <= 10):
        raise NotFound("collection", text)
    return int(text)


def _add(
    path: str,
    method: str,
    endpoint: Callable[..., Awaitable[Response]],
    name: str,
    *,
    summary: str,
    model: type[Answer] | None = None,
    statuses: tuple[int, ...] = (404,),
    extra: dict[str, Any] | None = None,
) -> None:
    for prefix in PREFIXES:
        shown = prefix == PREFIXES[0]
        router.add_api_route(
            f"{prefix}{path}",
            endpoint,
            methods=[method],
            operation_id=name if shown else f"{name}Alias",
            summary=summary,
            status_code=204 if method == "DELETE" else 200,
            response_model=model,
            responses=errors(*statuses),
            include_in_schema=shown,
            openapi_extra=extra,
        )


_CONTENT: Final = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": _ROWS}, "text/csv": {"schema": {"type": "string"}}},
    }
}
_add("", "GET", listed, "getCollections", summary="List collections", model=Collections, statuses=())
_add(
    "",
    "POST",
    create,
    "addCollection",
    summary="Create a collection",
    model=CollectionAnswer,
    statuses=(413,),
    extra=bodies.schema(NewCollection),
)
_add("/{collection}", "GET", get, "getCollection", summary="Read one collection", model=CollectionAnswer)
_add(
    "/{collection}",
    "PUT",
    update,
    "updateCollection",
    summary="Rename a collection or replace its rows",
    model=CollectionAnswer,
    statuses=(404, 413),
    extra=bodies.schema(ChangedCollection),
)
_add("/{collection}", "DELETE", delete, "deleteCollection", summary="Delete a collection")
_add("/{collection}/content", "GET", content, "getCollectionContents", summary="The rows of a collection")
_add(
    "/{collection}/content",
    "PUT",
    replace,
    "updateCollectionContents",
    summary="Replace the rows of a collection",
    model=CollectionAnswer,
    statuses=(404, 413),
    extra=_CONTENT,
)

__all__ = ["router"]
