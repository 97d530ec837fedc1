"""The upkeep of the deployment: jobs that are rows, run when they are due by whichever worker sees it first."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from store import locks
from store import maintenance as store
from store.database import Connection, Database
from telemetry.figures import PARTITIONS_DROPPED, RETENTION_ROWS_DELETED

logger = logging.getLogger("sojourn.maintenance")

LOOK_EVERY: Final = 15.0
AGAIN_AFTER: Final = timedelta(minutes=5)
"""When a job runs again that has failed, or has left something because it was busy."""


@dataclass(slots=True)
class Report:
    """What a run did: partitions by name, rows deleted by table; `left` is what was busy, `found` what it saw besides."""

    made: list[str] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)
    deleted: dict[str, int] = field(default_factory=dict)
    left: list[str] = field(default_factory=list)
    found: dict[str, Any] = field(default_factory=dict)

    def shown(self) -> dict[str, Any]:
        """As it is kept, without what is empty."""
        parts = {"made": self.made, "dropped": self.dropped, "deleted": self.deleted, "left": self.left}
        return {name: part for name, part in parts.items() if part} | self.found


@dataclass(frozen=True, slots=True)
class Job:
    """Something to do every so often; `kept_days` is the setting it goes by, a change of which makes it due."""

    name: str
    every: timedelta
    run: Callable[[Database, datetime], Awaitable[Report]]
    table: str | None = None
    kept_days: int | None = None


Outcome = Literal["done", "busy", "failed"]


class Maintainer:
    """Runs jobs when they are due; of several workers one runs each, another where that one dies."""

    def __init__(self, db: Database, jobs: Sequence[Job], clock: Callable[[], datetime]) -> None:
        self._db = db
        self._jobs = {job.name: job for job in jobs}
        self._clock = clock

    async def run(self, stop: asyncio.Event) -> None:
        """Go on until told to stop, beginning at once."""
        await self.plan()
        while not stop.is_set():
            await self.run_due()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_EVERY):
                    await stop.wait()

    async def plan(self) -> None:
        """See to it that every job has its row."""
        async with self._db.connection() as conn:
            await store.plan(conn, {job.name: job.kept_days for job in self._jobs.values()}, self._clock())

    async def run_due(self) -> Mapping[str, Outcome]:
        """Run what is due; returns what came of each that nobody else had in hand."""
        async with self._db.connection() as conn:
            names = await store.due(conn, list(self._jobs), self._clock())
        outcomes = {name: await self._perform(self._jobs[name], only_if_due=True) for name in names}
        return {name: outcome for name, outcome in outcomes.items() if outcome is not None}

    async def run_all(self) -> Mapping[str, Outcome | None]:
        """Run every job now, due or not; None for one that somebody else has in hand."""
        return {name: await self._perform(job, only_if_due=False) for name, job in self._jobs.items()}

    async def _perform(self, job: Job, *, only_if_due: bool) -> Outcome | None:
        async with self._db.connection() as conn:
            name = f"maintenance/{job.name}"
            if not await locks.hold(conn, name):
                return None
            try:
                if only_if_due and job.name not in await store.due(conn, [job.name], self._clock()):
                    return None
                return await self._performed(conn, job)
            finally:
                await locks.release(conn, name)

    async def _performed(self, conn: Connection, job: Job) -> Outcome:
        await store.begin(conn, job.name, self._clock())
        outcome: Outcome = "done"
        try:
            report = await job.run(self._db, self._clock())
        except Exception as error:
            logger.exception("a job of upkeep failed and is tried again", extra={"job": job.name})
            report, outcome = Report(found={"error": type(error).__name__}), "failed"
        if report.left:
            outcome = "busy"
        _count(job, report)
        now = self._clock()
        await store.finish(
            conn,
            job.name,
            outcome=outcome,
            report=report.shown(),
            dropped=len(report.dropped),
            deleted=sum(report.deleted.values()),
            now=now,
            due_at=now + (job.every if outcome == "done" else min(job.every, AGAIN_AFTER)),
        )
        if report.made or report.dropped or report.deleted:
            logger.info("upkeep", extra={"job": job.name, "report": report.shown()})
        return outcome


def _count(job: Job, report: Report) -> None:
    if job.table is not None:
        PARTITIONS_DROPPED.labels(job.table).inc(len(report.dropped))
    for table, rows in report.deleted.items():
        RETENTION_ROWS_DELETED.labels(table).inc(rows)


__all__ = ["Job", "Maintainer", "Outcome", "Report"]
