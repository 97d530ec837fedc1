"""`retention`: what is kept for how long, where the partitions stand, how the upkeep went; and the upkeep itself."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any

import asyncpg
from rich.console import Console

from clock import system_now
from console.failure import Failure
from console.repairing import places_of
from console.session import print_json
from console.showing import table
from console.words import lasting, number
from services.maintenance import Maintainer, Outcome
from services.retention import Upkeep, jobs, upkeep
from settings import Settings
from store.database import Database
from store.maintenance import JobRow


def show_retention(settings: Settings, console: Console, *, run: bool, as_json: bool) -> None:
    """Show how the upkeep stands, having run all of it before where asked to; fails where a job does."""
    now, outcomes, found = asyncio.run(_look(settings, run=run))
    if as_json:
        print_json(_plain(found, outcomes))
    else:
        _show(console, found, now)
        for job, outcome in outcomes.items():
            if outcome is None:
                console.print(f"{job} is at work elsewhere.", style="yellow")
    failed = [job for job, outcome in outcomes.items() if outcome == "failed"]
    if failed:
        raise Failure(f"{number(len(failed), 'job')} failed: {', '.join(failed)}.", "The lines above say why.")


async def _look(settings: Settings, *, run: bool) -> tuple[datetime, Mapping[str, Outcome | None], Upkeep]:
    kept = settings.retention
    try:
        db = await Database.connect(places_of(settings).database_url, min_size=1, max_size=4)
    except (OSError, asyncpg.PostgresError) as error:
        raise Failure(f"The database cannot be reached: {error}", "Is SOJOURN_DATABASE_URL right?") from None
    try:
        outcomes: Mapping[str, Outcome | None] = {}
        if run:
            maintainer = Maintainer(db, jobs(kept.days_by_table(), kept.journeys_days), system_now)
            await maintainer.plan()
            outcomes = await maintainer.run_all()
        return system_now(), outcomes, await upkeep(db, kept.days_by_table())
    except asyncpg.UndefinedTableError:
        raise Failure("The schema is older than this version.", "Run `sojourn setup` first.") from None
    finally:
        await db.close()


def _show(console: Console, found: Upkeep, now: datetime) -> None:
    tables = table("table", "kept", "partitions", "oldest", "next drop", "room until", "size", "outside")
    for one in found.tables:
        tables.add_row(
            one.table,
            f"{one.kept_days} days",
            str(one.partitions),
            _day(one.oldest),
            _day(one.next_drop),
            _day(one.room_until),
            _bytes(one.bytes),
            number(one.default_rows, "row") if one.default_rows else "-",
        )
    console.print(tables)
    console.print()
    rows = table("job", "last run", "outcome", "next", "did", "partitions dropped", "rows deleted")
    for job in found.jobs:
        last = job.ended_at or job.began_at
        rows.add_row(
            job.job,
            "-" if last is None else f"{lasting(max(0, (now - last).total_seconds()))} ago",
            job.outcome or "-" if job.ended_at is not None or job.began_at is None else "at work",
            "now" if job.due_at <= now else f"in {lasting((job.due_at - now).total_seconds())}",
            _did(job.report),
            str(job.partitions_dropped),
            str(job.rows_deleted),
        )
    console.print(rows)


def _did(report: Mapping[str, Any]) -> str:
    parts = [f"{word} {', '.join(report[word])}" for word in ("made", "dropped", "left") if word in report]
    parts += [f"deleted {rows} of {name}" for name, rows in report.get("deleted", {}).items()]
    parts += [
        f"{word.replace('_', ' ')}: {report[word]}"
        for word in ("triggers_forgotten", "files_deleted", "error")
        if word in report
    ]
    return "; ".join(parts) or "-"


def _day(at: datetime | None) -> str:
    return "-" if at is None else f"{at:%Y-%m-%d}"


def _bytes(count: float) -> str:
    for unit in ("B", "kB", "MB"):
        if count < 1_000:
            return f"{count:.0f} {unit}"
        count /= 1_000
    return f"{count:.1f} GB"


def _plain(found: Upkeep, outcomes: Mapping[str, Outcome | None]) -> dict[str, Any]:
    def told(value: object) -> object:
        return value.isoformat() if isinstance(value, datetime) else value

    names = [column.name for column in fields(JobRow)]
    return {
        "tables": [{name: told(value) for name, value in one._asdict().items()} for one in found.tables],
        "jobs": [{name: told(getattr(job, name)) for name in names} for job in found.jobs],
        "ran": dict(outcomes),
    }


__all__ = ["show_retention"]
