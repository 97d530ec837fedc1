"""The numbers of object types: which were given out, which of them by calls, which are retired."""

from __future__ import annotations

from typing import NamedTuple

from store.database import Connection


class NumberRow(NamedTuple):
    """A number that an object type has or had."""

    object_type_id: int
    automatic: bool
    retired: bool


async def find(conn: Connection, workspace_id: int, object_type_id: int) -> NumberRow | None:
    """What is known of a number; None where no type ever had it."""
    record = await conn.fetchrow(
        """SELECT object_type_id, automatic, retired FROM object_type_numbers
           WHERE workspace_id = $1 AND object_type_id = $2""",
        workspace_id,
        object_type_id,
    )
    return None if record is None else NumberRow(*record)


async def retired(conn: Connection, workspace_id: int) -> set[int]:
    """The numbers of types that were deleted."""
    records = await conn.fetch(
        "SELECT object_type_id FROM object_type_numbers WHERE workspace_id = $1 AND retired", workspace_id
    )
    return {record["object_type_id"] for record in records}


async def count_automatic(conn: Connection, workspace_id: int) -> int:
    """How many numbers calls have taken so far, those retired since included."""
    count: int = await conn.fetchval(
        "SELECT count(*) FROM object_type_numbers WHERE workspace_id = $1 AND automatic", workspace_id
    )
    return count


async def take(conn: Connection, workspace_id: int, object_type_id: int, *, automatic: bool) -> None:
    """Give a number out, for ever."""
    await conn.execute(
        """INSERT INTO object_type_numbers (workspace_id, object_type_id, automatic, retired)
           VALUES ($1, $2, $3, false)""",
        workspace_id,
        object_type_id,
        automatic,
    )


async def retire(conn: Connection, workspace_id: int, object_type_id: int) -> None:
    """Take a number out of use, for ever."""
    await conn.execute(
        "UPDATE object_type_numbers SET retired = true WHERE workspace_id = $1 AND object_type_id = $2",
        workspace_id,
        object_type_id,
    )


__all__ = ["NumberRow", "count_automatic", "find", "retire", "retired", "take"]
