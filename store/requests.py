"""What transactional calls asked for, by the deliveries that they made (CHN-02)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from store.database import Connection
from store.deliveries import DeliveryRow


async def insert(conn: Connection, row: DeliveryRow, request: Mapping[str, Any]) -> None:
    """Keep what was asked for with a new delivery."""
    await conn.execute(
        """INSERT INTO delivery_requests (workspace_id, delivery_id, created_at, request) VALUES ($1, $2, $3, $4)
           ON CONFLICT DO NOTHING""",
        row.workspace_id,
        row.delivery_id,
        row.created_at,
        dict(request),
    )


async def get(conn: Connection, row: DeliveryRow) -> dict[str, Any] | None:
    """What was asked for, None where it is kept no longer."""
    request: dict[str, Any] | None = await conn.fetchval(
        "SELECT request FROM delivery_requests WHERE workspace_id = $1 AND delivery_id = $2 AND created_at = $3",
        row.workspace_id,
        row.delivery_id,
        row.created_at,
    )
    return request


async def forget(conn: Connection, row: DeliveryRow) -> None:
    """Keep it no longer."""
    await conn.execute(
        "DELETE FROM delivery_requests WHERE workspace_id = $1 AND delivery_id = $2 AND created_at = $3",
        row.workspace_id,
        row.delivery_id,
        row.created_at,
    )


__all__ = ["forget", "get", "insert"]
