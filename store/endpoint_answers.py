"""How often hosts took our calls, and whose turn it is where one said that they were too many (ACT-31)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from store.database import Connection

SPAN = timedelta(minutes=10)
"""What is looked back on."""


class Answers(NamedTuple):
    """What a host answered within the span: how many calls it took, how many were too many."""

    succeeded: int
    throttled: int


async def note(
    conn: Connection, workspace_id: int, host: str, at: datetime, *, succeeded: int = 0, throttled: int = 0
) -> None:
    """Count answers of a host in their minute; those that nobody looks back on any more are forgotten."""
    await conn.execute(
        """WITH forgotten AS (
               DELETE FROM endpoint_answers WHERE workspace_id = $1 AND host = $2 AND minute < $6)
           INSERT INTO endpoint_answers (workspace_id, host, minute, succeeded, throttled) VALUES ($1, $2, $3, $4, $5)
           ON CONFLICT (workspace_id, host, minute) DO UPDATE
           SET succeeded = endpoint_answers.succeeded + excluded.succeeded,
               throttled = endpoint_answers.throttled + excluded.throttled""",
        workspace_id,
        host,
        at.replace(second=0, microsecond=0),
        succeeded,
        throttled,
        at - 2 * SPAN,
    )


async def recent(conn: Connection, workspace_id: int, host: str, now: datetime) -> Answers:
    """What a host answered within the last ten minutes."""
    record = await conn.fetchrow(
        """SELECT COALESCE(sum(succeeded), 0)::int AS succeeded, COALESCE(sum(throttled), 0)::int AS throttled
           FROM endpoint_answers WHERE workspace_id = $1 AND host = $2 AND minute > $3""",
        workspace_id,
        host,
        now - SPAN,
    )
    return Answers(record["succeeded"], record["throttled"])


async def take_turn(conn: Connection, workspace_id: int, host: str, now: datetime, gap: timedelta) -> datetime:
    """The next turn at a host, `gap` after the one before; nobody else gets it."""
    turn: datetime = await conn.fetchval(
        """INSERT INTO endpoint_turns (workspace_id, host, next_at) VALUES ($1, $2, $3::timestamptz + $4::interval)
           ON CONFLICT (workspace_id, host) DO UPDATE SET next_at = GREATEST(endpoint_turns.next_at, $3) + $4::interval
           RETURNING next_at - $4::interval""",
        workspace_id,
        host,
        now,
        gap,
    )
    return turn


__all__ = ["SPAN", "Answers", "note", "recent", "take_turn"]
