"""Segments of a room built page by page, and who would be in them by their conditions alone."""

from __future__ import annotations

from typing import Any

from clock import system_now
from domain.conditions import decide
from domain.task_steps import TaskProgress, TaskRef
from ingest.reading import read_facts
from services import definitions
from services.due import fire
from services.long_tasks import LongTasks
from store import builds, metrics
from store.notify import Notifier
from tests.support.database import Room


class Building:
    """Saves segments in a room whose builds go only as far as somebody carries them."""

    def __init__(self, room: Room) -> None:
        self.room = room
        self.tasks = LongTasks(room.db, room.catalogs, Notifier(room.db.pool), system_now)

    async def save(self, *documents: dict[str, Any]) -> list[str]:
        """Save definitions; returns the tasks of the builds that follow."""
        known = await self._tasks()
        room = self.room
        await definitions.apply(room.db, room.workspace_id, {"definitions": list(documents)}, now=system_now())
        return sorted(await self._tasks() - known)

    async def _tasks(self) -> set[str]:
        rows = await self.room.rows("SELECT task_id FROM tasks WHERE workspace_id = $1 AND type = 'segment_build'")
        return {row["task_id"] for row in rows}

    async def step(self, task_id: str) -> TaskProgress:
        """Do a page."""
        progress, _ = await self.tasks.step(TaskRef(workspace_id=self.room.workspace_id, task_id=task_id))
        return progress

    async def finish(self, *task_ids: str) -> TaskProgress:
        """Build to the end; how far the last is then."""
        progress = TaskProgress(state="gone")
        for task_id in task_ids:
            progress = await self.step(task_id)
            while not progress.over:
                progress = await self.step(task_id)
        return progress

    async def catch_up(self) -> None:
        """Have everything looked at that the clock asks for, and apply what is in the log."""
        room = self.room
        moved = 1
        while moved:
            async with room.db.transaction() as conn:
                fired = await fire(conn, await room.catalogs.get(conn, room.workspace_id), system_now())
            moved = fired.counts["segment_flip"]
            await room.apply()

    async def state(self, key: str) -> str:
        """Where a segment stands in its life."""
        [row] = await self.room.rows(
            "SELECT state FROM definitions WHERE workspace_id = $1 AND kind = 'segment' AND key = $2", key
        )
        return row["state"]

    async def counted(self, key: str) -> int:
        """How many members the figures say there are."""
        async with self.room.db.connection() as conn:
            catalog = await self.room.catalogs.get(conn, self.room.workspace_id)
            number = catalog.segment_ids[key]
            found = await metrics.totals(conn, self.room.workspace_id, "segment", [number])
        return found.get(number, {}).get("members", 0)

    async def expected(self, key: str) -> list[str]:
        """The ids of the people for whom the conditions hold, each looked at by itself."""
        room = self.room
        async with room.db.transaction() as conn:
            catalog = await room.catalogs.get(conn, room.workspace_id)
            condition = catalog.segments[catalog.segment_ids[key]].condition
            ids = await conn.fetch("SELECT person_id FROM people WHERE workspace_id = $1", room.workspace_id)
            people = await builds.hold(conn, room.workspace_id, [row["person_id"] for row in ids])
            facts = await read_facts(conn, catalog, people, condition.keys)
            now = catalog.now(system_now())
        return sorted(p.id or "" for p in people if decide(condition, facts[p.person_id], now)[0])

    async def kept(self) -> list[dict[str, Any]]:
        """What is kept of memberships in segments."""
        return await self.room.rows(
            """SELECT person_id, ref_id, member, flips_at FROM memberships
               WHERE workspace_id = $1 AND kind = 'segment' ORDER BY person_id, ref_id"""
        )


__all__ = ["Building"]
