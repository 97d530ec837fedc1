"""Answers of calls that named an idempotency key, given again to whoever repeats the call; their times are real (CHN-02)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from store.database import Connection


class Keyed(NamedTuple):
    """An answer under the key of its call; `request_hash` tells one request from another."""

    workspace_id: int
    scope: str
    key_hash: bytes
    request_hash: bytes
    answer: dict[str, Any]
    expires_at: datetime


async def find(conn: Connection, workspace_id: int, scope: str, key_hash: bytes, now: datetime) -> Keyed | None:
    """What was answered under a key, None where that is nothing or too long ago."""
    record = await conn.fetchrow(
        """SELECT workspace_id, scope, key_hash, request_hash, answer, expires_at FROM idempotent_answers
           WHERE workspace_id = $1 AND scope = $2 AND key_hash = $3 AND expires_at > $4""",
        workspace_id,
        scope,
        key_hash,
        now,
    )
    return None if record is None else Keyed(*record)


async def claim(conn: Connection, answers: Sequence[Keyed], now: datetime) -> set[tuple[int, str, bytes]]:
    """Keep answers under keys of which no two are the same; returns workspace, scope and key of those that were free."""
    ordered = sorted(answers, key=lambda one: one[:3])
    records = await conn.fetch(
        """INSERT INTO idempotent_answers AS k (workspace_id, scope, key_hash, request_hash, answer, expires_at)
           SELECT * FROM unnest($1::int[], $2::text[], $3::bytea[], $4::bytea[], $5::jsonb[], $6::timestamptz[])
           ON CONFLICT (workspace_id, scope, key_hash) DO UPDATE
             SET request_hash = excluded.request_hash, answer = excluded.answer, expires_at = excluded.expires_at
             WHERE k.expires_at <= $7
           RETURNING workspace_id, scope, key_hash""",
        *[list(column) for column in zip(*ordered, strict=True)],
        now,
    )
    return {(record["workspace_id"], record["scope"], record["key_hash"]) for record in records}


async def expire(conn: Connection, now: datetime, limit: int) -> int:
    """Forget answers whose time is over, so many at a time; returns how many."""
    records = await conn.fetch(
        """WITH found AS MATERIALIZED (
               SELECT workspace_id, scope, key_hash FROM idempotent_answers
               WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED)
           DELETE FROM idempotent_answers k USING found f
           WHERE k.workspace_id = f.workspace_id AND k.scope = f.scope AND k.key_hash = f.key_hash RETURNING true""",
        now,
        limit,
    )
    return len(records)


__all__ = ["Keyed", "claim", "expire", "find"]
