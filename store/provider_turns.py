"""Providers whose server cannot be used at present, and the deliveries that wait for one (SUB-21)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from store.database import Connection
from store.deliveries import RETRY, ask

LOOK = "provider"
"""The kind of `due` row that asks for a look at a provider; its `ref` is the provider's key."""


@dataclass(frozen=True, slots=True)
class ProviderTurn:
    """A provider that was found away `failures` times in a row, and is looked at next at `next_at`."""

    workspace_id: int
    provider: str
    failures: int
    next_at: datetime
    reason: str


_COLUMNS = "workspace_id, provider, failures, next_at, reason"


async def get(conn: Connection, workspace_id: int, provider: str) -> ProviderTurn | None:
    """How a provider stands; None where it is not known to be away."""
    record = await conn.fetchrow(
        f"SELECT {_COLUMNS} FROM provider_turns WHERE workspace_id = $1 AND provider = $2", workspace_id, provider
    )
    return ProviderTurn(**record) if record else None


async def begin(conn: Connection, turn: ProviderTurn) -> bool:
    """Note that a provider is away, and ask the clock for a look at it; False where that is known already."""
    noted = await conn.fetchval(
        f"""INSERT INTO provider_turns ({_COLUMNS}) VALUES ($1, $2, $3, $4, $5)
            ON CONFLICT (workspace_id, provider) DO NOTHING RETURNING true""",
        turn.workspace_id,
        turn.provider,
        turn.failures,
        turn.next_at,
        turn.reason,
    )
    if noted:
        await ask(conn, turn.workspace_id, LOOK, turn.provider, turn.next_at)
    return bool(noted)


async def put_off(conn: Connection, turn: ProviderTurn) -> None:
    """Note that it is still away, and when to look at it again."""
    await conn.execute(
        """UPDATE provider_turns SET failures = $3, next_at = $4, reason = $5
           WHERE workspace_id = $1 AND provider = $2""",
        turn.workspace_id,
        turn.provider,
        turn.failures,
        turn.next_at,
        turn.reason,
    )
    await ask(conn, turn.workspace_id, LOOK, turn.provider, turn.next_at)


async def hasten(conn: Connection, workspace_id: int, provider: str, now: datetime) -> None:
    """Look at a provider now that is away: what is known of it has changed."""
    found = await conn.fetchval(
        """UPDATE provider_turns SET next_at = $3 WHERE workspace_id = $1 AND provider = $2 RETURNING true""",
        workspace_id,
        provider,
        now,
    )
    if found:
        await ask(conn, workspace_id, LOOK, provider, now)


async def end(conn: Connection, workspace_id: int, provider: str) -> None:
    """Note that a provider can be used again."""
    await conn.execute("DELETE FROM provider_turns WHERE workspace_id = $1 AND provider = $2", workspace_id, provider)


async def release(
    conn: Connection, workspace_id: int, provider: str, *, held: str, now: datetime, limit: int
) -> tuple[int, bool]:
    """Have deliveries tried now that say `held` because of the provider; returns how many, and whether there was no room for more.

    At most so many are asked for at a time, those counted that are due by now and have not been tried yet.
    """
    waiting: int = await conn.fetchval(
        """SELECT count(*) FROM (SELECT 1 FROM due WHERE workspace_id = $1 AND kind = $2 AND due_at <= $3 LIMIT $4) u""",
        workspace_id,
        RETRY,
        now,
        limit,
    )
    released = await conn.fetch(
        """WITH held AS MATERIALIZED (
               SELECT u.ref FROM due u
               JOIN deliveries d ON d.workspace_id = u.workspace_id AND d.delivery_id = u.ref
               WHERE u.workspace_id = $1 AND u.kind = $6 AND u.due_at > $4 AND d.provider = $2
                 AND d.failure_message = $3 AND d.status IN ('queued', 'attempted')
               ORDER BY u.due_at, u.ref LIMIT $5 FOR NO KEY UPDATE OF u SKIP LOCKED)
           UPDATE due SET due_at = $4 FROM held h WHERE due.workspace_id = $1 AND due.kind = $6 AND due.ref = h.ref
           RETURNING due.ref""",
        workspace_id,
        provider,
        held,
        now,
        limit - waiting,
        RETRY,
    )
    return len(released), len(released) + waiting >= limit


async def away(conn: Connection) -> int:
    """How many providers cannot be used at present, in all workspaces."""
    count: int = await conn.fetchval("SELECT count(*) FROM provider_turns")
    return count


__all__ = ["LOOK", "ProviderTurn", "away", "begin", "end", "get", "hasten", "put_off", "release"]
