"""Waiting until nothing is runnable in a workspace, and telling what happened meanwhile."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from domain.errors import DomainError
from domain.values import to_unix
from ingest.catalog import Catalog, Catalogs
from services import due
from services.due import Clock
from store import metrics, quiescence
from store.database import Connection, Database
from store.notify import Notifier
from store.quiescence import Named, Pending

SHORTEST_PAUSE = 0.005
LONGEST_PAUSE = 0.025
REMIND = 0.25
MOST_STEPS = 1000
_JOURNEYS = {"started": "triggered", "finished": "completed", "exited_early": "exited_early", "converted": "converted"}
_SEGMENTS = {"entered": "segment_enter", "left": "segment_leave"}


class NotSettled(DomainError):
    """Real time ran out; `now` is where the workspace's clock stands (Unix seconds), `pending` what was left."""

    def __init__(self, message: str, now: int, pending: dict[str, Any]) -> None:
        super().__init__("not_settled", message)
        self.now = now
        self.pending = pending


@dataclass
class Report:
    """What happened between a beginning and now, in a workspace."""

    began: datetime
    real_began: float
    journeys: dict[str, int]
    last_activity: int
    deliveries: dict[tuple[str, str], int] | None
    fired: Counter[str] = field(default_factory=Counter)
    steps: list[dict[str, Any]] = field(default_factory=list)
    steps_total: int = 0

    def add_step(self, at: datetime, fired: Mapping[str, int]) -> None:
        """Note an instant that had work."""
        self.fired.update(fired)
        self.steps_total += 1
        if len(self.steps) < MOST_STEPS:
            self.steps.append({"at": to_unix(at), "fired": dict(sorted(fired.items()))})


async def begin(conn: Connection, catalog: Catalog, now: datetime) -> Report:
    """Remember how everything stands."""
    workspace_id = catalog.workspace_id
    sandbox = catalog.workspace.sandbox
    return Report(
        began=now,
        real_began=asyncio.get_running_loop().time(),
        journeys=await metrics.sums(conn, workspace_id, "campaign"),
        last_activity=await metrics.last_activity(conn, workspace_id),
        deliveries=await metrics.delivery_counts(conn, workspace_id) if sandbox else None,
    )


async def conclude(conn: Connection, catalog: Catalog, report: Report, now: datetime) -> dict[str, Any]:
    """The report in the contract's shape. Deliveries are told of sandboxes only, where counting them is cheap."""
    workspace_id = catalog.workspace_id
    after = await metrics.sums(conn, workspace_id, "campaign")
    moved = await metrics.activity_counts(conn, workspace_id, report.last_activity, list(_SEGMENTS.values()))
    answer: dict[str, Any] = {
        "from": to_unix(report.began),
        "now": to_unix(now),
        "settled": True,
        "fired": dict(sorted(report.fired.items())),
        "journeys": {word: after.get(m, 0) - report.journeys.get(m, 0) for word, m in _JOURNEYS.items()},
        "segments": {word: moved.get(kind, 0) for word, kind in _SEGMENTS.items()},
    }
    if report.deliveries is not None:
        answer["deliveries"] = _grown(report.deliveries, await metrics.delivery_counts(conn, workspace_id))
    real_ms = round((asyncio.get_running_loop().time() - report.real_began) * 1000)
    return answer | {"steps": report.steps, "steps_total": report.steps_total, "real_ms": real_ms}


def _grown(before: Mapping[tuple[str, str], int], after: Mapping[tuple[str, str], int]) -> dict[str, dict[str, int]]:
    grown: dict[str, dict[str, int]] = {}
    for (channel, status), count in sorted(after.items()):
        more = count - before.get((channel, status), 0)
        if more > 0:
            grown.setdefault(channel, {})[status] = more
    return grown


class Settling:
    """Watches one workspace until it is quiet or real time is over: the one place that polls."""

    def __init__(
        self,
        db: Database,
        catalogs: Catalogs,
        notifier: Notifier,
        workspace_id: int,
        *,
        timeout_seconds: float,
        clock: Clock,
    ) -> None:
        self._db = db
        self._catalogs = catalogs
        self._notifier = notifier
        self._workspace_id = workspace_id
        self._timeout = timeout_seconds
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._deadline = self._loop.time() + timeout_seconds
        self._reminded: tuple[Pending | None, float] = (None, 0.0)

    @property
    def over(self) -> bool:
        """Whether real time is used up."""
        return self._loop.time() >= self._deadline

    async def until_quiet(self) -> None:
        """Return when nothing is runnable, seen twice; raises NotSettled."""
        pause, seen_quiet = SHORTEST_PAUSE, 0
        while True:
            pending = await self._look()
            seen_quiet = seen_quiet + 1 if pending.quiet else 0
            if seen_quiet == 2:
                return
            if not pending.quiet:
                if self.over:
                    raise await self.refusal(pending)
                await self._push(pending)
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, LONGEST_PAUSE)

    async def refusal(self, pending: Pending) -> NotSettled:
        """The answer when real time is over."""
        async with self._db.transaction() as conn:
            catalog = await self._catalogs.get(conn, self._workspace_id)
            now = catalog.now(self._clock())
            named = await quiescence.names(conn, self._workspace_id, now)
        message = f"{_in_words(pending)} after {self._timeout:g} s."
        return NotSettled(message, to_unix(now), _wire(pending, named))

    async def _look(self) -> Pending:
        async with self._db.connection() as conn:
            catalog = await self._catalogs.get(conn, self._workspace_id)
            return await quiescence.look(conn, self._workspace_id, catalog.now(self._clock()))

    async def _push(self, pending: Pending) -> None:
        """Do at once what would otherwise wait for the next tick of its role, and remind the others."""
        if pending.flips or pending.overdue:
            async with self._db.transaction() as conn:
                catalog = await self._catalogs.get(conn, self._workspace_id)
                await due.fire(conn, catalog, self._clock(), await due.most_flips(conn, catalog))
        if pending.stopping:
            await due.finish_stopping(self._db)
        before, at = self._reminded
        if before != pending or self._loop.time() - at > REMIND:
            self._reminded = (pending, self._loop.time())
            self._notifier.send("ingest", "outbox", "due", "tasks")


_WORDS = (
    ("ingestion", "accepted call is still to be applied", "accepted calls are still to be applied"),
    ("flips", "membership is still to be looked at", "memberships are still to be looked at"),
    ("journeys", "journey is still to be planned", "journeys are still to be planned"),
    ("deliveries", "delivery is still being handed over", "deliveries are still being handed over"),
    ("tasks", "task is still running", "tasks are still running"),
)


def _in_words(pending: Pending) -> str:
    counts = _counts(pending)
    said = [f"{counts[name]} {one if counts[name] == 1 else many}" for name, one, many in _WORDS if counts[name]]
    return "; ".join(said) if said else "There was no time left"


def _counts(pending: Pending) -> dict[str, int]:
    return {
        "ingestion": pending.ingestion,
        "flips": pending.flips,
        "journeys": max(pending.behind, pending.outbox) + pending.overdue,
        "deliveries": pending.deliveries + pending.rows,
        "tasks": pending.tasks + pending.stopping,
    }


def _wire(pending: Pending, named: Named) -> dict[str, Any]:
    return {
        "ingestion": pending.ingestion,
        "segments": pending.flips,
        "journeys": [{"journey_id": name, "block": block} for name, block in named.journeys],
        "deliveries": [{"delivery_id": name, "status": status} for name, status in named.deliveries],
        "tasks": named.tasks,
        "reporting": 0,
    }


__all__ = ["NotSettled", "Report", "Settling", "begin", "conclude"]
