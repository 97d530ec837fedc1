"""Objects: written one by one, under the lock of their row."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from store.database import Connection


@dataclass(slots=True)
class ObjectRow:
    """One object; `attribute_times` maps names, removed ones included, to microseconds."""

    object_no: int
    object_type_id: int
    object_id: str
    attributes: dict[str, Any]
    attribute_times: dict[str, int]
    created_at: datetime


_COLUMNS = "object_no, object_type_id, object_id, attributes, attribute_times, created_at"


async def lock(conn: Connection, workspace_id: int, object_no: int) -> ObjectRow | None:
    """Lock an object to the end of the transaction and read it; None where it is gone."""
    record = await conn.fetchrow(
        f"SELECT {_COLUMNS} FROM objects WHERE workspace_id = $1 AND object_no = $2 FOR NO KEY UPDATE",
        workspace_id,
        object_no,
    )
    return None if record is None else ObjectRow(*record)


async def get(conn: Connection, workspace_id: int, object_no: int) -> ObjectRow | None:
    """An object as it is, unlocked; None where it is gone."""
    record = await conn.fetchrow(
        f"SELECT {_COLUMNS} FROM objects WHERE workspace_id = $1 AND object_no = $2", workspace_id, object_no
    )
    return None if record is None else ObjectRow(*record)


async def ensure(
    conn: Connection, workspace_id: int, object_type_id: int, object_id: str, now: datetime
) -> tuple[ObjectRow, bool]:
    """The object under lock, made without attributes where it is not there; and whether it was made."""
    record = await conn.fetchrow(
        f"""INSERT INTO objects (workspace_id, object_type_id, object_id, attributes, attribute_times, created_at)
            VALUES ($1, $2, $3, '{{}}', '{{}}', $4)
            ON CONFLICT (workspace_id, object_type_id, object_id) DO UPDATE SET created_at = objects.created_at
            RETURNING {_COLUMNS}, xmax = 0 AS created""",
        workspace_id,
        object_type_id,
        object_id,
        now,
    )
    *columns, created = record
    return ObjectRow(*columns), created


async def update(conn: Connection, workspace_id: int, row: ObjectRow) -> None:
    """Write back the attributes of an object whose lock the caller holds."""
    await conn.execute(
        "UPDATE objects SET attributes = $3, attribute_times = $4 WHERE workspace_id = $1 AND object_no = $2",
        workspace_id,
        row.object_no,
        row.attributes,
        row.attribute_times,
    )


async def delete(conn: Connection, workspace_id: int, object_no: int) -> None:
    """Remove an object; its relationships are the caller's to remove."""
    await conn.execute("DELETE FROM objects WHERE workspace_id = $1 AND object_no = $2", workspace_id, object_no)


async def page_of_type(
    conn: Connection, workspace_id: int, object_type_id: int, *, after: int, limit: int
) -> list[ObjectRow]:
    """The next objects of a type, by internal number, that somebody is related to."""
    records = await conn.fetch(
        f"""SELECT {_COLUMNS} FROM objects o
            WHERE workspace_id = $1 AND object_type_id = $2 AND object_no > $3 AND EXISTS (
                SELECT 1 FROM relationships r WHERE r.workspace_id = $1 AND r.object_no = o.object_no)
            ORDER BY object_no LIMIT $4""",
        workspace_id,
        object_type_id,
        after,
        limit,
    )
    return [ObjectRow(*record) for record in records]


async def purge(conn: Connection, workspace_id: int, object_type_id: int, limit: int) -> int:
    """Delete up to `limit` objects of a type with all their relationships; returns how many."""
    gone: int = await conn.fetchval(
        """WITH gone AS (
               DELETE FROM objects WHERE workspace_id = $1 AND object_no IN (
                   SELECT object_no FROM objects WHERE workspace_id = $1 AND object_type_id = $2
                   ORDER BY object_id LIMIT $3)
               RETURNING object_no),
           parted AS (
               DELETE FROM relationships WHERE workspace_id = $1 AND object_no IN (SELECT object_no FROM gone))
           SELECT count(*) FROM gone""",
        workspace_id,
        object_type_id,
        limit,
    )
    return gone


__all__ = ["ObjectRow", "delete", "ensure", "get", "lock", "page_of_type", "purge", "update"]
