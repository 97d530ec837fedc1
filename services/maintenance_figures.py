"""How the upkeep stands, as figures."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from store import maintenance as store
from store.database import Connection
from telemetry.standing import Values


async def upkeep_figures(conn: Connection, now: datetime) -> Values:
    """How the upkeep of the deployment stands, by the names of its figures."""
    succeeded: dict[Sequence[str], float] = {}
    ahead: dict[Sequence[str], float] = {}
    outside: dict[Sequence[str], float] = {}
    for row in await store.all_jobs(conn):
        if row.succeeded_at is not None:
            succeeded[row.job,] = row.succeeded_at.timestamp()
        kind, _, table = row.job.partition(".")
        if kind == "partitions" and "room_until" in row.report:
            room = datetime.fromisoformat(row.report["room_until"]) - now
            ahead[table,] = max(0.0, room / timedelta(days=1))
            outside[table,] = row.report["default_rows"]
    return {
        "sojourn_maintenance_success_timestamp_seconds": succeeded,
        "sojourn_partitions_ahead": ahead,
        "sojourn_partitions_default_rows": outside,
    }


__all__ = ["upkeep_figures"]
