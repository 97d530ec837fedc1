"""Imports and exports of one room, carried to their ends without Temporal."""

from __future__ import annotations

import csv
import io
from typing import Any

from clock import system_now
from domain.task_steps import TaskRef
from services import exports, imports
from services.long_tasks import LongTasks
from services.task_runner import TaskRunner
from store.notify import Notifier
from tests.support.database import Room


class Files:
    """Files into a room and out of it."""

    def __init__(self, room: Room) -> None:
        self.room = room
        self.tasks = LongTasks(room.db, room.catalogs, Notifier(room.db.pool), system_now)
        self.runner = TaskRunner(room.db, room.catalogs, Notifier(room.db.pool), system_now)

    async def begin(self, text: str | None, /, **fields: Any) -> int:
        """Begin an import of a file's text; returns its number."""
        named = {"name": "test", "type": "people", **fields}
        if named["type"] != "object":
            named.setdefault("identifier", "id")
        body = {"import": {**named, **({} if text is None else {"data": text})}}
        made = await imports.create(self.room.db, self.room.catalogs, self.room.workspace_id, body, system_now())
        return made["import"]["id"]

    async def bring(self, text: str, /, **fields: Any) -> dict[str, Any]:
        """Import a file's text, to the end."""
        number = await self.begin(text, **fields)
        await self.carry()
        return await self.look(number)

    async def look(self, number: int) -> dict[str, Any]:
        """An import as it stands."""
        return imports.shown(await imports.get(self.room.db, self.room.workspace_id, number))["import"]

    async def errors(self, number: int) -> list[dict[str, str]]:
        """The report of an import, a dictionary a row."""
        row = await imports.get(self.room.db, self.room.workspace_id, number)
        return table(b"".join([piece async for piece in imports.report(self.room.db, row)]))

    async def wanted(self, kind: str, /, **body: Any) -> int:
        """Begin an export; returns its number."""
        room = self.room
        made = await exports.create(room.db, room.catalogs, room.workspace_id, kind, body, real_now=system_now())
        return made["export"]["id"]

    async def fetched(self, number: int) -> bytes:
        """The file of an export that is done."""
        row = await exports.downloadable(self.room.db, self.room.workspace_id, number)
        return b"".join([piece async for piece in exports.content(self.room.db, row)])

    async def export(self, kind: str, /, **body: Any) -> bytes:
        """Export something, to the end; the file."""
        number = await self.wanted(kind, **body)
        await self.carry()
        return await self.fetched(number)

    async def carry(self) -> None:
        """Do everything there is to do about files, and what the runner has to do."""
        while open_tasks := await self.open():
            for task_id in open_tasks:
                await self.tasks.step(TaskRef(workspace_id=self.room.workspace_id, task_id=task_id))
            await self.apply()
        while await self.runner.run_once():
            await self.apply()

    async def apply(self) -> None:
        """Apply what the log holds."""
        while await self.room.applier.apply_once(system_now()):
            pass

    async def open(self) -> list[str]:
        """The imports and exports under way, by task."""
        rows = await self.room.rows(
            """SELECT task_id FROM tasks WHERE workspace_id = $1 AND state IN ('queued', 'running')
               AND type IN ('import', 'export') ORDER BY task_id"""
        )
        return [row["task_id"] for row in rows]


def table(content: bytes) -> list[dict[str, str]]:
    """A CSV file, a dictionary a row."""
    return list(csv.DictReader(io.StringIO(content.decode(), newline="")))


__all__ = ["Files", "table"]
