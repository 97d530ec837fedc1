"""Reading the figures that stand in the database, for whoever reports them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from services.maintenance_figures import upkeep_figures
from store import health, outbox, provider_turns, workers
from store import standing as store
from store.database import Database
from store.failures import is_unavailable
from telemetry.standing import FIGURES, Values

SEEN_WITHIN: Final = timedelta(seconds=10)
DOWN: Final[Values] = {"sojourn_database_up": {(): 0.0}}


class StandingReader:
    """Reads them whenever somebody asks; `clock` gives the real present instant."""

    def __init__(self, db: Database, clock: Callable[[], datetime]) -> None:
        self._db = db
        self._clock = clock
        self._heads: dict[str, tuple[int, datetime]] = {}

    async def read(self) -> None:
        """Leave what is found to the figures of this process; only that it is away, where the database is."""
        FIGURES.values = DOWN
        try:
            FIGURES.values = await self._values()
        except Exception as error:
            if not is_unavailable(error):
                raise

    async def _values(self) -> Values:
        now = self._clock()
        async with self._db.connection() as conn:
            backlog = await health.backlog(conn)
            depth = await outbox.depth(conn)
            heads = await store.outbox_heads(conn)
            due = await store.oldest_due(conn, now)
            away = await provider_turns.away(conn)
            tasks = await store.open_tasks(conn)
            oldest_tasks = await store.oldest_tasks(conn)
            seen = await workers.seen_since(conn, now - SEEN_WITHIN)
            writer = await store.oldest_writer(conn, now)
            upkeep = await upkeep_figures(conn, now)
        roles = Counter(role for row in seen for role in row.roles.split(","))
        return {
            "sojourn_database_up": {(): 1.0},
            "sojourn_ingest_pending": {(): backlog.rows},
            "sojourn_ingest_lag_seconds": {(): _age(backlog.oldest, now)},
            "sojourn_outbox_depth": _by(depth),
            "sojourn_outbox_oldest_seconds": _by(self._ages(heads, now)),
            "sojourn_due_lag_seconds": _by({kind: _age(at, now) for kind, at in due.items()}),
            "sojourn_providers_away": {(): away},
            "sojourn_tasks_open": _by(tasks),
            "sojourn_task_oldest_seconds": _by({kind: _age(at, now) for kind, at in oldest_tasks.items()}),
            "sojourn_workers": _by(roles),
            "sojourn_database_oldest_writer_seconds": {(): writer},
            **upkeep,
        }

    def _ages(self, heads: Mapping[str, int], now: datetime) -> dict[str, float]:
        """For how long the oldest row of each lane has been the oldest, as far as this process has looked."""
        before = self._heads
        self._heads = {
            lane: before[lane] if lane in before and before[lane][0] == head else (head, now)
            for lane, head in heads.items()
        }
        ages = dict.fromkeys(("now", "live", "bulk"), 0.0)
        return ages | {lane: _age(since, now) for lane, (_, since) in self._heads.items()}


def _age(instant: datetime | None, now: datetime) -> float:
    return 0.0 if instant is None else max((now - instant).total_seconds(), 0.0)


def _by(found: Mapping[str, float]) -> Mapping[Sequence[str], float]:
    """By the only label there is."""
    return {(label,): value for label, value in found.items()}


__all__ = ["StandingReader"]
