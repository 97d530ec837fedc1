"""Imports of CSV files: begun with a URL, with the file itself or with an upload, and looked at (PPL-45, APP-14)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from domain.csv_files import written
from domain.errors import DomainError, InvalidInput, NotFound, Problem
from domain.imports import FILE_BYTES, ImportRequest
from domain.problems import from_validation_error
from domain.values import to_unix
from ingest.catalog import Catalog, Catalogs
from services import segments, tasks
from services.fetching import check_url
from store import import_rows, workspaces
from store import imports as store
from store.database import Connection, Database
from store.imports import PIECE_BYTES, ImportRecord
from store.workspaces import WorkspaceRow

ERROR_PAGE = 1000
CUT_OFF = "The upload was cut off."
LARGEST_ID = 2**31 - 1


async def create(db: Database, catalogs: Catalogs, workspace_id: int, body: Any, real_now: datetime) -> dict[str, Any]:
    """Begin an import that is described in JSON; raises InvalidInput."""
    request = read(_inner(body), base="/import")
    if (request.data_file_url is None) == (request.data is None):
        code, said = ("required", "Give the URL of a file") if request.data is None else ("type", "Give either a URL")
        raise _wrong(code, "/import/data_file_url", f"{said}, or the file itself in `data`.")
    if request.data_file_url is not None:
        check_url(request.data_file_url)
    data = (request.data or "").encode()
    if len(data) > FILE_BYTES:
        raise _wrong("length", "/import/data", f"A file has at most {FILE_BYTES} bytes.")
    async with db.transaction() as conn:
        catalog = await catalogs.get(conn, workspace_id)
        row = await _insert(conn, catalog, request, catalog.now(real_now), base="/import")
        for position in range(0, len(data), PIECE_BYTES):
            piece = data[position : position + PIECE_BYTES]
            await store.add_piece(conn, workspace_id, row.import_id, position // PIECE_BYTES, piece)
        state = "preprocessed" if request.data is not None else "preprocessing"
        await _begin(conn, catalog.workspace, row, row.updated_at, state)
    return shown(row)


async def upload(
    db: Database,
    catalogs: Catalogs,
    workspace_id: int,
    request: ImportRequest,
    pieces: AsyncIterator[bytes],
    *,
    clock: Callable[[], datetime],
) -> dict[str, Any]:
    """Take in a file that is sent piece by piece, then begin its import; one that breaks off fails and leaves nothing."""
    async with db.transaction() as conn:
        catalog = await catalogs.get(conn, workspace_id)
        row = await _insert(conn, catalog, request, catalog.now(clock()), base="")
    try:
        await _keep(db, row, pieces)
        current = await get(db, workspace_id, row.import_id)
        if current.state != "preprocessing":
            raise DomainError("invalid_state", CUT_OFF)
    except BaseException:
        await asyncio.shield(_give_up(db, row))
        raise
    async with db.transaction() as conn:
        workspace = await workspaces.get(conn, workspace_id)
        if workspace is None:
            raise NotFound("workspace", workspace_id)
        await _begin(conn, workspace, row, workspace.now(clock()), "preprocessed")
    return shown(row)


async def whole_pieces(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The same bytes in pieces as they are stored."""
    held = bytearray()
    async for piece in pieces:
        held += piece
        while len(held) >= PIECE_BYTES:
            yield bytes(held[:PIECE_BYTES])
            del held[:PIECE_BYTES]
    if held:
        yield bytes(held)


async def get(db: Database, workspace_id: int, import_id: int) -> ImportRecord:
    """One import; raises NotFound."""
    async with db.connection() as conn:
        row = await store.get(conn, workspace_id, import_id) if 0 < import_id <= LARGEST_ID else None
    if row is None:
        raise NotFound("import", import_id)
    return row


async def list_page(db: Database, workspace_id: int, *, start: str | None, limit: int) -> dict[str, Any]:
    """One page of imports, newest first; `next` is empty after the last page."""
    if start and not (start.isascii() and start.isdecimal() and int(start[:11]) <= LARGEST_ID):
        raise DomainError("invalid_parameter", "`start` is the `next` of the page before.", "/start")
    async with db.connection() as conn:
        rows = await store.page(conn, workspace_id, before=int(start) if start else None, limit=limit + 1)
    kept = rows[:limit]
    return {
        "imports": [shown(row)["import"] for row in kept],
        "next": str(kept[-1].import_id) if len(rows) > limit else "",
    }


def shown(row: ImportRecord, error_url: str | None = None) -> dict[str, Any]:
    """An import in the vendor's shape with ours added."""
    counts = row.counted
    created, updated = counts.get("created", 0), counts.get("updated", 0)
    answer: dict[str, Any] = {
        "id": row.import_id,
        "name": row.name,
        "description": row.description,
        "type": row.type,
        "identifier": row.identifier,
        "data_to_process": row.data_to_process,
        "people_to_process": row.data_to_process,
        "rows_to_import": row.rows_to_import,
        "rows_imported": created + updated,
        "rows_created": created,
        "rows_updated": updated,
        "rows_ignored": counts.get("ignored", 0),
        "rows_failed": counts.get("failed", 0),
        "rows_warned": counts.get("warned", 0),
        "state": row.state,
        "error": row.error,
        "created_at": to_unix(row.created_at),
        "updated_at": to_unix(row.updated_at),
        "task_id": row.task_id or None,
    }
    if row.object_type_id is not None:
        answer["object_type_id"] = str(row.object_type_id)
    if row.settings.get("segment") is not None:
        answer["segment_id"] = row.settings["segment"]
    if error_url is not None and has_report(row):
        answer["error_download_url"] = error_url
    return {"import": answer}


def has_report(row: ImportRecord) -> bool:
    """Whether some row brought an error or a warning."""
    return bool(row.counted.get("failed") or row.counted.get("warned"))


async def report(db: Database, row: ImportRecord) -> AsyncIterator[bytes]:
    """The rows with errors or warnings as a CSV file: as they came, with their number, errors and warnings."""
    header = row.header or []
    yield written([*header, "_row", "_errors", "_warnings"]).encode()
    last = 0
    while True:
        async with db.connection() as conn:
            rows = await import_rows.marked(conn, row.workspace_id, row.import_id, last, ERROR_PAGE)
        if not rows:
            return
        yield "".join(_line(header, found) for found in rows).encode()
        last = int(str(rows[-1]["row_no"]))


def _line(header: list[str], found: Mapping[str, Any]) -> str:
    cells = [*found["cells"], *[""] * (len(header) - len(found["cells"]))]
    # Cells beyond the header would push the notes into columns that are not theirs.
    cells[len(header) - 1 :] = [",".join(cells[len(header) - 1 :])]
    notes = ["; ".join(found["errors"] or ()), "; ".join(found["warnings"] or ())]
    return written([*cells, str(found["row_no"]), *notes])


def read(raw: Any, *, base: str = "") -> ImportRequest:
    """What is asked for; raises InvalidInput with everything wrong."""
    try:
        return ImportRequest.model_validate(raw)
    except ValidationError as error:
        raise InvalidInput(from_validation_error(error, raw, base)) from None


def _inner(body: Any) -> Any:
    if not isinstance(body, dict) or "import" not in body:
        raise _wrong("required", "/import", "Describe the import in `import`.")
    if len(body) > 1:
        strange = next(name for name in body if name != "import")
        raise _wrong("unknown_field", f"/{strange}", "There is no such field here.")
    return body["import"]


async def _insert(
    conn: Connection, catalog: Catalog, request: ImportRequest, now: datetime, *, base: str
) -> ImportRecord:
    _check_identifier(catalog, request, base)
    settings = request.settings | {"segment": _segment(catalog, request, base), "new_segment": request.new_segment}
    row = ImportRecord(
        workspace_id=catalog.workspace_id,
        import_id=await workspaces.next_id(conn, catalog.workspace_id, "import"),
        task_id="",
        name=request.name,
        description=request.description,
        type=request.type,
        identifier=request.identifier,
        object_type_id=request.object_type_id,
        data_to_process=request.data_to_process,
        settings=settings,
        url=request.data_file_url,
        state="preprocessing",
        created_at=now,
        updated_at=now,
    )
    await store.insert(conn, row)
    return row


def _check_identifier(catalog: Catalog, request: ImportRequest, base: str) -> None:
    """Where addresses name nobody, they find people at most (PPL-46)."""
    if catalog.settings.identifiers != "id_only" or request.identifier != "email":
        return
    if request.type != "people":
        raise _wrong("not_applicable", f"{base}/identifier", "In this workspace an email names nobody.")
    if request.data_to_process != "only_existing":
        message = "In this workspace an email names nobody new: import `only_existing`, or by `id`."
        raise _wrong("not_applicable", f"{base}/data_to_process", message)


def _segment(catalog: Catalog, request: ImportRequest, base: str) -> int | None:
    ref = request.segment
    if ref is None:
        return None
    compiled = catalog.compiled
    number = compiled.segment_ids.get(ref) if isinstance(ref, str) else ref
    if number in compiled.manual_segments:
        return number
    if number in compiled.segments:
        message = "Only into a manual segment can people be put."
        raise _wrong("segment_not_manual", f"{base}/segment", message)
    archived = compiled.archived_segment(ref)
    message = f"There is no segment {ref!r}." if archived is None else f"The segment {ref!r} is archived."
    raise _wrong("unknown_reference", f"{base}/segment", message)


async def _begin(conn: Connection, workspace: WorkspaceRow, row: ImportRecord, now: datetime, state: str) -> None:
    """Have the work done from now on; the segment that is asked for is made, so that an upload cut off leaves none."""
    name = row.settings.get("new_segment")
    if name is not None:
        made = await segments.make_manual(conn, workspace, name, None, now)
        row.settings["segment"] = made.definition_id
    row.task_id = await tasks.create(conn, row.workspace_id, "import", {"import_id": row.import_id}, now=now)
    row.state, row.updated_at = state, now
    await store.save(conn, row)


async def _keep(db: Database, row: ImportRecord, pieces: AsyncIterator[bytes]) -> None:
    position = 0
    async for piece in whole_pieces(pieces):
        async with db.transaction() as conn:
            await store.add_piece(conn, row.workspace_id, row.import_id, position, piece)
        position += 1


async def _give_up(db: Database, row: ImportRecord) -> None:
    async with db.transaction() as conn:
        await store.drop_pieces(conn, row.workspace_id, row.import_id)
        row.state, row.error = "failed", CUT_OFF
        await store.save(conn, row)


def _wrong(code: str, pointer: str, message: str) -> InvalidInput:
    return InvalidInput([Problem(code=code, pointer=pointer, message=message)])


__all__ = [
    "create",
    "get",
    "has_report",
    "list_page",
    "read",
    "report",
    "shown",
    "upload",
    "whole_pieces",
]
