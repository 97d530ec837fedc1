"""Partitions of the growing tables: made ahead, none past its time, nothing beside them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from services.doctor.finding import Finding, ok
from services.doctor.sight import TABLES, Check, Sight
from services.partitions import span_of, wanted
from store import flow_state, partitions
from store.partitions import Table

GRACE: Final = timedelta(days=1)
"""How long a partition may outlive its retention: those that somebody still works with are kept."""


async def look(sight: Sight) -> list[Finding]:
    """All tables in partitions."""
    now = sight.clock()
    missing: list[str] = []
    overdue: list[str] = []
    beside: list[str] = []
    async with sight.db.connection() as conn:
        for table in partitions.KEYS:
            existing = await partitions.existing(conn, table)
            # The furthest one may come with the next upkeep: a day or month has just begun.
            missing += [span.name for span in wanted(table, now)[:-1] if span.name not in existing]
            overdue += _overdue(table, existing, sight, now)
            stray = await flow_state.in_default(conn, table)
            if stray:
                beside.append(f"{table}_default ({'at least ' if stray >= flow_state.MANY else ''}{stray})")
    return [
        _missing(missing) if missing else ok("partitions.ahead", "the partitions of the next days are there"),
        _overdue_finding(overdue) if overdue else ok("partitions.kept", "none is past its retention"),
        _beside(beside) if beside else ok("partitions.beside", "no rows stand beside them"),
    ]


def _overdue(table: Table, existing: set[str], sight: Sight, now: datetime) -> list[str]:
    days = sight.deployment.retention_days.get(table)
    if days is None:
        return []
    spans = [span for name in sorted(existing) if (span := span_of(table, name)) is not None]
    return [span.name for span in spans if span.end <= now - timedelta(days=days) - GRACE]


def _missing(names: list[str]) -> Finding:
    return Finding(
        "partitions.ahead",
        "failure",
        f"partitions are missing: {', '.join(names)}",
        "A worker with the role `tasks` makes them ahead, every hour and when it starts; it does not run or cannot.",
        "Nothing is lost: rows go to the default partition, which becomes slow and is not dropped.",
        "Start a worker with the role `tasks`, and ask `sojourn retention` how its upkeep went.",
        "partitions",
    )


def _overdue_finding(names: list[str]) -> Finding:
    return Finding(
        "partitions.kept",
        "warning",
        f"partitions past their retention are still there: {', '.join(names[:10])}{' ...' if names[10:] else ''}",
        "No worker with the role `tasks` runs, or something in them is still worked with: facts not applied, "
        "journeys under way, sends to come.",
        "The disk fills.",
        "Start a worker with the role `tasks`; its log says `partition is past its retention but in use` where that is so.",
        "partitions",
    )


def _beside(tables: list[str]) -> Finding:
    return Finding(
        "partitions.beside",
        "warning",
        f"rows stand beside the partitions: {', '.join(tables)}",
        "They were written while their partition was missing; it is made, and they are moved, up to 20,000 at a time.",
        "Reads and the dropping of old rows become slower.",
        "Keep a worker with the role `tasks` running; docs/retention.md says what becomes of more than that.",
        "partitions",
    )


CHECKS: Final = (Check("partitions", look, TABLES, 10.0),)

__all__ = ["CHECKS"]
