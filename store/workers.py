"""Which worker processes are there, as they say themselves every two seconds (real time)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from store.database import Connection


@dataclass(frozen=True, slots=True)
class WorkerRow:
    """One worker process; `roles` are its roles with commas."""

    worker_id: str
    roles: str
    started_at: datetime
    seen_at: datetime


async def beat(conn: Connection, worker_id: str, roles: Sequence[str], started_at: datetime, now: datetime) -> None:
    """Say that the worker is there."""
    await conn.execute(
        """INSERT INTO workers (worker_id, roles, started_at, seen_at) VALUES ($1, $2, $3, $4)
           ON CONFLICT (worker_id) DO UPDATE SET seen_at = EXCLUDED.seen_at""",
        worker_id,
        ",".join(roles),
        started_at,
        now,
    )


async def forget(conn: Connection, worker_id: str, silent_since: datetime) -> None:
    """Take away a worker that ends in order, and those that have been silent since an instant."""
    await conn.execute("DELETE FROM workers WHERE worker_id = $1 OR seen_at < $2", worker_id, silent_since)


async def seen_since(conn: Connection, since: datetime) -> list[WorkerRow]:
    """The workers heard of since an instant."""
    query = "SELECT worker_id, roles, started_at, seen_at FROM workers WHERE seen_at >= $1 ORDER BY worker_id"
    return [WorkerRow(**record) for record in await conn.fetch(query, since)]


__all__ = ["WorkerRow", "beat", "forget", "seen_since"]
