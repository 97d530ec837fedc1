"""Definitions: apply many or none, put one, read, list, export, delete, validate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse

from api.bodies import MANAGEMENT_LIMIT, documents, json_value, one_value
from api.deps import Db, InWorkspace, Member, Now, ProcessParts, Reading
from api.errors import json_response
from api.management import schemas
from api.management.answers import errors, located
from api.management.parameters import Limit, Start
from api.paths import reference
from domain.definitions import KINDS, kind_of
from domain.definitions.order import in_order
from domain.errors import InvalidInput, Problem
from domain.preconditions import Preconditions, etag, read_tags
from services import definition_exports, definitions
from services.access import require
from services.documents_io import dump_yaml

router = APIRouter(tags=["Definitions"])

YAML: Final = "application/yaml"
View = Annotated[Literal["full", "compact"], Query(description="`compact` leaves out what is at its default.")]
DryRun = Annotated[bool, Query(description="Answer the same and write nothing.")]
Text = Annotated[str | None, Query(max_length=200)]
_WRITES: Final = "Refuse with 412 unless the definition is at this revision, given in quotes; `*` is whatever revision."
_TAG: Final = {"ETag": {"description": "The revision, in quotes.", "schema": {"type": "string", "example": '"7"'}}}
_MATCH: Final[list[dict[str, Any]]] = [
    {"name": "If-Match", "in": "header", "description": _WRITES, "schema": {"type": "string"}}
]
_NONE_MATCH: Final[dict[str, Any]] = {
    "name": "If-None-Match",
    "in": "header",
    "description": "`*` refuses with 412 where there is such a definition already.",
    "schema": {"type": "string"},
}
AS_YAML: Final[dict[str, Any]] = {"content": {YAML: {"schema": {"type": "string"}}}}
_ONE: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": {"type": "object"}}, YAML: {"schema": {"type": "string"}}},
    }
}
_MANY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": schemas.BundleBody.model_json_schema()},
            YAML: {"schema": {"type": "string", "description": "A YAML 1.2 stream of documents."}},
        },
    }
}


@router.get(
    "/v1/definitions",
    operation_id="exportDefinitions",
    summary="Export definitions as one bundle",
    response_model=schemas.BundleBody,
    responses={**errors(422), 200: AS_YAML | {"description": "A bundle that can be applied unchanged."}},
)
async def export(
    request: Request,
    db: Db,
    inside: Reading,
    *,
    kind: Annotated[list[str] | None, Query(description="Repeat to export several kinds. Default all.")] = None,
    source: Annotated[
        str | None, Query(max_length=200, description="Only documents last applied under this source.")
    ] = None,
    view: View = "full",
) -> Response:
    """By kind and key, secrets hidden; a stream of YAML documents where `Accept` asks for YAML."""
    rows = await definition_exports.chosen(db, inside.workspace_id, kind or (), source)
    if asks_for_yaml(request):
        return StreamingResponse(definition_exports.stream(db, rows, view), media_type=YAML)
    return StreamingResponse(definition_exports.bundle(db, rows, source, view), media_type="application/json")


@router.put(
    "/v1/definitions",
    operation_id="applyDefinitions",
    summary="Create or update many definitions in one transaction",
    response_model=schemas.ApplyResult,
    responses=errors(409, 413, 422),
    openapi_extra=_MANY,
)
async def apply(
    request: Request, db: Db, inside: Member, now: Now, *, parts: ProcessParts, dry_run: DryRun = False
) -> Response:
    """Either every document is applied or none. Order does not matter; lifecycle state is never changed.

    With `prune`, what was applied last under the same `source` and is missing is deleted, or the whole is refused.
    """
    _refuse_preconditions(request)
    bundle = await _bundle(request)
    listed = bundle.get("definitions") if isinstance(bundle, dict) else None
    _require_write(inside, [kind_of(raw) for raw in listed] if isinstance(listed, list) else [])

    def permit(kinds: Sequence[Any]) -> None:
        if kinds:
            _require_write(inside, kinds)

    answer = await definitions.apply(db, inside.workspace_id, bundle, dry_run=dry_run, permit=permit, now=now)
    parts.notifier.send("tasks")
    return json_response(answer)


@router.post(
    "/v1/definitions/validate",
    operation_id="validateDefinitions",
    summary="Report every problem of a document or a bundle",
    response_model=schemas.ValidationReport,
    responses=errors(413),
    openapi_extra=_MANY,
)
async def validate(request: Request, db: Db, inside: Reading, now: Now) -> Response:
    """Always 200. Problems of stage `start` do not prevent saving a draft but prevent starting."""
    found = await documents(request)
    if found is None:
        body = await json_value(request, MANAGEMENT_LIMIT)
    else:
        body = found[0] if len(found) == 1 else {"definitions": found}
    return json_response(await definitions.validate(db, inside.workspace_id, body, now=now))


@router.get(
    "/v1/definitions/{kind}",
    operation_id="listDefinitions",
    summary="List definitions of a kind",
    response_model=schemas.DefinitionPage,
    responses=errors(422),
)
async def list_page(
    db: Db,
    inside: Reading,
    kind: str,
    *,
    parts: ProcessParts,
    search: Annotated[str | None, Query(max_length=200, description="Part of key, name, description or text.")] = None,
    tag: Text = None,
    state: Text = None,
    trigger: Annotated[str | None, Query(max_length=200, description="Campaigns only.")] = None,
    object_type: Annotated[
        str | None, Query(max_length=200, description="Key or id of one that is referred to.")
    ] = None,
    view: View = "full",
    start: Start = None,
    limit: Limit = 50,
) -> Response:
    """One page, newest first."""
    page = await definitions.list_page(
        db,
        inside.workspace_id,
        kind,
        start=start,
        limit=limit,
        search=search,
        state=state,
        tag=tag,
        trigger=trigger,
        object_type=None if object_type is None else reference(object_type),
        view=view,
    )
    return json_response(located(page, parts.base_url))


@router.get(
    "/v1/definitions/{kind}/{key}",
    operation_id="getDefinition",
    summary="Read one definition",
    response_model=schemas.DefinitionRecord,
    responses={
        **errors(404, 422),
        200: AS_YAML | {"description": "The document and its server-side status.", "headers": _TAG},
    },
)
async def get(
    request: Request, db: Db, inside: Reading, parts: ProcessParts, *, kind: str, key: str, view: View = "full"
) -> Response:
    """The document and its server-side status; the document alone where `Accept` asks for YAML."""
    record = await definitions.get(db, inside.workspace_id, kind, reference(key), view)
    tag = _tagged(record["status"])
    if asks_for_yaml(request):
        return Response(dump_yaml([in_order(record["definition"])]), media_type=YAML, headers=tag)
    return json_response(located(record, parts.base_url), headers=tag)


@router.put(
    "/v1/definitions/{kind}/{key}",
    operation_id="putDefinition",
    summary="Create or replace one definition",
    response_model=schemas.PutResult,
    responses={
        **errors(404, 409, 412, 413, 422),
        200: {"description": "Replaced, or unchanged.", "headers": _TAG},
        201: {"model": schemas.PutResult, "description": "Created.", "headers": _TAG},
    },
    openapi_extra={**_ONE, "parameters": [*_MATCH, _NONE_MATCH]},
)
async def put(
    request: Request,
    db: Db,
    inside: Member,
    *,
    now: Now,
    parts: ProcessParts,
    kind: str,
    key: str,
    dry_run: DryRun = False,
    removed_waits: Annotated[
        Literal["continue", "exit"], Query(description="What happens to people in a wait that this removes.")
    ] = "continue",
) -> Response:
    """The body is the whole document; `kind` and `key` may be left out and must match the path if given.

    Without `If-Match` and `If-None-Match` the last write wins.
    """
    demanded = _preconditions(request)
    _require_write(inside, [KINDS.get(kind)])
    raw = await one_value(request)
    answer, made = await definitions.put_one(
        db,
        inside.workspace_id,
        kind,
        reference(key),
        raw,
        dry_run=dry_run,
        removed_waits=removed_waits,
        preconditions=demanded,
        now=now,
    )
    parts.notifier.send("tasks")
    return json_response(located(answer, parts.base_url), 201 if made else 200, _tagged(answer["status"]))


@router.delete(
    "/v1/definitions/{kind}/{key}",
    operation_id="deleteDefinition",
    summary="Delete one definition",
    status_code=204,
    responses=errors(404, 409, 412, 422),
    openapi_extra={"parameters": _MATCH},
)
async def delete(request: Request, db: Db, inside: Member, *, now: Now, kind: str, key: str) -> Response:
    """Refused with `in_use` while something refers to it. Deleting a campaign ends its journeys first."""
    demanded = _preconditions(request)
    _require_write(inside, [KINDS.get(kind)])
    await definitions.delete(db, inside.workspace_id, kind, reference(key), preconditions=demanded, now=now)
    return Response(status_code=204)


async def _bundle(request: Request) -> Any:
    """A bundle, in JSON as it is, in YAML as a stream of documents or as one bundle."""
    found = await documents(request)
    if found is None:
        return await json_value(request, MANAGEMENT_LIMIT)
    if len(found) == 1 and isinstance(found[0], dict) and "definitions" in found[0] and "kind" not in found[0]:
        return found[0]
    return {"definitions": found}


def _require_write(inside: InWorkspace, kinds: Sequence[Any]) -> None:
    """Refuse a key that may not write these kinds: what configures the workspace takes a scope of its own."""
    configures = [kind is not None and kind.configures for kind in kinds]
    scopes = (["configure"] if any(configures) else []) + (["write"] if not all(configures) or not kinds else [])
    require(inside.caller, scopes)


def asks_for_yaml(request: Request) -> bool:
    """Whether the caller would rather have YAML than JSON."""
    return YAML in request.headers.get("accept", "")


def _tagged(status: dict[str, Any]) -> dict[str, str]:
    """The header that names the revision, none for what is not there."""
    return {"ETag": etag(status["revision"])} if status["revision"] else {}


def _preconditions(request: Request) -> Preconditions:
    """What the caller makes a change depend on; raises DomainError `invalid_parameter` for what cannot be read."""
    match, none_match = (
        ",".join(request.headers.getlist(name)) if name in request.headers else None
        for name in ("If-Match", "If-None-Match")
    )
    return Preconditions(read_tags("If-Match", match), read_tags("If-None-Match", none_match))


def _refuse_preconditions(request: Request) -> None:
    """A header that names one revision means nothing for many documents, and must not be passed over."""
    for name in ("If-Match", "If-None-Match"):
        if name in request.headers:
            message = f"{name} is for one definition: PUT /v1/definitions/{{kind}}/{{key}} takes it, a bundle does not."
            raise InvalidInput([Problem(code="not_applicable", message=message)])


__all__ = ["AS_YAML", "YAML", "asks_for_yaml", "router"]
