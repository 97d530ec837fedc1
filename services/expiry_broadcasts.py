"""What triggers of broadcasts leave behind: their audience, what was given for each and their errors, kept for 90 days (CHN-20)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from store import broadcast_triggers, workspaces
from store.database import Database

KEPT: Final = timedelta(days=90)
PAGE: Final = 5_000
TOGETHER: Final = 100


async def expire_triggers(db: Database, real_now: datetime) -> int:
    """Forget the people of triggers that are over for so long, by the clock of their workspace; returns how many triggers.

    How many they were stays, and what became of the messages.
    """
    async with db.connection() as conn:
        everybody = await workspaces.all_workspaces(conn)
    count = 0
    for workspace in everybody:
        workspace_id, until = workspace.workspace_id, workspace.now(real_now) - KEPT
        while True:
            async with db.connection() as conn:
                old = await broadcast_triggers.over_before(conn, workspace_id, until, TOGETHER)
            for broadcast_id, trigger_no in old:
                gone = PAGE
                while gone:
                    async with db.transaction() as conn:
                        gone = await broadcast_triggers.forget(conn, workspace_id, broadcast_id, trigger_no, PAGE)
            count += len(old)
            if len(old) < TOGETHER:
                break
    return count


__all__ = ["KEPT", "expire_triggers"]
