"""Journeys that ended long ago are deleted, page by page; those under way never are."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from domain.ids import ulid
from store import journey_expiry, workspaces
from store.database import Database

PAGE: Final = 1_000


async def expire_journeys(db: Database, kept: timedelta, real_now: datetime) -> int:
    """Delete journeys that ended so long ago by the clock of their workspace; returns how many."""
    async with db.connection() as conn:
        everybody = await workspaces.all_workspaces(conn)
    total = 0
    for workspace in everybody:
        before = workspace.now(real_now) - kept
        # An id begins with when it was made, which is before its journey ended.
        until, last = ulid(max(0, int(before.timestamp() * 1_000)), bytes(10)), ""
        while True:
            async with db.transaction() as conn:
                passed = await journey_expiry.delete_ended(
                    conn, workspace.workspace_id, before, after=last, until=until, limit=PAGE
                )
            total += passed.deleted
            if passed.last is None:
                break
            last = passed.last
    return total


__all__ = ["expire_journeys"]
