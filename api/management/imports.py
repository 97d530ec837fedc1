"""Imports of CSV files (APP-14): begun with a URL or with the file itself, looked at, their errors fetched."""

from __future__ import annotations

from typing import Any, Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse

from api import bodies
from api.deps import Db, Definitions, InWorkspace, Now, ProcessParts, Reading, ReadingSensitive, Writing
from api.errors import json_response
from api.management import files
from api.management.answers import errors
from api.management.parameters import Limit, Start
from api.streams import pieces
from clock import system_now
from domain.errors import DomainError
from domain.imports import FILE_BYTES, ImportRequest
from ingest.parse import parse_json
from services import imports
from services.file_links import FileRef

router = APIRouter(tags=["Imports and exports"])
PREFIX: Final = "/v1/imports"
CSV_TYPES: Final = frozenset({"text/csv", "application/csv"})
CSV: Final = "text/csv; charset=utf-8"
_QUERY: Final = frozenset(ImportRequest.model_fields) - {"data", "data_file_url"} | {"people_to_process"}
_SCHEMA: Final = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["import"],
                    "properties": {"import": files.schema_of(ImportRequest)},
                    "additionalProperties": False,
                }
            },
            "text/csv": {"schema": {"type": "string", "format": "binary"}},
        },
    }
}


@router.post(
    PREFIX,
    operation_id="createImport",
    summary="Import people, events, objects or relationships from a CSV file",
    response_model=files.ImportAnswer,
    responses=errors(400, 409, 413, 415, 422),
    openapi_extra=_SCHEMA,
)
async def create(request: Request, db: Db, definitions: Definitions, inside: Writing, now: Now) -> Response:
    """Poll `GET /v1/imports/{id}`: the work goes on in the background.

    Described in JSON, with the URL of the file or its text in `data`; or the file itself as `text/csv`, up to 100 MB,
    described in the query: `?name=&type=&identifier=`.
    """
    if bodies.media_type(request) in CSV_TYPES:
        return json_response(await _uploaded(request, db, definitions, inside))
    body = await bodies.json_value(request, bodies.MANAGEMENT_LIMIT)
    return json_response(await imports.create(db, definitions, inside.workspace_id, body, now))


async def _uploaded(request: Request, db: Db, definitions: Definitions, inside: InWorkspace) -> dict[str, Any]:
    described: dict[str, Any] = {}
    for name, value in request.query_params.multi_items():
        if name not in _QUERY:
            raise DomainError("invalid_parameter", f"There is no parameter `{name}` here.", f"/{name}")
        described[name] = parse_json(value.encode()) if name == "mapping" else value
    segment = described.get("segment")
    if isinstance(segment, str) and segment.isascii() and segment.isdecimal():
        described["segment"] = int(segment[:10])
    asked = imports.read(described)
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared[:20]) > FILE_BYTES and "content-encoding" not in request.headers:
        raise DomainError("too_large", f"The body is larger than {FILE_BYTES} bytes.")
    body = pieces(request, FILE_BYTES)
    return await imports.upload(db, definitions, inside.workspace_id, asked, body, clock=system_now)


@router.get(
    PREFIX,
    operation_id="listImports",
    summary="Imports of the workspace",
    response_model=files.Imports,
    responses=errors(),
)
async def listed(db: Db, inside: Reading, *, start: Start = None, limit: Limit = 50) -> Response:
    """Newest first."""
    return json_response(await imports.list_page(db, inside.workspace_id, start=start, limit=limit))


@router.get(
    f"{PREFIX}/{{import_id}}",
    operation_id="getImport",
    summary="One import with its counts",
    response_model=files.ImportAnswer,
    responses=errors(404),
)
async def get(db: Db, parts: ProcessParts, inside: Reading, import_id: str, now: Now) -> Response:
    """`error_download_url` is there once a row has brought an error or a warning; it is good for a quarter of an hour."""
    row = await imports.get(db, inside.workspace_id, files.number(import_id, "import"))
    link = parts.file_links.link(FileRef("report", inside.workspace_id, row.import_id), now)
    return json_response(imports.shown(row, link))


@router.get(
    f"{PREFIX}/{{import_id}}/errors",
    operation_id="getImportErrors",
    summary="The rows of an import that brought errors or warnings",
    response_class=Response,
    responses={**errors(404), 200: {"content": {"text/csv": {}}, "description": "The rows with what is wrong."}},
)
async def get_errors(db: Db, inside: ReadingSensitive, import_id: str) -> Response:
    """The rows as they came, with `_row` (the first one after the header is 1), `_errors` and `_warnings`."""
    row = await imports.get(db, inside.workspace_id, files.number(import_id, "import"))
    name = f"import-{row.import_id}-errors.csv"
    return StreamingResponse(imports.report(db, row), media_type=CSV, headers=files.attached(name))


__all__ = ["router"]
