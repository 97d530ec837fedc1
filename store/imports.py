"""Imports and the pieces of their files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from store.database import Connection

PIECE_BYTES = 1024 * 1024
"""Every piece of a file but the last is as large."""


@dataclass(slots=True)
class ImportRecord:
    """One import; see the table for what its columns mean."""

    workspace_id: int
    import_id: int
    task_id: str
    name: str
    description: str
    type: str
    identifier: str | None
    object_type_id: int | None
    data_to_process: str
    settings: dict[str, Any]
    url: str | None
    state: str
    created_at: datetime
    updated_at: datetime
    error: str = ""
    header: list[str] | None = None
    rows_to_import: int = 0
    rows_queued: int = 0
    counts: dict[str, int] | None = None

    @property
    def counted(self) -> Mapping[str, int]:
        """How many rows came to what."""
        return self.counts or {}


_NAMES = [column.name for column in fields(ImportRecord)]
_COLUMNS = ", ".join(_NAMES)


def _record(found: Mapping[str, Any]) -> ImportRecord:
    return ImportRecord(**{name: found[name] for name in _NAMES})


async def insert(conn: Connection, row: ImportRecord) -> None:
    """Store a new import."""
    places = ", ".join(f"${i}" for i in range(1, len(_NAMES) + 1))
    values = [row.counts or {} if name == "counts" else getattr(row, name) for name in _NAMES]
    await conn.execute(f"INSERT INTO imports ({_COLUMNS}) VALUES ({places})", *values)


async def get(conn: Connection, workspace_id: int, import_id: int) -> ImportRecord | None:
    """One import, or None."""
    query = f"SELECT {_COLUMNS} FROM imports WHERE workspace_id = $1 AND import_id = $2"
    found = await conn.fetchrow(query, workspace_id, import_id)
    return _record(found) if found else None


async def page(conn: Connection, workspace_id: int, *, before: int | None, limit: int) -> list[ImportRecord]:
    """Up to `limit` imports, newest first, older than `before`."""
    found = await conn.fetch(
        f"""SELECT {_COLUMNS} FROM imports WHERE workspace_id = $1 AND ($2::int IS NULL OR import_id < $2)
            ORDER BY import_id DESC LIMIT $3""",
        workspace_id,
        before,
        limit,
    )
    return [_record(record) for record in found]


async def save(conn: Connection, row: ImportRecord) -> None:
    """Write back where an import stands; the caller holds its task, or it has none yet."""
    await conn.execute(
        """UPDATE imports SET task_id = $3, state = $4, error = $5, header = $6, rows_to_import = $7, rows_queued = $8,
                  counts = $9, updated_at = $10, settings = $11
           WHERE workspace_id = $1 AND import_id = $2""",
        row.workspace_id,
        row.import_id,
        row.task_id,
        row.state,
        row.error,
        row.header,
        row.rows_to_import,
        row.rows_queued,
        row.counts or {},
        row.updated_at,
        row.settings,
    )


async def add_piece(conn: Connection, workspace_id: int, import_id: int, position: int, data: bytes) -> None:
    """Keep a piece of the file."""
    await conn.execute(
        "INSERT INTO import_files (workspace_id, import_id, position, data) VALUES ($1, $2, $3, $4)",
        workspace_id,
        import_id,
        position,
        data,
    )


async def window(conn: Connection, workspace_id: int, import_id: int, offset: int, pieces: int) -> tuple[bytes, bool]:
    """The file from a place on, up to the end of so many pieces; whether it ends there."""
    first, skipped = divmod(offset, PIECE_BYTES)
    records: Sequence[Mapping[str, Any]] = await conn.fetch(
        """SELECT position, data FROM import_files WHERE workspace_id = $1 AND import_id = $2 AND position >= $3
           ORDER BY position LIMIT $4""",
        workspace_id,
        import_id,
        first,
        pieces + 1,
    )
    data = b"".join(record["data"] for record in records[:pieces])
    return data[skipped:], len(records) <= pieces


async def drop_pieces(conn: Connection, workspace_id: int, import_id: int, upto: int | None = None) -> None:
    """Forget the file, or its pieces before one."""
    await conn.execute(
        """DELETE FROM import_files WHERE workspace_id = $1 AND import_id = $2 AND ($3::int IS NULL OR position < $3)""",
        workspace_id,
        import_id,
        upto,
    )


async def begun_before(conn: Connection, workspace_id: int, instant: datetime, limit: int) -> list[int]:
    """Imports that are over, with rows or pieces left, and were begun before an instant."""
    records = await conn.fetch(
        """SELECT import_id FROM imports i WHERE workspace_id = $1 AND created_at < $2
             AND state IN ('imported', 'failed', 'canceled')
             AND (EXISTS (SELECT 1 FROM import_rows r WHERE r.workspace_id = $1 AND r.import_id = i.import_id)
                  OR EXISTS (SELECT 1 FROM import_files f WHERE f.workspace_id = $1 AND f.import_id = i.import_id))
           ORDER BY import_id LIMIT $3""",
        workspace_id,
        instant,
        limit,
    )
    return [record["import_id"] for record in records]


async def fail_abandoned(conn: Connection, workspace_id: int, instant: datetime, now: datetime, error: str) -> None:
    """Imports whose upload was begun before an instant and never came to its end have failed."""
    await conn.execute(
        """UPDATE imports SET state = 'failed', error = $4, updated_at = $3
           WHERE workspace_id = $1 AND state = 'preprocessing' AND task_id = '' AND created_at < $2""",
        workspace_id,
        instant,
        now,
        error,
    )


async def people_with_email(conn: Connection, workspace_id: int, emails: Sequence[str]) -> list[Mapping[str, Any]]:
    """Everybody whose attribute `email` is one of these, where it names nobody: `email`, `id`, `person_id`."""
    records: list[Mapping[str, Any]] = await conn.fetch(
        """SELECT attributes ->> 'email' AS email, id, person_id FROM people
           WHERE workspace_id = $1 AND attributes ->> 'email' = ANY($2::text[]) ORDER BY person_id""",
        workspace_id,
        list(emails),
    )
    return records


__all__ = [
    "PIECE_BYTES",
    "ImportRecord",
    "add_piece",
    "begun_before",
    "drop_pieces",
    "fail_abandoned",
    "get",
    "insert",
    "page",
    "people_with_email",
    "save",
    "window",
]
