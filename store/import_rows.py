"""Rows of imports: read from the file, put into the log, settled, and kept where they brought errors or warnings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from domain.row_outcomes import RowOutcome
from store.database import Connection

MOST_WARNED = 20_000
"""How many rows one pass marks at most, so that its transaction stays short."""


@dataclass(frozen=True, slots=True)
class FileRow:
    """One row of a file on its way in; `error` where it cannot be taken."""

    row_no: int
    cells: list[str]
    name_keys: list[int]
    error: str | None = None


class Settled(NamedTuple):
    """Rows that have their outcome: up to which one, and how many of each outcome, `warned` among them."""

    upto: int
    counts: dict[str, int]


async def insert(conn: Connection, workspace_id: int, import_id: int, rows: Sequence[FileRow]) -> None:
    """Store rows as they are read; those that cannot be taken are settled at once."""
    await conn.copy_records_to_table(
        "import_rows",
        columns=["workspace_id", "import_id", "row_no", "cells", "name_keys", "outcome", "errors"],
        records=[
            (
                workspace_id,
                import_id,
                row.row_no,
                row.cells,
                row.name_keys,
                None if row.error is None else "failed",
                None if row.error is None else [row.error],
            )
            for row in rows
        ],
    )


async def warn_of_several_emails(conn: Connection, workspace_id: int, import_id: int, part: int, parts: int) -> None:
    """Mark rows of one id with different emails; the ids are looked at in `parts`, by their hashes."""
    odd = "min(email) FILTER (WHERE email <> 0) OVER k <> max(email) FILTER (WHERE email <> 0) OVER k"
    found = await conn.fetch(_odd("name_keys[1]", odd), workspace_id, import_id, part, parts)
    await _warn(conn, workspace_id, import_id, found, "Other rows have this id with another email.")


async def warn_of_same_email(conn: Connection, workspace_id: int, import_id: int, part: int, parts: int) -> None:
    """Mark rows that share an email."""
    found = await conn.fetch(_odd("name_keys[2]", "count(*) OVER k > 1"), workspace_id, import_id, part, parts)
    await _warn(conn, workspace_id, import_id, found, "Other rows have this email.")


def _odd(key: str, odd: str) -> str:
    """The rows of a part whose key is odd; by windows, which take their time whatever the planner knows of the table."""
    return f"""SELECT row_no FROM (
                SELECT row_no, {odd} AS odd FROM (
                    SELECT row_no, {key} AS key, name_keys[2] AS email FROM import_rows
                    WHERE workspace_id = $1 AND import_id = $2 AND {key} <> 0 AND ({key} & 1048575) % $4 = $3) keyed
                WINDOW k AS (PARTITION BY key)) looked_at
            WHERE odd LIMIT {MOST_WARNED}"""


async def _warn(
    conn: Connection, workspace_id: int, import_id: int, rows: Sequence[Mapping[str, int]], said: str
) -> None:
    if rows:
        await conn.execute(
            """UPDATE import_rows SET warnings = array_append(COALESCE(warnings, '{}'), $4::text)
               WHERE workspace_id = $1 AND import_id = $2 AND row_no = ANY($3::bigint[])""",
            workspace_id,
            import_id,
            [row["row_no"] for row in rows],
            said,
        )


async def after(conn: Connection, workspace_id: int, import_id: int, row_no: int, limit: int) -> list[FileRow]:
    """The rows that follow one, in order."""
    records = await conn.fetch(
        """SELECT row_no, cells, name_keys, errors[1] AS error FROM import_rows
           WHERE workspace_id = $1 AND import_id = $2 AND row_no > $3 ORDER BY row_no LIMIT $4""",
        workspace_id,
        import_id,
        row_no,
        limit,
    )
    return [FileRow(**record) for record in records]


async def save_outcomes(conn: Connection, workspace_id: int, rows: Sequence[RowOutcome]) -> None:
    """Write what became of rows, in the transaction that applied or refused them."""
    if rows:
        await conn.execute(
            """UPDATE import_rows r SET outcome = n.outcome,
                      errors = CASE WHEN n.error IS NULL THEN r.errors ELSE ARRAY[n.error] END,
                      warnings = CASE WHEN n.warning IS NULL THEN r.warnings
                                      ELSE array_append(COALESCE(r.warnings, '{}'), n.warning) END
               FROM unnest($2::int[], $3::bigint[], $4::text[], $5::text[], $6::text[])
                    AS n (import_id, row_no, outcome, error, warning)
               WHERE r.workspace_id = $1 AND r.import_id = n.import_id AND r.row_no = n.row_no""",
            workspace_id,
            [row.row.import_id for row in rows],
            [row.row.row for row in rows],
            [row.outcome for row in rows],
            [row.error for row in rows],
            [row.warning for row in rows],
        )


async def settled(conn: Connection, workspace_id: int, import_id: int, cursor: int, queued: int) -> Settled:
    """Count the rows after `cursor` and up to `queued` before the first that has no outcome yet."""
    records = await conn.fetch(
        f"""WITH waiting AS (
                SELECT min(row_no) AS row_no FROM import_rows
                WHERE workspace_id = $1 AND import_id = $2 AND row_no > $3 AND row_no <= $4 AND outcome IS NULL)
            SELECT COALESCE(w.row_no - 1, $4) AS upto, r.outcome, count(r.row_no) AS number,
                   count(r.warnings) AS warned
            FROM waiting w LEFT JOIN import_rows r ON {_UPTO} GROUP BY 1, 2""",
        workspace_id,
        import_id,
        cursor,
        queued,
    )
    counts: dict[str, int] = {}
    for record in records:
        if record["number"]:
            counts[record["outcome"]] = record["number"]
            counts["warned"] = counts.get("warned", 0) + record["warned"]
    return Settled(records[0]["upto"], counts)


_UPTO = """r.workspace_id = $1 AND r.import_id = $2 AND r.row_no > $3 AND r.row_no <= COALESCE(w.row_no - 1, $4)"""


async def taken(conn: Connection, workspace_id: int, import_id: int, cursor: int, upto: int) -> list[FileRow]:
    """The settled rows after `cursor` whose people were added or updated."""
    records = await conn.fetch(
        """SELECT row_no, cells, name_keys FROM import_rows
           WHERE workspace_id = $1 AND import_id = $2 AND row_no > $3 AND row_no <= $4
             AND outcome IN ('created', 'updated') ORDER BY row_no""",
        workspace_id,
        import_id,
        cursor,
        upto,
    )
    return [FileRow(**record) for record in records]


async def forget_sound(conn: Connection, workspace_id: int, import_id: int, cursor: int, upto: int) -> None:
    """Remove settled rows that nobody need look at again."""
    await conn.execute(
        """DELETE FROM import_rows WHERE workspace_id = $1 AND import_id = $2 AND row_no > $3 AND row_no <= $4
             AND errors IS NULL AND warnings IS NULL""",
        workspace_id,
        import_id,
        cursor,
        upto,
    )


async def forget(conn: Connection, workspace_id: int, import_id: int, beyond: int, limit: int) -> int:
    """Remove up to `limit` rows beyond one; returns how many that were."""
    records = await conn.fetch(
        """DELETE FROM import_rows WHERE workspace_id = $1 AND import_id = $2 AND row_no = ANY(ARRAY(
               SELECT row_no FROM import_rows WHERE workspace_id = $1 AND import_id = $2 AND row_no > $3
               ORDER BY row_no LIMIT $4))
           RETURNING 1""",
        workspace_id,
        import_id,
        beyond,
        limit,
    )
    return len(records)


async def marked(
    conn: Connection, workspace_id: int, import_id: int, row_no: int, limit: int
) -> list[Mapping[str, object]]:
    """The next rows after one that have errors or warnings, with them."""
    records: list[Mapping[str, object]] = await conn.fetch(
        """SELECT row_no, cells, errors, warnings FROM import_rows
           WHERE workspace_id = $1 AND import_id = $2 AND row_no > $3 AND (errors IS NOT NULL OR warnings IS NOT NULL)
           ORDER BY row_no LIMIT $4""",
        workspace_id,
        import_id,
        row_no,
        limit,
    )
    return records


__all__ = [
    "FileRow",
    "Settled",
    "after",
    "forget",
    "forget_sound",
    "insert",
    "marked",
    "save_outcomes",
    "settled",
    "taken",
    "warn_of_same_email",
    "warn_of_several_emails",
]
