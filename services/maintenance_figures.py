"""How the upkeep stands, as figures: light enough for every process to show them."""

from __future__ import annotations

from datetime import datetime, timedelta

from observability import MAINTENANCE_SUCCEEDED, PARTITIONS_AHEAD, PARTITIONS_DEFAULT_ROWS
from store import maintenance as store
from store.database import Connection


async def show_figures(conn: Connection, now: datetime) -> None:
    """Put how the upkeep of the deployment stands into the figures of this process."""
    for row in await store.all_jobs(conn):
        if row.succeeded_at is not None:
            MAINTENANCE_SUCCEEDED.labels(row.job).set(row.succeeded_at.timestamp())
        kind, _, table = row.job.partition(".")
        if kind == "partitions" and "room_until" in row.report:
            room = datetime.fromisoformat(row.report["room_until"]) - now
            PARTITIONS_AHEAD.labels(table).set(max(0.0, room / timedelta(days=1)))
            PARTITIONS_DEFAULT_ROWS.labels(table).set(row.report["default_rows"])


__all__ = ["show_figures"]
