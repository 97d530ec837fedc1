"""Exports and their lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any, NamedTuple

from store.database import Connection


@dataclass(slots=True)
class ExportRecord:
    """One export; see the table for what its columns mean."""

    workspace_id: int
    export_id: int
    task_id: str
    type: str
    description: str
    request: dict[str, Any]
    state: str
    created_at: datetime
    updated_at: datetime
    error: str | None = None
    columns: dict[str, list[str]] = field(default_factory=dict)
    total: int = 0
    downloads: int = 0


class Line(NamedTuple):
    """One line of a file, and whom it is about."""

    file: str
    line_no: int
    person_id: int | None
    line: str


_NAMES = [column.name for column in fields(ExportRecord)]
_COLUMNS = ", ".join(_NAMES)


def _record(found: Mapping[str, Any]) -> ExportRecord:
    return ExportRecord(**{name: found[name] for name in _NAMES})


async def insert(conn: Connection, row: ExportRecord) -> None:
    """Store a new export."""
    places = ", ".join(f"${i}" for i in range(1, len(_NAMES) + 1))
    await conn.execute(f"INSERT INTO exports ({_COLUMNS}) VALUES ({places})", *[getattr(row, n) for n in _NAMES])


async def get(conn: Connection, workspace_id: int, export_id: int) -> ExportRecord | None:
    """One export, or None."""
    query = f"SELECT {_COLUMNS} FROM exports WHERE workspace_id = $1 AND export_id = $2"
    found = await conn.fetchrow(query, workspace_id, export_id)
    return _record(found) if found else None


async def all_of(conn: Connection, workspace_id: int, limit: int) -> list[ExportRecord]:
    """Exports, newest first."""
    query = f"SELECT {_COLUMNS} FROM exports WHERE workspace_id = $1 ORDER BY export_id DESC LIMIT $2"
    return [_record(found) for found in await conn.fetch(query, workspace_id, limit)]


async def save(conn: Connection, row: ExportRecord) -> None:
    """Write back where an export stands; the caller holds its task."""
    await conn.execute(
        """UPDATE exports SET state = $3, error = $4, columns = $5, total = $6, updated_at = $7
           WHERE workspace_id = $1 AND export_id = $2""",
        row.workspace_id,
        row.export_id,
        row.state,
        row.error,
        row.columns,
        row.total,
        row.updated_at,
    )


async def count_download(conn: Connection, workspace_id: int, export_id: int) -> None:
    """Somebody fetches it."""
    await conn.execute(
        "UPDATE exports SET downloads = downloads + 1 WHERE workspace_id = $1 AND export_id = $2",
        workspace_id,
        export_id,
    )


async def add_lines(conn: Connection, workspace_id: int, export_id: int, lines: Sequence[Line]) -> None:
    """Store lines."""
    await conn.copy_records_to_table(
        "export_lines",
        columns=["workspace_id", "export_id", *Line._fields],
        records=[(workspace_id, export_id, *line) for line in lines],
    )


async def lines_of(
    conn: Connection, workspace_id: int, export_id: int, file: str, *, after: int, limit: int
) -> list[tuple[int, str]]:
    """The next lines of a file, each with its number."""
    records = await conn.fetch(
        """SELECT line_no, line FROM export_lines
           WHERE workspace_id = $1 AND export_id = $2 AND file = $3 AND line_no > $4 ORDER BY line_no LIMIT $5""",
        workspace_id,
        export_id,
        file,
        after,
        limit,
    )
    return [(record["line_no"], record["line"]) for record in records]


async def drop_lines_of_nobody(
    conn: Connection, workspace_id: int, export_id: int, after: tuple[str, int], limit: int
) -> tuple[str, int] | None:
    """Of the next lines, remove those about people who are not there any more; the last line looked at, None at the end.

    People are looked up by their keys, so that the planner has no choice to make: it knows nothing yet of new lines.
    """
    lines = await conn.fetch(
        """SELECT file, line_no, person_id FROM export_lines
           WHERE workspace_id = $1 AND export_id = $2 AND (file, line_no) > ($3, $4::bigint)
           ORDER BY file, line_no LIMIT $5""",
        workspace_id,
        export_id,
        *after,
        limit,
    )
    if not lines:
        return None
    named = {line["person_id"] for line in lines} - {None}
    known = "SELECT person_id FROM people WHERE workspace_id = $1 AND person_id = ANY($2::bigint[])"
    gone = named - {record["person_id"] for record in await conn.fetch(known, workspace_id, list(named))}
    if gone:
        await conn.execute(
            "DELETE FROM export_lines WHERE workspace_id = $1 AND export_id = $2 AND person_id = ANY($3::bigint[])",
            workspace_id,
            export_id,
            list(gone),
        )
    return lines[-1]["file"], lines[-1]["line_no"]


async def drop_lines(conn: Connection, workspace_id: int, export_id: int, limit: int) -> int:
    """Remove up to `limit` lines of one of its files; returns how many that were."""
    records = await conn.fetch(
        """WITH first AS MATERIALIZED (
               SELECT file, line_no FROM export_lines WHERE workspace_id = $1 AND export_id = $2
               ORDER BY file, line_no LIMIT 1)
           DELETE FROM export_lines WHERE workspace_id = $1 AND export_id = $2 AND file = (SELECT file FROM first)
             AND line_no < (SELECT line_no FROM first) + $3 RETURNING 1""",
        workspace_id,
        export_id,
        limit,
    )
    return len(records)


async def delete(conn: Connection, workspace_id: int, export_id: int) -> None:
    """Forget an export whose lines are gone."""
    await conn.execute("DELETE FROM exports WHERE workspace_id = $1 AND export_id = $2", workspace_id, export_id)


async def made_before(conn: Connection, workspace_id: int, instant: datetime, limit: int) -> list[ExportRecord]:
    """Exports that are over and were begun before an instant."""
    found = await conn.fetch(
        f"""SELECT {_COLUMNS} FROM exports WHERE workspace_id = $1 AND created_at < $2 AND state <> 'pending'
            ORDER BY export_id LIMIT $3""",
        workspace_id,
        instant,
        limit,
    )
    return [_record(record) for record in found]


__all__ = [
    "ExportRecord",
    "Line",
    "add_lines",
    "all_of",
    "count_download",
    "delete",
    "drop_lines",
    "drop_lines_of_nobody",
    "get",
    "insert",
    "lines_of",
    "made_before",
    "save",
]
