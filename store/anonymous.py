"""What anonymous ids did, and whose they have become."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from domain.facts import EventType
from store.database import Connection


class AnonymousRow(NamedTuple):
    """One fact of somebody not known yet: an event, or what a group call said (`op`)."""

    anonymous_id: str
    seq: int
    op: str
    received_at: datetime
    at: datetime
    name: str | None
    type: EventType | None
    data: dict[str, Any]
    event_id: str | None


async def insert(conn: Connection, workspace_id: int, row: AnonymousRow) -> None:
    """Keep one."""
    await conn.execute(
        """INSERT INTO anonymous_facts
               (workspace_id, anonymous_id, seq, op, received_at, at, name, type, data, event_id)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)""",
        workspace_id,
        *row,
    )


async def take(
    conn: Connection, workspace_id: int, anonymous_id: str, *, received_from: datetime
) -> list[AnonymousRow]:
    """Remove everything of an id; returns what was received from an instant on, in order of acceptance."""
    records = await conn.fetch(
        """DELETE FROM anonymous_facts WHERE workspace_id = $1 AND anonymous_id = $2
           RETURNING anonymous_id, seq, op, received_at, at, name, type, data, event_id""",
        workspace_id,
        anonymous_id,
    )
    rows = [AnonymousRow(*record) for record in records]
    return sorted((row for row in rows if row.received_at >= received_from), key=lambda row: row.seq)


async def bind(conn: Connection, workspace_id: int, anonymous_id: str, person_id: int, at: datetime) -> None:
    """Make an id somebody's, for good."""
    await conn.execute(
        """INSERT INTO anonymous_ids (workspace_id, anonymous_id, person_id, bound_at) VALUES ($1, $2, $3, $4)
           ON CONFLICT (workspace_id, anonymous_id) DO NOTHING""",
        workspace_id,
        anonymous_id,
        person_id,
        at,
    )


async def bound_at(conn: Connection, workspace_id: int, anonymous_id: str) -> datetime | None:
    """When an id became somebody's."""
    found: datetime | None = await conn.fetchval(
        "SELECT bound_at FROM anonymous_ids WHERE workspace_id = $1 AND anonymous_id = $2", workspace_id, anonymous_id
    )
    return found


async def expire(conn: Connection, workspace_id: int, received_before: datetime, limit: int) -> int:
    """Delete what nobody claimed in time, at most so many; returns how many."""
    done: str = await conn.execute(
        """DELETE FROM anonymous_facts f USING (
               SELECT workspace_id, anonymous_id, seq FROM anonymous_facts
               WHERE workspace_id = $1 AND received_at < $2 LIMIT $3) old
           WHERE f.workspace_id = old.workspace_id AND f.anonymous_id = old.anonymous_id AND f.seq = old.seq""",
        workspace_id,
        received_before,
        limit,
    )
    return int(done.rpartition(" ")[2])


__all__ = ["AnonymousRow", "bind", "bound_at", "expire", "insert", "take"]
