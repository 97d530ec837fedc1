"""Rows of imports: what became of each."""

from __future__ import annotations

from collections.abc import Sequence

from domain.operations import ImportRef
from domain.outcomes import Done
from store.database import Connection


async def save_outcomes(conn: Connection, workspace_id: int, rows: Sequence[tuple[ImportRef, Done]]) -> None:
    """Write what became of rows, in the transaction that applied them."""
    if rows:
        await conn.execute(
            """UPDATE import_rows r SET outcome = u.outcome, errors = u.errors::text[]
               FROM unnest($2::int[], $3::bigint[], $4::text[], $5::text[]) AS n (import_id, row_no, outcome, note)
               CROSS JOIN LATERAL (SELECT n.outcome, CASE WHEN n.outcome IN ('applied', 'ignored') THEN NULL
                                                     ELSE ARRAY[COALESCE(n.note, n.outcome)] END AS errors) u
               WHERE r.workspace_id = $1 AND r.import_id = n.import_id AND r.row_no = n.row_no""",
            workspace_id,
            [row.import_id for row, _ in rows],
            [row.row for row, _ in rows],
            [done.outcome for _, done in rows],
            [done.note for _, done in rows],
        )


__all__ = ["save_outcomes"]
