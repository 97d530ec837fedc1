"""Whether journeys under way have workflows, and whether those whose wait is over have gone on."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from services.doctor.finding import Finding, ok
from services.doctor.sight import TABLES, TEMPORAL, Check, Sight
from store import flow_state as store

LATE: Final = timedelta(minutes=2)
TOLD: Final = 5
SAMPLE: Final = 20


async def late(sight: Sight) -> list[Finding]:
    """Journeys that stand although their wait is over."""
    name = "journeys.late"
    async with sight.db.connection() as conn:
        count, first = await store.late_journeys(conn, sight.clock() - LATE, TOLD)
    if not count:
        return [ok(name, "no journey stands longer than it should")]
    return [
        Finding(
            name,
            "failure",
            f"{'at least ' if count >= store.MANY else ''}{count} journeys stand although their wait is over: "
            f"{', '.join(first)}",
            "Their workflows do not run, or fail again and again, or no worker with the role `journeys` polls.",
            "These people get their next message late, or not at all; the command says what keeps each, and what helps.",
            "sojourn journeys wedged",
            "journeys-stand-still",
        )
    ]


async def workflows(sight: Sight) -> list[Finding]:
    """A sample of journeys under way, each asked for in Temporal, and both numbers compared."""
    name = "journeys.workflows"
    async with sight.db.connection() as conn:
        sample = await store.sample_active(conn, SAMPLE)
        active = await store.active_journeys(conn)
    lost = [journey for journey in sample if not await sight.cluster.runs(journey)]
    async with sight.db.connection() as conn:
        lost = [journey for journey in lost if await store.is_active(conn, journey)]
    running = await sight.cluster.running_journeys()
    summary = f"{active} journeys are under way, {running} of their workflows run"
    if not lost:
        return [ok(name, summary)]
    return [
        Finding(
            name,
            "failure",
            f"{summary}; Temporal does not know {len(lost)} of {len(sample)} that were asked for: "
            f"{', '.join(journey.journey_id for journey in lost[:TOLD])}",
            "Temporal has lost data, or the database was restored to an older point, or somebody ended workflows.",
            "These journeys stand until their workflows are started again; the `tasks` worker does that every hour.",
            "sojourn journeys repair",
            "workflows-are-missing",
        )
    ]


CHECKS: Final = (
    Check("journeys.late", late, TABLES, 10.0),
    Check("journeys.workflows", workflows, TABLES | TEMPORAL, 15.0),
)

__all__ = ["CHECKS"]
