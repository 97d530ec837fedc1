"""The data index: attributes and events by name, described, searched, purged (PPL-51, APP-22)."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field, StrictStr, ValidationError

from api import bodies
from api.app_errors import refusal
from api.deps import Db, Now, Reading, Writing
from api.errors import json_response
from api.management.answers import errors
from api.management.parameters import Start
from api.management.schemas import Answer
from domain.errors import DomainError
from services import data_index
from services.data_index import DEFAULT, MOST

router = APIRouter(tags=["Data index"])

MOST_NOTES: Final = 100
LONGEST: Final = 255
FORMAT: Final = "Invalid request format"

Limit = Annotated[int, Query(ge=1, description=f"How many at most; {MOST} is the end.")]
Part = Annotated[str | None, Query(max_length=500, description="A part of the names sought, in any case.")]
AsFile = Annotated[
    Literal["json", "csv", "usage_csv"],
    Query(alias="format", description="Everything as a CSV file: the names, or who uses them."),
]
OR_A_FILE: Final[dict[int | str, dict[str, Any]]] = {200: {"content": {"text/csv": {}}}}
ObjectType = Annotated[int, Path(ge=1, le=2**31 - 1)]
NamePath = Annotated[str, Path(max_length=4096)]


class Source(Answer):
    """Where a name came from."""

    label: str
    name: str | None
    seen: int


class DataName(Answer):
    """A name of the index."""

    name: str
    kind: str
    description: str
    privacy_level: Literal[0, 1]
    types: dict[str, int] = Field(description="How often it was seen with a value of each type.")
    sources: list[Source]
    seen: int
    holders: int | None = Field(None, description="How many hold the attribute; absent for events.")
    first_seen: int | None
    last_seen: int | None
    usage: dict[str, int] = Field(description="How many documents of each kind use it.")


class DataNames(Answer):
    """One page, in the order of names."""

    names: list[DataName]
    next: str
    beyond: int = Field(description="How often names were seen for which there was no room in the index.")


class NameUser(Answer):
    """A document that uses a name."""

    kind: str
    key: str
    id: int
    name: str
    pointer: str
    link: str


class DataNameDetails(DataName):
    """A name with who uses it, and its latest changes as activities."""

    used_in: list[NameUser]
    latest_changes: list[dict[str, Any]]


class DataNameAnswer(Answer):
    """One name."""

    name: DataNameDetails


class PurgeBegun(Answer):
    """The task that does it."""

    task_id: str


class Note(BaseModel):
    """What is said of a name."""

    model_config = ConfigDict(frozen=True)

    name: StrictStr = Field(min_length=1)
    description: StrictStr | None = Field(None, max_length=LONGEST)
    privacy_level: Literal[0, 1] | None = Field(None, description="1 is sensitive.")


def _described(plural: str) -> dict[str, Any]:
    """What the API description says of a body that holds notes."""
    items = {"type": "array", "minItems": 1, "maxItems": MOST_NOTES, "items": Note.model_json_schema()}
    body = {"type": "object", "required": [plural], "properties": {plural: items}}
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": body}}}}


@router.get(
    "/v1/data_index/attributes",
    operation_id="listAttributeNames",
    summary="Attributes of people",
    response_model=DataNames,
    responses=errors() | OR_A_FILE,
)
async def attributes(
    db: Db,
    inside: Reading,
    now: Now,
    *,
    name: Part = None,
    start: Start = None,
    limit: Limit = DEFAULT,
    form: AsFile = "json",
) -> Response:
    """With types, sources, holders and how many documents use each."""
    if form != "json":
        return _file(await data_index.file_of(db, inside.workspace_id, "attributes", form, now), "attributes")
    return json_response(
        await data_index.page(db, inside.workspace_id, ["attribute"], name=name, start=start, limit=limit)
    )


@router.get(
    "/v1/data_index/events",
    operation_id="listEventNames",
    summary="Events, pages and screens",
    response_model=DataNames,
    responses=errors() | OR_A_FILE,
)
async def events(
    db: Db,
    inside: Reading,
    now: Now,
    *,
    kind: Annotated[Literal["event", "page", "screen"] | None, Query(alias="type")] = None,
    name: Part = None,
    start: Start = None,
    limit: Limit = DEFAULT,
    form: AsFile = "json",
) -> Response:
    """With sources and how many documents use each."""
    if form != "json":
        return _file(await data_index.file_of(db, inside.workspace_id, "events", form, now), "events")
    kinds = list(data_index.EVENTS) if kind is None else [kind]
    return json_response(await data_index.page(db, inside.workspace_id, kinds, name=name, start=start, limit=limit))


def _names_of_type(path: str, operation_id: str, summary: str, kind: str) -> None:
    """A route that lists the names of a kind that an object type has its own of."""

    async def listed(
        db: Db,
        inside: Reading,
        object_type_id: ObjectType,
        *,
        name: Part = None,
        start: Start = None,
        limit: Limit = DEFAULT,
    ) -> Response:
        """With types, sources and holders."""
        kinds = [f"{kind}:{object_type_id}"]
        return json_response(await data_index.page(db, inside.workspace_id, kinds, name=name, start=start, limit=limit))

    router.add_api_route(
        path,
        listed,
        methods=["GET"],
        operation_id=operation_id,
        summary=summary,
        response_model=DataNames,
        responses=errors(),
    )


_names_of_type(
    "/v1/data_index/objects/{object_type_id}", "listObjectAttributeNames", "Attributes of objects of a type", "object"
)
_names_of_type(
    "/v1/data_index/relationships/{object_type_id}",
    "listRelationshipAttributeNames",
    "Attributes of relationships to objects of a type",
    "relationship",
)


@router.get(
    "/v1/data_index/attributes/{name}",
    operation_id="getAttributeName",
    summary="One attribute of people",
    response_model=DataNameAnswer,
    responses=errors(404),
)
async def attribute(db: Db, inside: Reading, now: Now, name: NamePath) -> Response:
    """With every use of it and its latest five changes."""
    return json_response(await data_index.one(db, inside.workspace_id, "attribute", name, now))


@router.get(
    "/v1/data_index/events/{name}",
    operation_id="getEventName",
    summary="One event, page or screen",
    response_model=DataNameAnswer,
    responses=errors(404),
)
async def event(
    db: Db,
    inside: Reading,
    now: Now,
    name: NamePath,
    *,
    kind: Annotated[Literal["event", "page", "screen"], Query(alias="type")] = "event",
) -> Response:
    """With every use of it and the latest five of these events."""
    return json_response(await data_index.one(db, inside.workspace_id, kind, name, now))


@router.post(
    "/v1/data_index/attributes",
    operation_id="describeAttributes",
    summary="Say what attributes mean",
    status_code=204,
    responses=errors(422),
    openapi_extra=_described("attributes"),
)
async def describe_attributes(request: Request, db: Db, inside: Writing, now: Now) -> Response:
    """Descriptions, and whether an attribute is sensitive; a name not seen before is entered."""
    return await _describe(request, db, inside.workspace_id, "attribute", now)


@router.post(
    "/v1/data_index/events",
    operation_id="describeEvents",
    summary="Say what events mean",
    status_code=204,
    responses=errors(422),
    openapi_extra=_described("events"),
)
async def describe_events(request: Request, db: Db, inside: Writing, now: Now) -> Response:
    """Descriptions; a name not seen before is entered."""
    return await _describe(request, db, inside.workspace_id, "event", now)


@router.delete(
    "/v1/data_index/attributes/{name}",
    operation_id="purgeAttribute",
    summary="Take an attribute from everybody",
    status_code=202,
    response_model=PurgeBegun,
    responses=errors(404, 409),
)
async def purge(db: Db, inside: Writing, now: Now, name: NamePath) -> Response:
    """Only where nothing uses it (`in_use`, with what does); a task does the rest, and takes it out of the index."""
    return json_response({"task_id": await data_index.remove_attribute(db, inside.workspace_id, name, now)}, 202)


async def _describe(request: Request, db: Db, workspace_id: int, kind: str, now: Now) -> Response:
    """In the vendor's words, also where something is wrong."""
    try:
        body = await bodies.json_value(request, bodies.MANAGEMENT_LIMIT)
    except DomainError as error:
        if error.code != "invalid_json":
            raise
        return refusal(400, FORMAT, "invalid_json")
    notes = _notes_of(body, kind)
    if isinstance(notes, Response):
        return notes
    said = [(note.name, note.description, note.privacy_level if kind == "attribute" else None) for note in notes]
    await data_index.describe(db, workspace_id, kind, said, now)
    return Response(status_code=204)


def _notes_of(body: Any, kind: str) -> list[Note] | Response:
    """What the body says of names, or the refusal of what makes no sense."""
    listed = body.get(f"{kind}s") if isinstance(body, dict) else None
    if not isinstance(listed, list):
        return refusal(400, FORMAT, "invalid_parameter")
    if not listed:
        return refusal(422, f"At least one {kind} is required", "length")
    if len(listed) > MOST_NOTES:
        return refusal(422, f"Can not update more than {MOST_NOTES} {kind}s at once", "length")
    try:
        return [Note.model_validate(item) for item in listed]
    except ValidationError as error:
        if any(detail["type"] == "string_too_long" for detail in error.errors()):
            return refusal(422, f"Description can not be longer than {LONGEST} characters", "length")
        return refusal(400, FORMAT, "invalid_parameter")


def _file(text: str, name: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}.csv"'}
    return Response(text.encode(), 200, headers, "text/csv; charset=utf-8")


__all__ = ["router"]
