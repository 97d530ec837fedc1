"""Revisions of definitions that are too old to be kept: all but the newest of each, and those of what is deleted."""

from __future__ import annotations

from typing import Final

from store import revisions
from store.database import Database

KEPT: Final = 200
"""How many revisions of a definition are kept, the present one among them."""
PAGE: Final = 2_000


async def expire_revisions(db: Database) -> int:
    """Delete the revisions that are not kept, page by page; returns how many."""
    count, gone = 0, PAGE
    while gone == PAGE:
        async with db.transaction() as conn:
            gone = await revisions.trim(conn, KEPT, PAGE)
        count += gone
    return count


__all__ = ["KEPT", "expire_revisions"]
