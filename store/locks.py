"""Locks on names, held by a connection outside of any transaction: for work that takes longer than one may last."""

from __future__ import annotations

from store.database import Connection


async def hold(conn: Connection, name: str) -> bool:
    """Try to become the only one with this name, for as long as the connection holds it."""
    held: bool = await conn.fetchval("SELECT pg_try_advisory_lock(hashtextextended($1, 0))", name)
    return held


async def release(conn: Connection, name: str) -> None:
    """Let others have it."""
    await conn.execute("SELECT pg_advisory_unlock(hashtextextended($1, 0))", name)


__all__ = ["hold", "release"]
