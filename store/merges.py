"""Everything that is kept under one person's number goes over to another's."""

from __future__ import annotations

from datetime import datetime

from store.database import Connection

MOST_DEVICES = 25
_MOVED = (
    "UPDATE events SET person_id = $2 WHERE workspace_id = $1 AND person_id = $3",
    "UPDATE activities SET person_id = $2 WHERE workspace_id = $1 AND person_id = $3",
    "UPDATE deliveries SET person_id = $2 WHERE workspace_id = $1 AND person_id = $3",
    "UPDATE mailbox SET person_id = $2 WHERE workspace_id = $1 AND person_id = $3",
    "UPDATE anonymous_ids SET person_id = $2 WHERE workspace_id = $1 AND person_id = $3",
    "UPDATE devices SET person_id = $2 WHERE workspace_id = $1 AND person_id = $3",
    "UPDATE export_lines SET person_id = $2 WHERE workspace_id = $1 AND person_id = $3",
    """UPDATE relationships p SET attributes = s.attributes || p.attributes FROM relationships s
       WHERE p.workspace_id = $1 AND p.person_id = $2 AND s.workspace_id = $1 AND s.person_id = $3
         AND s.object_no = p.object_no""",
    """DELETE FROM relationships s USING relationships p
       WHERE s.workspace_id = $1 AND s.person_id = $3 AND p.workspace_id = $1 AND p.person_id = $2
         AND s.object_no = p.object_no""",
    "UPDATE relationships SET person_id = $2 WHERE workspace_id = $1 AND person_id = $3",
    # Who stands twice in an audience whose turn has not come is written to once.
    """DELETE FROM broadcast_recipients s USING broadcast_recipients p, broadcast_triggers t
       WHERE s.workspace_id = $1 AND s.person_id = $3 AND p.workspace_id = $1 AND p.person_id = $2
         AND p.broadcast_id = s.broadcast_id AND p.trigger_no = s.trigger_no
         AND t.workspace_id = $1 AND t.broadcast_id = s.broadcast_id AND t.trigger_no = s.trigger_no
         AND s.position > t.position""",
    "UPDATE broadcast_recipients SET person_id = $2 WHERE workspace_id = $1 AND person_id = $3",
    "UPDATE merged_people SET merged_into = $2 WHERE workspace_id = $1 AND merged_into = $3",
)


async def move(conn: Connection, workspace_id: int, *, primary: int, secondary: int, now: datetime) -> None:
    """Re-point what is the secondary's, journeys apart, and remember where they went; the secondary is gone then."""
    for statement in _MOVED:
        await conn.execute(statement, workspace_id, primary, secondary)
    await conn.execute(
        """DELETE FROM devices WHERE workspace_id = $1 AND token IN (
               SELECT token FROM devices WHERE workspace_id = $1 AND person_id = $2
               ORDER BY last_used DESC, token OFFSET $3)""",
        workspace_id,
        primary,
        MOST_DEVICES,
    )
    # What waited to begin a journey of the secondary waits no more: a merge lets nobody in by what was inherited.
    for table in ("memberships", "entry_retries", "entry_refusals"):
        await conn.execute(f"DELETE FROM {table} WHERE workspace_id = $1 AND person_id = $2", workspace_id, secondary)
    await conn.execute("DELETE FROM people WHERE workspace_id = $1 AND person_id = $2", workspace_id, secondary)
    await conn.execute(
        "INSERT INTO merged_people (workspace_id, person_id, merged_into, merged_at) VALUES ($1, $2, $3, $4)",
        workspace_id,
        secondary,
        primary,
        now,
    )


async def into(conn: Connection, workspace_id: int, person_id: int) -> int | None:
    """The number of whom somebody was merged into; None where they were not."""
    found: int | None = await conn.fetchval(
        "SELECT merged_into FROM merged_people WHERE workspace_id = $1 AND person_id = $2", workspace_id, person_id
    )
    return found


async def merged(conn: Connection, workspace_id: int, person_id: int) -> list[int]:
    """The numbers of everybody who was merged into somebody."""
    records = await conn.fetch(
        "SELECT person_id FROM merged_people WHERE workspace_id = $1 AND merged_into = $2", workspace_id, person_id
    )
    return [record["person_id"] for record in records]


async def is_gone(conn: Connection, workspace_id: int, person_id: int) -> bool:
    """Whether somebody was removed, and so was whom they had been merged into."""
    found: bool = await conn.fetchval(
        """SELECT NOT EXISTS (
               SELECT 1 FROM people WHERE workspace_id = $1 AND (person_id = $2 OR person_id = (
                   SELECT merged_into FROM merged_people WHERE workspace_id = $1 AND person_id = $2)))""",
        workspace_id,
        person_id,
    )
    return found


__all__ = ["MOST_DEVICES", "into", "is_gone", "merged", "move"]
