"""Whether what was accepted goes on: facts, the outbox, what the clock asks for, tasks."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Final

from services.doctor.finding import Finding, ok
from services.doctor.sight import TABLES, Check, Sight
from store import flow_state as store
from store import health
from store.log import PAUSING

SLOW_LAG, SICK_LAG = timedelta(seconds=10), timedelta(seconds=60)
LATE: Final = timedelta(minutes=2)
PATIENCE: Final = 2.0
"""Seconds between two looks at something that has to move meanwhile."""


async def facts(sight: Sight) -> list[Finding]:
    """Accepted facts that are not applied."""
    name = "flow.facts"
    async with sight.db.connection() as conn:
        backlog = await health.backlog(conn)
        foreign = await store.facts_of_another_server(conn)
        held_up = await store.facts_held_up(conn, sight.clock() - SLOW_LAG)
        pausing = [task for task in await store.open_tasks(conn) if task.type == PAUSING]
    if foreign:
        return [_foreign(foreign)]
    lag = timedelta() if backlog.oldest is None else max(timedelta(), sight.clock() - backlog.oldest)
    summary = f"{backlog.rows} facts wait, the oldest for {lag.total_seconds():.0f} s"
    if lag <= SLOW_LAG:
        return [ok(name, summary)]
    if held_up:
        return [_held_up(summary)]
    why = "no worker with the role `ingest` runs, it fails, or it does not keep up"
    if pausing:
        why = (
            f"workspace {pausing[0].workspace_id} changes how it names people, until task {pausing[0].task_id} is over"
        )
    return [
        Finding(
            name,
            "warning" if lag <= SICK_LAG or pausing else "failure",
            summary,
            f"They are applied in order: {why}.",
            "Profiles, segments and journeys do not follow what is sent; nothing is lost.",
            "Look at the finding on workers; run more of them with the role `ingest` if it goes on but does not keep up.",
            "facts-are-not-applied",
        )
    ]


def _held_up(summary: str) -> Finding:
    return Finding(
        "flow.facts",
        "failure",
        f"{summary}: a transaction that has written before them is still open",
        "Facts are applied in order, and none that was accepted after it began can be before it ends.",
        "Profiles, segments and journeys do not follow what is sent; nothing is lost.",
        "End what `database.open-transaction` names. Where it names nothing, this user may not see it: "
        "as a superuser, GRANT pg_read_all_stats TO the role of SOJOURN_DATABASE_URL, then repeat `sojourn doctor`.",
        "open-transaction",
    )


def _foreign(rows: int) -> Finding:
    return Finding(
        "flow.facts",
        "failure",
        f"{'at least ' if rows >= store.MANY else ''}{rows} facts wait that were written by another PostgreSQL server",
        "The data was moved with `pg_dump`, and this server counts transactions anew: what was not applied yet is "
        "taken for the work of transactions that are still to come.",
        "These facts are not applied, for as long as it takes to count so far.",
        "sojourn after-restore",
        "facts-of-another-server",
    )


async def outbox(sight: Sight) -> list[Finding]:
    """Starts and wakes on their way to Temporal: each lane has to move between two looks."""
    name = "flow.outbox"
    async with sight.db.connection() as conn:
        before = {head.lane: head for head in await store.outbox_heads(conn)}
    if not before:
        return [ok(name, "the outbox is empty")]
    await asyncio.sleep(PATIENCE)
    async with sight.db.connection() as conn:
        after = {head.lane: head for head in await store.outbox_heads(conn)}
    depth = ", ".join(f"{head.lane} {head.rows}" for head in before.values())
    still = [head for head in after.values() if head.lane in before and head.oldest == before[head.lane].oldest]
    # One lane is drained after the other: a later one may wait for an earlier one that moves.
    stuck = still if len(still) == len(after) else [head for head in still if head.refused]
    if not stuck:
        return [ok(name, f"the outbox drains ({depth})")]
    refused = sum(head.refused for head in stuck)
    why = f"Temporal refuses {refused} of them" if refused else "no worker with the role `outbox` runs"
    return [
        Finding(
            name,
            "failure",
            f"the outbox does not drain ({depth})",
            f"Starts and wakes wait for Temporal: it does not answer, or {why}.",
            "Journeys do not begin or go on, and nothing is sent; nothing is lost.",
            "Look at the findings on Temporal and workers; the log of the `outbox` worker says what Temporal refused.",
            "outbox-does-not-drain",
        )
    ]


async def due(sight: Sight) -> list[Finding]:
    """What the clock should have asked for."""
    name, before = "flow.due", sight.clock() - LATE
    async with sight.db.connection() as conn:
        late = await store.late_due(conn, before)
        flips = await store.late_flips(conn, before)
    late = [*late, flips] if flips is not None else late
    if not late:
        return [ok(name, "nothing is overdue")]
    told = "; ".join(f"{row.rows} of kind '{row.kind}' since {_ago(sight.clock(), row.oldest)}" for row in late)
    return [
        Finding(
            name,
            "failure",
            f"overdue: {told}",
            "The clock asks for retries, schedules, holds, expiries and segments that change by time; "
            "no worker with the role `due` (for segments: `ingest`, `due`) runs, or it does not keep up.",
            "Messages are not tried again, campaigns by date do not start, segments do not follow the time.",
            "python worker.py --roles due",
            "due-is-late",
        )
    ]


def _ago(now: datetime, then: datetime) -> str:
    return f"{(now - then).total_seconds():.0f} s"


async def tasks(sight: Sight) -> list[Finding]:
    """Segment builds, imports, exports: each that is open has to move between two looks, or wait for one that does."""
    name = "flow.tasks"
    async with sight.db.connection() as conn:
        before = {(task.workspace_id, task.task_id): task for task in await store.open_tasks(conn)}
    if not before:
        return [ok(name, "no task is under way")]
    await asyncio.sleep(PATIENCE)
    async with sight.db.connection() as conn:
        after = {(task.workspace_id, task.task_id): task for task in await store.open_tasks(conn)}
    if any(before[key] != after.get(key) for key in before):
        return [ok(name, f"{len(before)} tasks are under way and move")]
    told = ", ".join(
        f"{task.task_id} of workspace {task.workspace_id} ({task.type}, {task.state})"
        for task in list(after.values())[:5]
    )
    return [
        Finding(
            name,
            "warning",
            f"{len(after)} tasks stand still: {told}",
            "No worker with the role `tasks` runs, a transaction stays open that builds wait for, or a page takes long.",
            "Segments are not built, files are not read or written; campaigns wait for their segments.",
            "Look at the findings on workers and open transactions, then repeat `sojourn doctor`: "
            "a page of a large import may take some seconds.",
            "tasks-stand-still",
        )
    ]


CHECKS: Final = (
    Check("flow.facts", facts, TABLES, 10.0),
    Check("flow.outbox", outbox, TABLES, 10.0),
    Check("flow.due", due, TABLES, 10.0),
    Check("flow.tasks", tasks, TABLES, 10.0),
)

__all__ = ["CHECKS"]
