"""The secrets by which receivers know our calls (ACT-30)."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from store.database import Connection

_LOCK_CLASS = 0x534B


class SigningKey(NamedTuple):
    """One secret; `expires_at` is when one that was replaced stops counting."""

    key: str
    expires_at: datetime | None


async def usable(conn: Connection, workspace_id: int, purpose: str, now: datetime) -> list[SigningKey]:
    """The keys that count, the current one first."""
    records = await conn.fetch(
        """SELECT key, expires_at FROM signing_keys
           WHERE workspace_id = $1 AND purpose = $2 AND (expires_at IS NULL OR expires_at > $3)
           ORDER BY expires_at IS NOT NULL, created_at DESC, key""",
        workspace_id,
        purpose,
        now,
    )
    return [SigningKey(record["key"], record["expires_at"]) for record in records]


async def hold(conn: Connection, workspace_id: int) -> None:
    """Nobody else makes or replaces a key of the workspace before this transaction ends."""
    await conn.execute("SELECT pg_advisory_xact_lock($1, $2)", _LOCK_CLASS, workspace_id)


async def insert(conn: Connection, workspace_id: int, purpose: str, key: str, now: datetime) -> None:
    """Store a new current key."""
    await conn.execute(
        "INSERT INTO signing_keys (workspace_id, purpose, key, created_at) VALUES ($1, $2, $3, $4)",
        workspace_id,
        purpose,
        key,
        now,
    )


async def retire(conn: Connection, workspace_id: int, purpose: str, until: datetime) -> int:
    """Let every key that counts do so until then at most; returns how many there were."""
    records = await conn.fetch(
        """UPDATE signing_keys SET expires_at = LEAST(expires_at, $3)
           WHERE workspace_id = $1 AND purpose = $2 RETURNING 1""",
        workspace_id,
        purpose,
        until,
    )
    return len(records)


async def forget(conn: Connection, workspace_id: int, purpose: str, now: datetime) -> None:
    """Delete the keys that count no more."""
    await conn.execute(
        "DELETE FROM signing_keys WHERE workspace_id = $1 AND purpose = $2 AND expires_at <= $3",
        workspace_id,
        purpose,
        now,
    )


__all__ = ["SigningKey", "forget", "hold", "insert", "retire", "usable"]
