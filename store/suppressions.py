"""Suppressed identifiers, as hashes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from store.database import Connection


async def any_in(conn: Connection, workspace_id: int) -> bool:
    """Whether the workspace has suppressed anybody."""
    found: bool = await conn.fetchval(
        "SELECT EXISTS (SELECT 1 FROM suppressions WHERE workspace_id = $1)", workspace_id
    )
    return found


async def found(conn: Connection, workspace_id: int, hashes: Sequence[bytes]) -> set[bytes]:
    """Those of these hashes that are suppressed."""
    records = await conn.fetch(
        "SELECT value_hash FROM suppressions WHERE workspace_id = $1 AND value_hash = ANY($2::bytea[])",
        workspace_id,
        list(hashes),
    )
    return {record["value_hash"] for record in records}


async def add(
    conn: Connection, workspace_id: int, names: Sequence[tuple[str, bytes]], group: int, now: datetime
) -> None:
    """Suppress identifiers of one person, by kind and hash, together; `group` is a number of theirs alone."""
    await conn.execute(
        """INSERT INTO suppressions (workspace_id, kind, value_hash, suppression_id, suppressed_at)
           SELECT $1, u.kind, u.hash, $4, $5 FROM unnest($2::text[], $3::bytea[]) AS u (kind, hash)
           ON CONFLICT (workspace_id, kind, value_hash) DO NOTHING""",
        workspace_id,
        [kind for kind, _ in names],
        [value for _, value in names],
        group,
        now,
    )


async def lift(conn: Connection, workspace_id: int, kind: str, value_hash: bytes) -> set[bytes]:
    """Lift a suppression with all that were made together with it; returns the hashes that are free now."""
    records = await conn.fetch(
        """DELETE FROM suppressions WHERE workspace_id = $1 AND suppression_id IN (
               SELECT suppression_id FROM suppressions WHERE workspace_id = $1 AND kind = $2 AND value_hash = $3)
           RETURNING value_hash""",
        workspace_id,
        kind,
        value_hash,
    )
    return {record["value_hash"] for record in records}


__all__ = ["add", "any_in", "found", "lift"]
