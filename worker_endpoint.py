"""What a worker answers over HTTP: whether it lives, whether it works, its figures."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence

import orjson

from clock import system_now
from keeper import Keeper
from observability import Answer, Route
from services.standing import StandingReader
from store.database import Database
from telemetry import figures
from telemetry.temporal import EVERY as DRAIN_EVERY
from telemetry.temporal import FIGURES as SDK

FIGURES_LIMIT = 2.0
REPORTING = "tasks"
"""The role whose processes report what stands in the database: once would do, and all would add up wrongly."""


class Endpoint:
    """The answers of one worker process with these roles."""

    def __init__(self, keeper: Keeper, roles: Sequence[str]) -> None:
        self._keeper = keeper
        self._reports = REPORTING in roles
        self._reader: StandingReader | None = None
        self._db: Database | None = None
        self.waits_for: str | None = None

    def connected(self, db: Database) -> None:
        """The database is there."""
        self._db = db
        self._reader = StandingReader(db, system_now) if self._reports else None

    @property
    def routes(self) -> dict[str, Route]:
        """The answers by their paths."""
        return {"/live": self.live, "/ready": self.ready, "/metrics": self.metrics}

    async def live(self) -> Answer:
        """The process runs."""
        return Answer(200, orjson.dumps({"status": "live"}))

    async def ready(self) -> Answer:
        """All loops run, all queues are polled."""
        loops = dict(self._keeper.ready)
        ready = bool(loops) and all(loops.values())
        told: dict[str, object] = {"status": "ready" if ready else "not_ready", "loops": loops}
        if self.waits_for is not None:
            told["detail"] = self.waits_for
        return Answer(200 if ready else 503, orjson.dumps(told))

    async def metrics(self) -> Answer:
        """The figures, those that stand in the database read now."""
        if self._reader is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(FIGURES_LIMIT):
                    await self._reader.read()
        if self._db is not None:
            self._db.report()
        for name, ready in self._keeper.ready.items():
            figures.LOOPS.labels(name).set(ready)
        return Answer(200, figures.text(), figures.CONTENT_TYPE_LATEST)


async def drain_measurements(stop: asyncio.Event) -> None:
    """Take over what Temporal's SDK measures, so that its buffer never fills."""
    while not stop.is_set():
        SDK.drain()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_EVERY):
                await stop.wait()


__all__ = ["Endpoint", "drain_measurements"]
