"""Who has pages of a trigger in hand, and up to which recipient providers may have their messages (SUB-20).

One row a trigger says it of all its deliveries: written right before so many of them are handed over, which then need not be
touched until they have an outcome. Whoever finds the row of a worker that died writes it out to them.
"""

from __future__ import annotations

from datetime import datetime

from store.broadcasts import Key
from store.database import Connection

_THIS = "workspace_id = $1 AND broadcast_id = $2 AND trigger_no = $3"
_UNTOLD = "NOT d.draft AND d.status = 'queued' AND d.attempts = 0 AND d.handed_over_at IS NULL AND d.held_until IS NULL"


async def take_over(conn: Connection, key: Key, owner: str, now: datetime) -> None:
    """Have pages of a trigger in hand, and nobody else: whoever had them gets no further. The caller holds the trigger."""
    await conn.execute(
        """INSERT INTO broadcast_claims (workspace_id, broadcast_id, trigger_no, owner, position, at)
           VALUES ($1, $2, $3, $4, 0, $5)
           ON CONFLICT (workspace_id, broadcast_id, trigger_no) DO UPDATE SET owner = excluded.owner""",
        *key,
        owner,
        now,
    )


async def exists(conn: Connection, key: Key) -> bool:
    """Whether somebody has pages of a trigger in hand, or had when they died."""
    found: bool = await conn.fetchval(f"SELECT EXISTS (SELECT 1 FROM broadcast_claims WHERE {_THIS})", *key)
    return found


async def is_owner(conn: Connection, key: Key, owner: str) -> bool:
    """Whether the pages are still in these hands; the caller holds the trigger, without which nobody takes them over."""
    query = f"SELECT EXISTS (SELECT 1 FROM broadcast_claims WHERE {_THIS} AND owner = $4)"
    found: bool = await conn.fetchval(query, *key, owner)
    return found


async def write_out(conn: Connection, key: Key, after: int) -> None:
    """Tell the deliveries behind this place that providers may have, and that have no outcome, that they may have them."""
    await conn.execute(
        f"""UPDATE deliveries d SET handed_over_at = c.at
            FROM (SELECT position, at FROM broadcast_claims WHERE {_THIS}) c
            WHERE d.workspace_id = $1 AND d.campaign_id = $2 AND d.trigger_no = $3
              AND d.recipient_no > $4 AND d.recipient_no <= c.position AND {_UNTOLD}""",
        *key,
        after,
    )


async def advance(conn: Connection, key: Key, owner: str, *, first: int, last: int, now: datetime) -> set[str] | None:
    """Note that all deliveries to these places are about to be handed over.

    Returns which of them are over or in other hands already, so that they stay; None where all pages are in other hands.
    """
    record = await conn.fetchrow(
        f"""WITH mine AS (
                UPDATE broadcast_claims SET position = $6, at = $7 WHERE {_THIS} AND owner = $4 RETURNING true)
            SELECT EXISTS (SELECT 1 FROM mine) AS mine, ARRAY(
                SELECT d.delivery_id FROM deliveries d
                WHERE d.workspace_id = $1 AND d.campaign_id = $2 AND d.trigger_no = $3
                  AND d.recipient_no >= $5 AND d.recipient_no <= $6
                  AND NOT (d.status = 'queued' AND d.attempts = 0 AND d.handed_over_at IS NULL)) AS others""",
        *key,
        owner,
        first,
        last,
        now,
    )
    return set(record["others"]) if record["mine"] else None


async def step_back(conn: Connection, key: Key, owner: str, position: int) -> None:
    """Note that nothing behind this place has been handed over after all."""
    await conn.execute(
        f"UPDATE broadcast_claims SET position = least(position, $5) WHERE {_THIS} AND owner = $4",
        *key,
        owner,
        position,
    )


async def let_go(conn: Connection, key: Key) -> None:
    """Nothing of the trigger is in hand any more."""
    await conn.execute(f"DELETE FROM broadcast_claims WHERE {_THIS}", *key)


__all__ = ["advance", "exists", "is_owner", "let_go", "step_back", "take_over", "write_out"]
