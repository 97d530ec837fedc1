"""Which deliveries others report about: by the bare id from anywhere, or by many within a workspace (API-10)."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from services.looking.leaving import is_delivery_id
from store import deliveries, delivery_channels
from store.database import Database


class Reported(NamedTuple):
    """A delivery that somebody knows the id of."""

    workspace_id: int
    channel: str


async def find(db: Database, delivery_id: str) -> Reported | None:
    """Whose delivery it is, None where there is no such delivery."""
    if not is_delivery_id(delivery_id):
        return None
    async with db.connection() as conn:
        row = await deliveries.find(conn, delivery_id)
    return None if row is None else Reported(row.workspace_id, row.channel)


async def channels(db: Database, workspace_id: int, delivery_ids: Collection[str]) -> dict[str, str]:
    """The channel of each delivery of the workspace, as far as there are such."""
    wanted = [name for name in delivery_ids if is_delivery_id(name)]
    if not wanted:
        return {}
    async with db.connection() as conn:
        return await delivery_channels.of(conn, workspace_id, wanted)


__all__ = ["Reported", "channels", "find"]
