"""The state of the database as operators ask for it: its schema's revision, and what waits to be applied."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from store.database import Connection


@dataclass(frozen=True, slots=True)
class Backlog:
    """Accepted facts that are not applied yet; `oldest` is when the first of them was accepted (real time)."""

    rows: int
    oldest: datetime | None


async def schema_revision(conn: Connection) -> str | None:
    """The migration that the schema stands at, or None where there was never one."""
    if await conn.fetchval("SELECT to_regclass('alembic_version')") is None:
        return None
    revision: str | None = await conn.fetchval("SELECT version_num FROM alembic_version")
    return revision


async def backlog(conn: Connection) -> Backlog:
    """What waits to be applied in all workspaces."""
    query = "SELECT count(*) AS rows, min(accepted_at) AS oldest FROM ingest_log WHERE applied_at IS NULL"
    return Backlog(**await conn.fetchrow(query))
