"""What the clock does to campaigns: starts and stops that were scheduled, at their instants (CMP-22)."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from domain.errors import InvalidInput, NotFound
from services import campaigns
from services.campaigns import STARTABLE, STOPPABLE, Found, Inside
from services.definitions import wire_problem
from services.due import Clock, DueWork
from services.schedules import schedule_of
from store import definitions as store
from store import schedules, workspaces
from store.database import Connection, Database
from store.notify import Notifier

logger = logging.getLogger("sojourn.due")


class Turns:
    """Starts and stops campaigns of all workspaces when their instants have come."""

    def __init__(self, db: Database, notifier: Notifier) -> None:
        self._db = db
        self._notifier = notifier

    @property
    def workers(self) -> Mapping[str, DueWork]:
        """Who works on which kind of due row."""
        return {schedules.START: self.start, schedules.STOP: self.stop}

    async def start(self, workspace_id: int, ref: str, clock: Clock) -> None:
        """Start the campaign as by hand; what stands in the way is noted, and it stays as it is."""
        async with self._db.transaction() as conn:
            found = await _taken(conn, workspace_id, schedules.START, ref, clock())
            if found is None or found.row.state not in STARTABLE.values():
                return
            try:
                await campaigns.begin(conn, found, None, found.workspace.now(clock()))
            except InvalidInput as refusal:
                await _note(conn, found, [wire_problem(problem) for problem in refusal.problems])
        self._notifier.send("tasks")

    async def stop(self, workspace_id: int, ref: str, clock: Clock) -> None:
        """Stop the campaign, where it runs, and do with the people inside as its document says.

        Where nobody looked for so long that its start is overdue as well, that comes first: rows are worked on side by side.
        """
        await self.start(workspace_id, ref, clock)
        real_now = clock()
        async with self._db.transaction() as conn:
            found = await _taken(conn, workspace_id, schedules.STOP, ref, real_now)
            if found is None or found.row.state not in STOPPABLE:
                return
            now = found.workspace.now(real_now)
            mode: Inside = schedule_of(found.row.document).on_stop or "finish"
            _, ending = await campaigns.halt(conn, found, mode, now)
        if ending is not None:
            await campaigns.empty(self._db, found, ending, now)
        self._notifier.send("tasks", "outbox")


async def _taken(
    conn: Connection, workspace_id: int, turn: schedules.Turn, ref: str, real_now: datetime
) -> Found | None:
    """The campaign whose turn it is, the turn used up; None where it is gone or its turn is another one's by now."""
    campaign_id = int(ref)
    try:
        found = await campaigns.find(conn, workspace_id, campaign_id)
    except NotFound:
        await schedules.drop(conn, workspace_id, campaign_id)
        return None
    return found if await schedules.take(conn, workspace_id, turn, campaign_id, found.workspace.now(real_now)) else None


async def _note(conn: Connection, found: Found, problems: list[dict[str, Any]]) -> None:
    row = found.row
    await store.set_schedule_problems(conn, row.workspace_id, row.definition_id, problems)
    await workspaces.bump_definitions(conn, row.workspace_id)
    about = {"workspace": row.workspace_id, "campaign": row.definition_id}
    logger.warning("A campaign could not be started by its schedule; its status says why.", extra=about)


__all__ = ["Turns"]
