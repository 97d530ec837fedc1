"""Names of attributes and events for the data index, recorded as deltas and folded into totals by the worker."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from store.database import Connection

Delta = tuple[tuple[str, str, str, str], int, int]


async def insert_deltas(conn: Connection, workspace_id: int, rows: Sequence[Delta], at: datetime) -> None:
    """Record names as (kind, name, type, source), how often they were seen, and how many more people hold them."""
    if rows:
        await conn.execute(
            """INSERT INTO data_name_deltas (workspace_id, kind, name, value_type, source, seen, holders, at)
               SELECT $1, u.*, $8 FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::int[], $7::int[]) u""",
            workspace_id,
            [key[0] for key, _, _ in rows],
            [key[1] for key, _, _ in rows],
            [key[2] for key, _, _ in rows],
            [key[3] for key, _, _ in rows],
            [seen for _, seen, _ in rows],
            [holders for _, _, holders in rows],
            at,
        )


__all__ = ["insert_deltas"]
