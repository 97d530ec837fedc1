"""The jobs of upkeep as rows: which are due, and what came of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from store.database import Connection


@dataclass(frozen=True, slots=True)
class JobRow:
    """One job: `report` is what its last run did and found, the two counts are over all its runs."""

    job: str
    due_at: datetime
    kept_days: int | None
    began_at: datetime | None
    ended_at: datetime | None
    succeeded_at: datetime | None
    outcome: str | None
    report: dict[str, Any]
    partitions_dropped: int
    rows_deleted: int


_COLUMNS = ", ".join(column.name for column in fields(JobRow))


async def plan(conn: Connection, jobs: Mapping[str, int | None], now: datetime) -> None:
    """Make the rows of jobs that have none, due at once; due at once as well are those whose setting is another now."""
    await conn.execute(
        """INSERT INTO maintenance AS m (job, due_at, kept_days, report, partitions_dropped, rows_deleted)
           SELECT job, $3, kept_days, '{}', 0, 0 FROM unnest($1::text[], $2::int[]) AS u (job, kept_days)
           ON CONFLICT (job) DO UPDATE SET due_at = LEAST(m.due_at, EXCLUDED.due_at), kept_days = EXCLUDED.kept_days
           WHERE m.kept_days IS DISTINCT FROM EXCLUDED.kept_days""",
        list(jobs),
        list(jobs.values()),
        now,
    )


async def due(conn: Connection, jobs: list[str], now: datetime) -> list[str]:
    """Which of these jobs are due, the longest overdue first."""
    query = "SELECT job FROM maintenance WHERE job = ANY($1::text[]) AND due_at <= $2 ORDER BY due_at, job"
    return [record["job"] for record in await conn.fetch(query, jobs, now)]


async def begin(conn: Connection, job: str, now: datetime) -> None:
    """Note that a job is at work."""
    await conn.execute("UPDATE maintenance SET began_at = $2, ended_at = NULL WHERE job = $1", job, now)


async def finish(
    conn: Connection,
    job: str,
    *,
    outcome: str,
    report: Mapping[str, Any],
    dropped: int,
    deleted: int,
    now: datetime,
    due_at: datetime,
) -> None:
    """Note what a job has come to, and when it runs next."""
    await conn.execute(
        """UPDATE maintenance SET outcome = $2, report = $3, partitions_dropped = partitions_dropped + $4,
             rows_deleted = rows_deleted + $5, ended_at = $6, due_at = $7,
             succeeded_at = CASE WHEN $2 = 'done' THEN $6 ELSE succeeded_at END
           WHERE job = $1""",
        job,
        outcome,
        dict(report),
        dropped,
        deleted,
        now,
        due_at,
    )


async def all_jobs(conn: Connection) -> list[JobRow]:
    """Every job there ever was, by name."""
    return [JobRow(**record) for record in await conn.fetch(f"SELECT {_COLUMNS} FROM maintenance ORDER BY job")]


__all__ = ["JobRow", "all_jobs", "begin", "due", "finish", "plan"]
