"""The channels of deliveries, many at once."""

from __future__ import annotations

from collections.abc import Sequence

from store.database import Connection


async def of(conn: Connection, workspace_id: int, delivery_ids: Sequence[str]) -> dict[str, str]:
    """The channel of each delivery by its id; those that the workspace does not have are left out."""
    records = await conn.fetch(
        "SELECT delivery_id, channel FROM deliveries WHERE workspace_id = $1 AND delivery_id = ANY($2::text[])",
        workspace_id,
        delivery_ids,
    )
    return {record["delivery_id"]: record["channel"] for record in records}


__all__ = ["of"]
