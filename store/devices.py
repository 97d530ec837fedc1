"""Devices: push tokens, each of one person; written under that person's lock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from domain.devices import LastStatus
from store.database import Connection


@dataclass(slots=True)
class DeviceRow:
    """One registered token."""

    token: str
    person_id: int
    platform: str
    last_used: datetime
    last_status: LastStatus
    attributes: dict[str, Any]
    created_at: datetime


_NAMES = [column.name for column in fields(DeviceRow)]
_COLUMNS = ", ".join(_NAMES)


async def get(conn: Connection, workspace_id: int, token: str) -> DeviceRow | None:
    """The device with this token, or None."""
    record = await conn.fetchrow(
        f"SELECT {_COLUMNS} FROM devices WHERE workspace_id = $1 AND token = $2", workspace_id, token
    )
    return None if record is None else DeviceRow(*record)


async def of_people(conn: Connection, workspace_id: int, person_ids: Sequence[int]) -> list[DeviceRow]:
    """The devices of these people, those used last first."""
    records = await conn.fetch(
        f"""SELECT {_COLUMNS} FROM devices WHERE workspace_id = $1 AND person_id = ANY($2::bigint[])
            ORDER BY last_used DESC, token""",
        workspace_id,
        list(person_ids),
    )
    return [DeviceRow(*record) for record in records]


async def save(conn: Connection, workspace_id: int, row: DeviceRow) -> None:
    """Store a device as it is now, whosever the token was."""
    await conn.execute(
        f"""INSERT INTO devices (workspace_id, {_COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
            ON CONFLICT (workspace_id, token) DO UPDATE SET person_id = EXCLUDED.person_id,
                platform = EXCLUDED.platform, last_used = EXCLUDED.last_used, last_status = EXCLUDED.last_status,
                attributes = EXCLUDED.attributes, created_at = EXCLUDED.created_at""",
        workspace_id,
        *[getattr(row, name) for name in _NAMES],
    )


async def delete(conn: Connection, workspace_id: int, token: str) -> None:
    """Forget a token."""
    await conn.execute("DELETE FROM devices WHERE workspace_id = $1 AND token = $2", workspace_id, token)


async def evict(conn: Connection, workspace_id: int, person_id: int, keep: int) -> list[DeviceRow]:
    """Delete the devices of a person beyond the `keep` used last; returns them."""
    records = await conn.fetch(
        f"""DELETE FROM devices WHERE workspace_id = $1 AND token IN (
                SELECT token FROM devices WHERE workspace_id = $1 AND person_id = $2
                ORDER BY last_used DESC, token OFFSET $3)
            RETURNING {_COLUMNS}""",
        workspace_id,
        person_id,
        keep,
    )
    return [DeviceRow(*record) for record in records]


__all__ = ["DeviceRow", "delete", "evict", "get", "of_people", "save"]
