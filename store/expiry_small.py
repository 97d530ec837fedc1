"""What of several small tables is over: ended tasks, the oldest captures, paces of hosts, signing keys."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from store.database import Connection


async def tasks(conn: Connection, workspace_id: int, before: datetime, limit: int) -> int:
    """Delete up to `limit` tasks that ended before an instant; the last build of each segment stays, its page shows it."""
    return await _deleted(
        conn,
        """DELETE FROM tasks WHERE workspace_id = $1 AND task_id = ANY (ARRAY(
               SELECT t.task_id FROM tasks t
               WHERE t.workspace_id = $1 AND t.state NOT IN ('queued', 'running') AND t.ended_at < $2
                 AND (t.type <> 'segment_build' OR EXISTS (
                       SELECT 1 FROM tasks n WHERE n.workspace_id = $1 AND n.type = 'segment_build'
                         AND n.payload -> 'segment_id' = t.payload -> 'segment_id' AND n.task_id > t.task_id))
               ORDER BY t.task_id LIMIT $3))""",
        workspace_id,
        before,
        limit,
    )


async def captures(conn: Connection, workspace_id: int, kept: int, limit: int) -> int:
    """Delete up to `limit` captured messages beyond the newest `kept`."""
    return await _deleted(
        conn,
        """DELETE FROM mailbox WHERE captured_id = ANY (ARRAY(
               SELECT captured_id FROM mailbox
               WHERE workspace_id = $1 AND captured_id <= (
                   SELECT captured_id FROM mailbox WHERE workspace_id = $1 ORDER BY captured_id DESC OFFSET $2 LIMIT 1)
               ORDER BY captured_id LIMIT $3))""",
        workspace_id,
        kept,
        limit,
    )


async def paces(conn: Connection, workspace_id: int, before: datetime) -> dict[str, int]:
    """Delete what hosts answered before an instant, and turns at them that were before it."""
    queries = {
        "endpoint_answers": "DELETE FROM endpoint_answers WHERE workspace_id = $1 AND minute < $2",
        "endpoint_turns": "DELETE FROM endpoint_turns WHERE workspace_id = $1 AND next_at < $2",
    }
    return {table: await _deleted(conn, query, workspace_id, before) for table, query in queries.items()}


async def keys(conn: Connection, workspace_id: int, now: datetime) -> int:
    """Delete signing keys that count no more."""
    return await _deleted(
        conn, "DELETE FROM signing_keys WHERE workspace_id = $1 AND expires_at <= $2", workspace_id, now
    )


async def _deleted(conn: Connection, statement: str, *arguments: Any) -> int:
    gone: str = await conn.execute(statement, *arguments)
    return int(gone.rsplit(" ", 1)[1])


__all__ = ["captures", "keys", "paces", "tasks"]
