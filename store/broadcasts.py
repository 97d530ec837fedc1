"""Triggers of broadcasts: their rows, their frozen audience, their errors (CHN-16 to CHN-22)."""

from __future__ import annotations

from typing import Any

from store.database import Connection


async def recipient_data(
    conn: Connection, workspace_id: int, broadcast_id: int, trigger_no: int, position: int
) -> dict[str, Any] | None:
    """What templates of one recipient call `trigger`: their own data over that of all; None where the trigger is gone."""
    found: dict[str, Any] | None = await conn.fetchval(
        """SELECT t.data || COALESCE(r.data, '{}'::jsonb) FROM broadcast_triggers t
           LEFT JOIN broadcast_recipients r ON r.workspace_id = t.workspace_id AND r.broadcast_id = t.broadcast_id
             AND r.trigger_no = t.trigger_no AND r.position = $4
           WHERE t.workspace_id = $1 AND t.broadcast_id = $2 AND t.trigger_no = $3""",
        workspace_id,
        broadcast_id,
        trigger_no,
        position,
    )
    return found


async def turn_has_come(conn: Connection, workspace_id: int, broadcast_id: int, trigger_no: int) -> None:
    """Let a trigger wait for no instant any more."""
    await conn.execute(
        """UPDATE broadcast_triggers SET next_at = NULL
           WHERE workspace_id = $1 AND broadcast_id = $2 AND trigger_no = $3""",
        workspace_id,
        broadcast_id,
        trigger_no,
    )


__all__ = ["recipient_data", "turn_has_come"]
