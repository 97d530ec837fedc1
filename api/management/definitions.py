"""Definitions: apply many or none, put one, read, list, delete, validate."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Query, Request, Response

from api.bodies import MANAGEMENT_LIMIT, documents, json_value, one_value
from api.deps import Db, InWorkspace, Member, Now, ProcessParts, Reading
from api.errors import json_response
from api.management import schemas
from api.management.answers import errors, located
from api.management.parameters import Limit, Start
from api.paths import reference
from domain.definitions import KINDS, kind_of
from domain.errors import InvalidInput, Problem
from services import definitions
from services.access import require
from services.documents_io import dump_yaml

router = APIRouter(tags=["Definitions"])

YAML: Final = "application/yaml"
View = Annotated[Literal["full", "compact"], Query(description="`compact` leaves out what is at its default.")]
DryRun = Annotated[bool, Query(description="Answer the same and write nothing.")]
Text = Annotated[str | None, Query(max_length=200)]
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
    """Either every document is applied or none. Order does not matter; lifecycle state is never changed."""
    _refuse_preconditions(request)
    bundle = await _bundle(request)
    listed = bundle.get("definitions") if isinstance(bundle, dict) else None
    _require_write(inside, [kind_of(raw) for raw in listed] if isinstance(listed, list) else [])
    answer = await definitions.apply(db, inside.workspace_id, bundle, dry_run=dry_run, now=now)
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
    responses=errors(404, 422),
)
async def get(
    request: Request, db: Db, inside: Reading, parts: ProcessParts, *, kind: str, key: str, view: View = "full"
) -> Response:
    """The document and its server-side status; the document alone where `Accept` asks for YAML."""
    record = await definitions.get(db, inside.workspace_id, kind, reference(key), view)
    if YAML in request.headers.get("accept", ""):
        return Response(dump_yaml([record["definition"]]), media_type=YAML)
    return json_response(located(record, parts.base_url))


@router.put(
    "/v1/definitions/{kind}/{key}",
    operation_id="putDefinition",
    summary="Create or replace one definition",
    response_model=schemas.PutResult,
    responses={**errors(404, 409, 413, 422), 201: {"model": schemas.PutResult, "description": "Created."}},
    openapi_extra=_ONE,
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
    """The body is the whole document; `kind` and `key` may be left out and must match the path if given."""
    _refuse_preconditions(request)
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
        now=now,
    )
    parts.notifier.send("tasks")
    return json_response(located(answer, parts.base_url), 201 if made else 200)


@router.delete(
    "/v1/definitions/{kind}/{key}",
    operation_id="deleteDefinition",
    summary="Delete one definition",
    status_code=204,
    responses=errors(404, 409, 422),
)
async def delete(request: Request, db: Db, inside: Member, *, now: Now, kind: str, key: str) -> Response:
    """Refused with `in_use` while something refers to it. Deleting a campaign ends its journeys first."""
    _refuse_preconditions(request)
    _require_write(inside, [KINDS.get(kind)])
    await definitions.delete(db, inside.workspace_id, kind, reference(key), now=now)
    return Response(status_code=204)


async def _bundle(request: Request) -> Any:
    """A bundle, in JSON as it is, in YAML as a stream of documents or as one bundle."""
    found = await documents(request)
    if found is None:
        return await json_value(request, MANAGEMENT_LIMIT)
    if len(found) == 1 and isinstance(found[0], dict) and "definitions" in found[0] and "kind" not in found[0]:
        return found[0]
    return {"definitions": found}


def _require_write(inside: InWorkspace, kinds: list[Any]) -> None:
    """Refuse a key that may not write these kinds: what configures the workspace takes a scope of its own."""
    configures = [kind is not None and kind.configures for kind in kinds]
    scopes = (["configure"] if any(configures) else []) + (["write"] if not all(configures) or not kinds else [])
    require(inside.caller, scopes)


def _refuse_preconditions(request: Request) -> None:
    """A caller that asks not to overwrite must not be overwritten by a version that cannot tell."""
    for name in ("If-Match", "If-None-Match"):
        if name in request.headers:
            message = f"This version does not know {name}; leave it out, and the last write wins."
            raise InvalidInput([Problem(code="not_applicable", message=message)])


__all__ = ["router"]
