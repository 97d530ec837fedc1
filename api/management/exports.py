"""Exports (APP-13): begun, polled, fetched by a signed link."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse

from api import bodies
from api.deps import Db, Definitions, Now, ProcessParts, Reading, ReadingSensitive
from api.errors import json_response
from api.management import files
from api.management.answers import errors
from api.management.imports import CSV
from domain.exports import REQUESTS, ExportRequest
from services import exports, imports
from services.file_links import FileRef

router = APIRouter(tags=["Imports and exports"])
PREFIX: Final = "/v1/exports"
ZIP: Final = "application/zip"


@router.get(
    PREFIX,
    operation_id="listExports",
    summary="Exports of the workspace",
    response_model=files.Exports,
    responses=errors(),
)
async def listed(db: Db, inside: Reading) -> Response:
    """Newest first; `null` where there is none."""
    return json_response(await exports.listed(db, inside.workspace_id))


@router.get(
    f"{PREFIX}/files/{{token}}",
    operation_id="getExportedFile",
    summary="A file behind a link",
    response_class=Response,
    responses={404: errors(404)[404], 200: {"content": {"text/csv": {}, ZIP: {}}, "description": "The file."}},
)
async def get_file(db: Db, parts: ProcessParts, token: str, now: Now) -> Response:
    """The link is its own key; it is good for a quarter of an hour."""
    ref = parts.file_links.read(token, now)
    if ref.kind == "report":
        row = await imports.get(db, ref.workspace_id, ref.number)
        headers = files.attached(f"import-{row.import_id}-errors.csv")
        return StreamingResponse(imports.report(db, row), media_type=CSV, headers=headers)
    export = await exports.downloadable(db, ref.workspace_id, ref.number)
    await exports.count_download(db, export)
    kind = ZIP if exports.is_archive(export) else CSV
    headers = files.attached(exports.file_name(export))
    return StreamingResponse(exports.content(db, export), media_type=kind, headers=headers)


@router.get(
    f"{PREFIX}/{{export_id}}",
    operation_id="getExport",
    summary="One export",
    response_model=files.ExportAnswer,
    responses=errors(404),
)
async def get(db: Db, inside: Reading, export_id: str) -> Response:
    """`status` is `pending` until the file is there."""
    row = await exports.get(db, inside.workspace_id, files.number(export_id, "export"))
    return json_response(exports.shown(row))


@router.get(
    f"{PREFIX}/{{export_id}}/download",
    operation_id="downloadExport",
    summary="A link to the file of an export",
    response_model=files.Link,
    responses=errors(400, 404),
)
async def download(db: Db, parts: ProcessParts, inside: ReadingSensitive, export_id: str, now: Now) -> Response:
    """Good for a quarter of an hour, without a key."""
    row = await exports.downloadable(db, inside.workspace_id, files.number(export_id, "export"))
    return json_response({"link": parts.file_links.link(FileRef("export", inside.workspace_id, row.export_id), now)})


def _begins(kind: str) -> Callable[..., Awaitable[Response]]:
    async def begin(request: Request, db: Db, definitions: Definitions, inside: ReadingSensitive, now: Now) -> Response:
        body = await bodies.optional(request)
        return json_response(await exports.create(db, definitions, inside.workspace_id, kind, body, real_now=now))

    return begin


def _add(kind: str, asked: type[ExportRequest]) -> None:
    """The route by which exports of one type are begun."""
    router.add_api_route(
        f"{PREFIX}/{kind}",
        _begins(kind),
        methods=["POST"],
        operation_id=f"create{kind.title().replace('_', '')}Export",
        summary=f"Export: {kind.replace('_', ' ')}",
        description=f"{(asked.__doc__ or '').strip()} Poll `GET /v1/exports/{{id}}`, then ask for the link.",
        response_model=files.ExportAnswer,
        responses=errors(400, 404, 413),
        openapi_extra=bodies.schema(asked),
    )


for _kind, _asked in REQUESTS.items():
    _add(_kind, _asked)

__all__ = ["router"]
