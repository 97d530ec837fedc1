"""Exports: begun, looked at, fetched (PPL-49, PPL-50, APP-13)."""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import orjson
from pydantic import ValidationError

from domain.csv_files import written
from domain.definitions.transactional import UNCATEGORIZED
from domain.errors import DomainError, NotFound
from domain.exports import (
    REQUESTS,
    ZIPPED,
    CustomersExport,
    DeliveriesExport,
    ExportRequest,
    JourneysExport,
    ObjectExport,
    PersonExport,
    SegmentChangesExport,
)
from domain.problems import from_validation_error
from domain.values import to_unix
from ingest.catalog import Catalog, Catalogs
from services import tasks
from services.looking import people
from services.looking.journeys import campaign_number
from services.looking.references import wrong_references
from services.zipping import Zip
from store import exports as store
from store import workspaces
from store.database import Connection, Database
from store.exports import ExportRecord
from store.reads import exported as reads

MOST_LISTED = 1000
LINES_PAGE = 2_000
LARGEST_ID = 2**31 - 1


async def create(
    db: Database, catalogs: Catalogs, workspace_id: int, kind: str, body: Any, *, real_now: datetime
) -> dict[str, Any]:
    """Begin an export; raises DomainError `invalid_parameter` where it is wrongly asked for, NotFound for nobody."""
    request = read(kind, body)
    async with db.transaction() as conn:
        catalog = await catalogs.get(conn, workspace_id)
        now = catalog.now(real_now)
        stored, whom = await _resolved(conn, catalog, request)
        row = ExportRecord(
            workspace_id=workspace_id,
            export_id=await workspaces.next_id(conn, workspace_id, "export"),
            task_id="",
            type=kind,
            description=request.words,
            request=stored,
            state="pending",
            created_at=now,
            updated_at=now,
        )
        payload = {"export_id": row.export_id, **whom}
        row.task_id = await tasks.create(conn, workspace_id, "export", payload, now=now)
        await store.insert(conn, row)
    return shown(row)


def read(kind: str, body: Any) -> ExportRequest:
    """What is asked for; raises DomainError `invalid_parameter`, which callers of this API are told with 400."""
    try:
        return REQUESTS[kind].model_validate({} if body is None else body)
    except ValidationError as error:
        first = from_validation_error(error, body)[0]
        raise DomainError("invalid_parameter", first.message, first.pointer) from None


async def _resolved(
    conn: Connection, catalog: Catalog, request: ExportRequest
) -> tuple[dict[str, Any], dict[str, int]]:
    """The request as it is kept, and the person it is about, by number."""
    match request:
        case CustomersExport():
            await _check_filter(conn, catalog.workspace_id, request)
        case DeliveriesExport():
            _check_source(catalog, request)
        case JourneysExport():
            return request.stored | {"campaign": _campaign(catalog, request.campaign)}, {}
        case SegmentChangesExport():
            return request.stored | {"segment": _segment(catalog, request.segment)}, {}
        case PersonExport():
            ((id_type, name),) = request.named.items()
            found = await people.named(conn, catalog.workspace_id, name, id_type)  # type: ignore[arg-type]
            return request.stored, {"person_id": found.person_id}
        case ObjectExport():
            number, name = request.object_type_id, request.object_id
            if "\x00" in name or await reads.object_named(conn, catalog.workspace_id, number, name) is None:
                raise NotFound("object", name)
    return request.stored, {}


async def _check_filter(conn: Connection, workspace_id: int, request: CustomersExport) -> None:
    """Whether there is all that people are found by."""
    condition = request.condition
    problems = [] if condition is None else await wrong_references(conn, workspace_id, condition, "/filters")
    if problems:
        raise DomainError("invalid_parameter", problems[0].message, problems[0].pointer)


def _check_source(catalog: Catalog, request: DeliveriesExport) -> None:
    """Whether there is what the messages are to be of."""
    ((name, number),) = request.of.items()
    automations = catalog.automations
    known = {
        "campaign_id": number in automations,
        "action_id": any(number in one.actions.values() for one in automations.values()),
        "transactional_message_id": number == UNCATEGORIZED or catalog.find("transactional", number) is not None,
    }
    if not known.get(name, False):
        what = name.removesuffix("_id").replace("_", " ")
        raise DomainError("invalid_parameter", f"There is no {what} {number}.", f"/{name}")


def _campaign(catalog: Catalog, ref: str | int) -> int:
    """The number of a campaign; raises DomainError `invalid_parameter`, as this API does."""
    try:
        return campaign_number(catalog, ref)
    except DomainError as error:
        raise DomainError("invalid_parameter", error.message, error.pointer) from None


def _segment(catalog: Catalog, ref: str | int) -> int:
    compiled = catalog.compiled
    number = compiled.segment_ids.get(ref) if isinstance(ref, str) else ref
    if number is None or not _is_segment(catalog, number):
        raise DomainError("invalid_parameter", f"There is no segment {ref!r}.", "/segment")
    return number


def _is_segment(catalog: Catalog, number: int | str) -> bool:
    return number in catalog.compiled.segments or number in catalog.compiled.manual_segments


async def get(db: Database, workspace_id: int, export_id: int) -> ExportRecord:
    """One export; raises NotFound."""
    async with db.connection() as conn:
        row = await store.get(conn, workspace_id, export_id) if 0 < export_id <= LARGEST_ID else None
    if row is None:
        raise NotFound("export", export_id)
    return row


async def listed(db: Database, workspace_id: int) -> dict[str, Any]:
    """All exports, newest first; null where there is none, as the vendor answers."""
    async with db.connection() as conn:
        rows = await store.all_of(conn, workspace_id, MOST_LISTED)
    return {"exports": [shown(row)["export"] for row in rows] or None}


def shown(row: ExportRecord) -> dict[str, Any]:
    """An export in the vendor's shape with ours added."""
    export = {
        "id": row.export_id,
        "deduplicate_id": f"{row.export_id}:{to_unix(row.updated_at)}",
        "type": row.type,
        "description": row.description,
        "status": row.state,
        "failed": row.state == "failed",
        "downloads": row.downloads,
        "total": row.total if row.state == "done" else 0,
        "created_at": to_unix(row.created_at),
        "updated_at": to_unix(row.updated_at),
        "user_id": 0,
        "user_email": "",
        "error": row.error,
        "task_id": row.task_id,
    }
    return {"export": export}


async def downloadable(db: Database, workspace_id: int, export_id: int) -> ExportRecord:
    """An export that is there to be fetched; raises NotFound, or DomainError `invalid_parameter` where it is not yet."""
    row = await get(db, workspace_id, export_id)
    if row.state != "done":
        message = "The export is not ready yet." if row.state == "pending" else f"The export failed. {row.error or ''}"
        raise DomainError("invalid_parameter", message.strip())
    return row


def file_name(row: ExportRecord) -> str:
    """What the file of an export is called."""
    return f"{row.type}-{row.export_id}.{'zip' if is_archive(row) else 'csv'}"


def is_archive(row: ExportRecord) -> bool:
    """Whether there are several files in one."""
    return row.type in ZIPPED or len(row.columns) != 1


async def content(db: Database, row: ExportRecord) -> AsyncIterator[bytes]:
    """The file of an export, piece by piece."""
    if not is_archive(row):
        ((file, columns),) = row.columns.items()
        async for piece in _table(db, row, file, columns):
            yield piece
        return
    archive = Zip(row.updated_at)
    for file in _files(row):
        archive.begin(file)
        table = row.columns.get(file)
        pieces = _documents(db, row, file) if table is None else _table(db, row, file, table)
        async for piece in pieces:
            yield archive.add(piece)
        yield archive.end_file()
    yield archive.end()


def _files(row: ExportRecord) -> list[str]:
    if row.type == "person":
        return [
            "attributes.json",
            "details.json",
            "devices.json",
            "events.json.gz",
            "metrics.json",
            "relationships.json",
        ]
    return ["attributes.json", "relationships.json"] if row.type == "object" else list(row.columns)


async def _table(db: Database, row: ExportRecord, file: str, columns: list[str]) -> AsyncIterator[bytes]:
    yield written(columns).encode()
    async for lines in _lines(db, row, file):
        tables = (orjson.loads(line) for line in lines)
        yield "".join(written([cells.get(name, "") for name in columns]) for cells in tables).encode()


async def _documents(db: Database, row: ExportRecord, file: str) -> AsyncIterator[bytes]:
    """Lines of JSON as they are, packed where the name of the file says so."""
    packer = zlib.compressobj(wbits=zlib.MAX_WBITS | 16) if file.endswith(".gz") else None
    async for lines in _lines(db, row, file):
        text = "".join(f"{line}\n" for line in lines).encode()
        yield text if packer is None else packer.compress(text)
    if packer is not None:
        yield packer.flush()


async def _lines(db: Database, row: ExportRecord, file: str) -> AsyncIterator[list[str]]:
    last = 0
    while True:
        async with db.connection() as conn:
            found = await store.lines_of(conn, row.workspace_id, row.export_id, file, after=last, limit=LINES_PAGE)
        if not found:
            return
        yield [line for _, line in found]
        last = found[-1][0]


async def count_download(db: Database, row: ExportRecord) -> None:
    """Somebody fetches it."""
    async with db.transaction() as conn:
        await store.count_download(conn, row.workspace_id, row.export_id)


__all__ = [
    "content",
    "count_download",
    "create",
    "downloadable",
    "file_name",
    "get",
    "is_archive",
    "listed",
    "read",
    "shown",
]
