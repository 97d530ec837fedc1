"""What is known of a definition beside itself: its revisions, and who refers to it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from api.deps import Db, Reading
from api.errors import json_response
from api.management import schemas
from api.management.answers import errors
from api.management.definitions import AS_YAML, YAML, asks_for_yaml
from api.management.parameters import Limit, Start
from api.paths import reference
from services import definition_referents, definition_revisions
from services.documents_io import dump_yaml

router = APIRouter(tags=["Definitions"])

Number = Annotated[int, Path(ge=1, description="The number of the revision.")]


@router.get(
    "/v1/definitions/{kind}/{key}/revisions",
    operation_id="listRevisions",
    summary="History of a definition",
    response_model=schemas.RevisionPage,
    responses=errors(404, 422),
)
async def revisions(
    db: Db, inside: Reading, *, kind: str, key: str, start: Start = None, limit: Limit = 50
) -> Response:
    """Every accepted change, newest first: when, by whom, under which source, and what it changed."""
    page = await definition_revisions.listed(db, inside.workspace_id, kind, reference(key), start=start, limit=limit)
    return json_response(page)


@router.get(
    "/v1/definitions/{kind}/{key}/revisions/{revision}",
    operation_id="getRevision",
    summary="One historic document; PUT it back to restore",
    response_model=schemas.DefinitionRecord,
    responses={**errors(404, 422), 200: AS_YAML | {"description": "The document as it was."}},
)
async def revision(request: Request, db: Db, inside: Reading, *, kind: str, key: str, revision: Number) -> Response:
    """Its secrets are hidden; put back, it keeps those that are stored now."""
    record = await definition_revisions.get(db, inside.workspace_id, kind, reference(key), revision)
    if asks_for_yaml(request):
        return Response(dump_yaml([record["definition"]]), media_type=YAML)
    return json_response(record)


@router.get(
    "/v1/definitions/{kind}/{key}/used_by",
    operation_id="listReferents",
    summary="Who refers to this definition",
    response_model=schemas.Referents,
    responses=errors(404, 422),
)
async def used_by(db: Db, inside: Reading, *, kind: str, key: str) -> Response:
    """What a deletion would be refused for, with the place of each reference; empty when it may be deleted."""
    return json_response(await definition_referents.used_by(db, inside.workspace_id, kind, reference(key)))


__all__ = ["router"]
