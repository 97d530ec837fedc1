"""The rows of collections, replaced as a whole; their definitions hold the names."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from domain.collections import Contents
from store.database import Connection


class ContentRow(NamedTuple):
    """What is known of the rows of a collection without reading them."""

    collection_id: int
    row_count: int
    bytes: int
    columns: list[str]
    updated_at: datetime


_COLUMNS = ", ".join(ContentRow._fields)


async def put(conn: Connection, workspace_id: int, collection_id: int, contents: Contents, now: datetime) -> None:
    """Replace all rows of a collection."""
    await conn.execute(
        """INSERT INTO collection_contents (workspace_id, collection_id, rows, row_count, bytes, columns, updated_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7)
           ON CONFLICT (workspace_id, collection_id) DO UPDATE SET rows = EXCLUDED.rows,
               row_count = EXCLUDED.row_count, bytes = EXCLUDED.bytes, columns = EXCLUDED.columns,
               updated_at = EXCLUDED.updated_at""",
        workspace_id,
        collection_id,
        list(contents.rows),
        len(contents.rows),
        contents.bytes,
        list(contents.columns),
        now,
    )


async def known(conn: Connection, workspace_id: int) -> dict[int, ContentRow]:
    """What is known of the rows of every collection, by its id."""
    records = await conn.fetch(f"SELECT {_COLUMNS} FROM collection_contents WHERE workspace_id = $1", workspace_id)
    return {record["collection_id"]: ContentRow(*record) for record in records}


async def rows_of(conn: Connection, workspace_id: int, collection_id: int) -> list[dict[str, Any]]:
    """The rows of a collection."""
    rows: list[dict[str, Any]] | None = await conn.fetchval(
        "SELECT rows FROM collection_contents WHERE workspace_id = $1 AND collection_id = $2",
        workspace_id,
        collection_id,
    )
    return rows or []


async def text_of(conn: Connection, workspace_id: int, collection_id: int) -> str:
    """The rows of a collection as JSON text, which nobody here has to read."""
    text: str | None = await conn.fetchval(
        "SELECT rows::text FROM collection_contents WHERE workspace_id = $1 AND collection_id = $2",
        workspace_id,
        collection_id,
    )
    return text or "[]"


async def delete(conn: Connection, workspace_id: int, collection_id: int) -> None:
    """Forget the rows of a collection."""
    await conn.execute(
        "DELETE FROM collection_contents WHERE workspace_id = $1 AND collection_id = $2", workspace_id, collection_id
    )


__all__ = ["ContentRow", "delete", "known", "put", "rows_of", "text_of"]
