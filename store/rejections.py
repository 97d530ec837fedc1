"""Calls that were refused: written now and then, read beside the log of what was accepted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from store.database import Connection

_COLUMNS = "rejected_id, at, source, path, status, errors, body"


@dataclass(frozen=True, slots=True)
class RejectedRead:
    """One refused call; `at` is real time, `body` its beginning."""

    rejected_id: int
    at: datetime
    source: str
    path: str
    status: int
    errors: list[Any]
    body: str


async def insert(
    conn: Connection,
    workspace_id: int,
    *,
    source: str,
    path: str,
    status: int,
    errors: Sequence[str],
    body: str,
    at: datetime,
) -> None:
    """Keep a refused call."""
    await conn.execute(
        """INSERT INTO rejected_calls (workspace_id, at, source, path, status, errors, body)
           VALUES ($1, $2, $3, $4, $5, $6, $7)""",
        workspace_id,
        at,
        source,
        path,
        status,
        list(errors),
        body,
    )


async def page(
    conn: Connection, workspace_id: int, *, sources: Sequence[str] | None, before: int | None, limit: int
) -> list[RejectedRead]:
    """Up to `limit` refused calls, newest first; `sources` are whole names of sources, or labels before their colon."""
    records = await conn.fetch(
        f"""SELECT {_COLUMNS} FROM rejected_calls
            WHERE workspace_id = $1 AND ($2::bigint IS NULL OR rejected_id < $2)
              AND ($3::text[] IS NULL OR source = ANY($3) OR split_part(source, ':', 1) = ANY($3))
            ORDER BY rejected_id DESC LIMIT $4""",
        workspace_id,
        before,
        None if sources is None else list(sources),
        limit,
    )
    return [RejectedRead(**record) for record in records]


async def get(conn: Connection, workspace_id: int, rejected_id: int) -> RejectedRead | None:
    """One refused call, or None."""
    record = await conn.fetchrow(
        f"SELECT {_COLUMNS} FROM rejected_calls WHERE workspace_id = $1 AND rejected_id = $2",
        workspace_id,
        rejected_id,
    )
    return RejectedRead(**record) if record else None


__all__ = ["RejectedRead", "get", "insert", "page"]
