"""The numbers by which the App API knows what an owner says in a language (APP-08)."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from store import workspaces
from store.database import Connection

DEFAULT = ""
"""Stands for the language of everybody for whom there is no variant."""


class ContentOwner(NamedTuple):
    """Whose content a number means: the kind and the id of the owner, and the language in small letters."""

    owner: str
    owner_id: int
    language: str


async def content_id(
    conn: Connection, workspace_id: int, owner: str, owner_id: int, *, language: str | None, now: datetime
) -> int:
    """The number of what an owner (`transactional`, ...) says in a language (None: the default), given where it has none."""
    named = (workspace_id, owner, owner_id, (language or DEFAULT).casefold())
    query = """SELECT content_id FROM content_ids
               WHERE workspace_id = $1 AND owner = $2 AND owner_id = $3 AND language = $4"""
    known: int | None = await conn.fetchval(query, *named)
    if known is not None:
        return known
    # The counter is held until the transaction ends, so that whoever comes at the same time finds the row.
    number = await workspaces.next_id(conn, workspace_id, "content")
    known = await conn.fetchval(query, *named)
    if known is not None:
        return known
    await conn.execute(
        """INSERT INTO content_ids (workspace_id, owner, owner_id, language, content_id, created_at, updated_at)
           VALUES ($1, $2, $3, $4, $5, $6, $6)""",
        *named,
        number,
        now,
    )
    return number


async def owner_of(conn: Connection, workspace_id: int, number: int) -> ContentOwner | None:
    """What a number means; None for one that was never given."""
    if not 0 < number < 2**31:
        return None
    record = await conn.fetchrow(
        "SELECT owner, owner_id, language FROM content_ids WHERE workspace_id = $1 AND content_id = $2",
        workspace_id,
        number,
    )
    return ContentOwner(**record) if record else None


__all__ = ["DEFAULT", "ContentOwner", "content_id", "owner_of"]
