"""What operators watch and what stands in the database, each asked in a way that stays cheap however much there is."""

from __future__ import annotations

from datetime import datetime

from store.database import Connection


async def outbox_heads(conn: Connection) -> dict[str, int]:
    """The oldest row of each lane of the outbox that has any."""
    records = await conn.fetch("SELECT lane, min(outbox_id) AS head FROM outbox GROUP BY lane")
    return {record["lane"]: record["head"] for record in records}


async def oldest_due(conn: Connection, real_now: datetime) -> dict[str, datetime]:
    """The earliest instant that has come and was not seen to, by kind; sandboxes have time of their own."""
    records = await conn.fetch(
        """SELECT kind, min(due_at) AS due_at FROM due d JOIN workspaces w USING (workspace_id)
           WHERE NOT w.sandbox AND due_at <= $1 GROUP BY kind
           UNION ALL
           SELECT 'flip', min(found.at) FROM (
               SELECT (SELECT min(m.flips_at) FROM memberships m WHERE m.workspace_id = w.workspace_id) AS at
               FROM workspaces w WHERE NOT w.sandbox) found
           WHERE found.at <= $1 HAVING min(found.at) IS NOT NULL""",
        real_now,
    )
    return {record["kind"]: record["due_at"] for record in records}


async def open_tasks(conn: Connection) -> dict[str, int]:
    """How many tasks are not over, by type."""
    records = await conn.fetch(
        "SELECT type, count(*) AS tasks FROM tasks WHERE state IN ('queued', 'running') GROUP BY type"
    )
    return {record["type"]: record["tasks"] for record in records}


async def oldest_tasks(conn: Connection) -> dict[str, datetime]:
    """When the oldest of them was asked for, by type; sandboxes have time of their own."""
    records = await conn.fetch(
        """SELECT t.type, min(t.created_at) AS oldest FROM tasks t JOIN workspaces w USING (workspace_id)
           WHERE t.state IN ('queued', 'running') AND NOT w.sandbox GROUP BY t.type"""
    )
    return {record["type"]: record["oldest"] for record in records}


async def oldest_writer(conn: Connection, real_now: datetime) -> float:
    """The age in seconds of the oldest transaction that has written, in whatever database of the server."""
    began: datetime | None = await conn.fetchval(
        """SELECT min(xact_start) FROM pg_stat_activity WHERE backend_xid IS NOT NULL AND pid <> pg_backend_pid()"""
    )
    prepared: datetime | None = await conn.fetchval("SELECT min(prepared) FROM pg_prepared_xacts")
    known = [instant for instant in (began, prepared) if instant is not None]
    return max((real_now - min(known)).total_seconds(), 0.0) if known else 0.0


__all__ = ["oldest_due", "oldest_tasks", "oldest_writer", "open_tasks", "outbox_heads"]
