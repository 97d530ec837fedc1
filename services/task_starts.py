"""Giving long tasks their workflows: the rows say which there have to be, Temporal may be away meanwhile."""

from __future__ import annotations

import asyncio
import logging

from services.gate import Gate, GateRefused, TaskRef
from services.long_tasks import KINDS, words
from services.repair import Repaired
from store import tasks as store
from store.database import Database
from store.notify import Listener

logger = logging.getLogger("sojourn.tasks")

ROUND = 20
PAGE = 100


class TaskStarter:
    """Starts the workflow of every long task that has none yet; any number of processes may run one."""

    def __init__(self, db: Database, gate: Gate) -> None:
        self._db = db
        self._gate = gate

    async def run(self, listener: Listener, stop: asyncio.Event) -> None:
        """Look on each notice and at least every second, until told to stop; raises `TemporalAway`."""
        async for _ in listener.ticks("tasks"):
            while not stop.is_set() and await self.start_once():
                pass
            if stop.is_set():
                return

    async def start_once(self) -> int:
        """Start a round of workflows and return how many; a second start of the same changes nothing."""
        async with self._db.connection() as conn:
            rows = await store.unstarted(conn, list(KINDS), ROUND)
        started = 0
        for row in rows:
            ref = TaskRef(workspace_id=row.workspace_id, task_id=row.task_id)
            try:
                await self._gate.start_task(ref, words(row))
            except GateRefused as error:
                ids = {"workspace": row.workspace_id, "task": row.task_id, "code": error.code}
                logger.warning("Temporal refused to start a task; it is tried again.", extra=ids)
                continue
            async with self._db.transaction() as conn:
                await store.note_workflow(conn, row.workspace_id, row.task_id, ref.workflow_id)
            started += 1
        return started


async def repair_tasks(db: Database, gate: Gate, *, workspace_id: int | None = None) -> Repaired:
    """Have a workflow for every long task under way that should have one, of one workspace or all.

    Raises `TemporalAway`.
    """
    done = Repaired(0, 0)
    after = (0, "")
    while True:
        async with db.connection() as conn:
            rows = await store.carried(conn, after, PAGE, workspace_id)
        for row in rows:
            started = await _again(gate, row)
            done = Repaired(done.looked_at + 1, done.started + started)
        if len(rows) < PAGE:
            return done
        after = (rows[-1].workspace_id, rows[-1].task_id)


async def _again(gate: Gate, row: store.TaskRow) -> bool:
    ref = TaskRef(workspace_id=row.workspace_id, task_id=row.task_id)
    try:
        return await gate.start_task(ref, words(row))
    except GateRefused as error:
        ids = {"workspace": row.workspace_id, "task": row.task_id, "code": error.code}
        logger.warning("Temporal refused to start a task.", extra=ids)
        return False


__all__ = ["TaskStarter", "repair_tasks"]
