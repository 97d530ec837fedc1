"""What the records of domains said when they were looked at last (MSG-19)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from store.database import Connection


class DomainCheck(NamedTuple):
    """The records of a domain as they were found."""

    records: list[dict[str, Any]]
    checked_at: datetime


async def save(
    conn: Connection,
    workspace_id: int,
    definition_id: int,
    status: str,
    records: Sequence[Mapping[str, Any]],
    *,
    at: datetime,
) -> None:
    """Keep what was found, in place of what was before."""
    await conn.execute(
        """INSERT INTO domain_checks (workspace_id, definition_id, status, records, checked_at)
           VALUES ($1, $2, $3, $4, $5)
           ON CONFLICT (workspace_id, definition_id) DO UPDATE
           SET status = excluded.status, records = excluded.records, checked_at = excluded.checked_at""",
        workspace_id,
        definition_id,
        status,
        [dict(record) for record in records],
        at,
    )


async def get(conn: Connection, workspace_id: int, definition_id: int) -> DomainCheck | None:
    """What was found last, None where nobody has looked."""
    record = await conn.fetchrow(
        "SELECT records, checked_at FROM domain_checks WHERE workspace_id = $1 AND definition_id = $2",
        workspace_id,
        definition_id,
    )
    return DomainCheck(record["records"], record["checked_at"]) if record else None


async def forget(conn: Connection, workspace_id: int, definition_id: int) -> None:
    """Forget what was found."""
    await conn.execute(
        "DELETE FROM domain_checks WHERE workspace_id = $1 AND definition_id = $2", workspace_id, definition_id
    )


__all__ = ["DomainCheck", "forget", "get", "save"]
