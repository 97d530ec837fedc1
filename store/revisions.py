"""Revisions of definitions: what each was after every change, secrets hidden, and who changed it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

from store.database import Connection

MOST_BYTES: Final = 4 * 1024 * 1024
"""How much of differences one page holds, a single one apart."""


class RevisionRow(NamedTuple):
    """One revision. `diff` is what it changed; None for the first, and where nobody wrote down what was before.

    `author` is None where it was written by a version that kept no revisions, `source` where it was part of no bundle.
    """

    workspace_id: int
    kind: str
    definition_id: int
    revision: int
    document: dict[str, Any] | None
    diff: list[dict[str, Any]] | None
    author: str | None
    source: str | None
    created_at: datetime


_COLUMNS = ", ".join(RevisionRow._fields)
_PLACES = ", ".join(f"${i}" for i in range(1, len(RevisionRow._fields) + 1))
_LISTED = ", ".join("NULL AS document" if name == "document" else name for name in RevisionRow._fields)


async def add(conn: Connection, row: RevisionRow) -> None:
    """Keep a revision; one that is kept already stays as it is."""
    await conn.execute(f"INSERT INTO definition_revisions ({_COLUMNS}) VALUES ({_PLACES}) ON CONFLICT DO NOTHING", *row)


async def get(conn: Connection, workspace_id: int, kind: str, definition_id: int, revision: int) -> RevisionRow | None:
    """One revision with its document, None where it is not kept."""
    if not 0 < revision < 2**31:
        return None
    record = await conn.fetchrow(
        f"""SELECT {_COLUMNS} FROM definition_revisions
            WHERE workspace_id = $1 AND kind = $2 AND definition_id = $3 AND revision = $4""",
        workspace_id,
        kind,
        definition_id,
        revision,
    )
    return _row(record) if record else None


async def page(
    conn: Connection, workspace_id: int, kind: str, definition_id: int, *, before: int | None, limit: int
) -> list[RevisionRow]:
    """Up to `limit` revisions below `before`, newest first and without documents; fewer where their differences are large."""
    records = await conn.fetch(
        f"""SELECT * FROM (
                SELECT {_LISTED},
                       sum(octet_length(diff::text)) OVER (ORDER BY revision DESC) AS size,
                       row_number() OVER (ORDER BY revision DESC) AS place
                FROM definition_revisions
                WHERE workspace_id = $1 AND kind = $2 AND definition_id = $3 AND ($4::int IS NULL OR revision < $4)
                ORDER BY revision DESC LIMIT $5) listed
            WHERE size IS NULL OR size <= $6 OR place = 1
            ORDER BY revision DESC""",
        workspace_id,
        kind,
        definition_id,
        before,
        limit,
        MOST_BYTES,
    )
    return [_row(record) for record in records]


async def oldest(conn: Connection, workspace_id: int, kind: str, definition_id: int) -> int | None:
    """The number of the oldest revision that is kept, None where there is none."""
    number: int | None = await conn.fetchval(
        "SELECT min(revision) FROM definition_revisions WHERE workspace_id = $1 AND kind = $2 AND definition_id = $3",
        workspace_id,
        kind,
        definition_id,
    )
    return number


async def forget(conn: Connection, workspace_id: int, kind: str, definition_id: int) -> None:
    """Delete every revision of a definition."""
    await conn.execute(
        "DELETE FROM definition_revisions WHERE workspace_id = $1 AND kind = $2 AND definition_id = $3",
        workspace_id,
        kind,
        definition_id,
    )


async def trim(conn: Connection, kept: int, limit: int) -> int:
    """Delete up to `limit` revisions behind the newest `kept` of their definition, or of none any more; returns how many."""
    gone: str = await conn.execute(
        """DELETE FROM definition_revisions r USING (
               SELECT o.workspace_id, o.kind, o.definition_id, o.revision FROM definition_revisions o
               LEFT JOIN definitions d USING (workspace_id, kind, definition_id)
               WHERE d.kind IS NULL OR o.revision <= d.revision - $1 LIMIT $2) old
           WHERE r.workspace_id = old.workspace_id AND r.kind = old.kind AND r.definition_id = old.definition_id
             AND r.revision = old.revision""",
        kept,
        limit,
    )
    return int(gone.rsplit(" ", 1)[1])


def _row(record: Mapping[str, Any]) -> RevisionRow:
    return RevisionRow(*(record[name] for name in RevisionRow._fields))


__all__ = ["MOST_BYTES", "RevisionRow", "add", "forget", "get", "oldest", "page", "trim"]
