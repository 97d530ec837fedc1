"""Rows that nobody needs after a while and that no other rule bounds."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from store import expiry_small as store
from store import workspaces
from store.database import Database

PAGE: Final = 2_000
TASKS_KEPT: Final = timedelta(days=90)
"""How long it is known of long work that is over what it came to."""
PACES_KEPT: Final = timedelta(days=1)
"""How long after the last call what a host answered is kept; it is looked back on for ten minutes."""
CAPTURES_KEPT: Final = 100_000
"""How many captured messages the mailbox of a workspace holds: the newest."""


async def expire(db: Database, real_now: datetime) -> dict[str, int]:
    """Delete them page by page, by the clock of their workspace; returns how many of each table."""
    async with db.connection() as conn:
        everybody = await workspaces.all_workspaces(conn)
    gone = dict.fromkeys(("tasks", "mailbox", "endpoint_answers", "endpoint_turns", "signing_keys"), 0)
    for workspace in everybody:
        number, now = workspace.workspace_id, workspace.now(real_now)
        page = PAGE
        while page == PAGE:
            async with db.transaction() as conn:
                page = await store.tasks(conn, number, now - TASKS_KEPT, PAGE)
            gone["tasks"] += page
        page = PAGE
        while page == PAGE:
            async with db.transaction() as conn:
                page = await store.captures(conn, number, CAPTURES_KEPT, PAGE)
            gone["mailbox"] += page
        async with db.transaction() as conn:
            for table, rows in (await store.paces(conn, number, min(now, real_now) - PACES_KEPT)).items():
                gone[table] += rows
            gone["signing_keys"] += await store.keys(conn, number, now)
    return gone


__all__ = ["CAPTURES_KEPT", "TASKS_KEPT", "expire"]
