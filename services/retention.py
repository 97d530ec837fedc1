"""What is kept for how long: every job that makes room, with the setting it goes by."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Final, NamedTuple

from services import (
    expiry,
    expiry_anonymous,
    expiry_answers,
    expiry_broadcasts,
    expiry_revisions,
    expiry_small,
    partitions,
)
from services.expiry_journeys import expire_journeys
from services.maintenance import Job, Report
from store import maintenance as store
from store.database import Database
from store.partitions import KEYS, Table

HOURLY: Final = timedelta(hours=1)
DAILY: Final = timedelta(days=1)

Days = Mapping[str, int]
"""How many days each partitioned table keeps its rows."""


def jobs(days: Days, journeys_days: int) -> list[Job]:
    """Everything that makes room in this deployment."""
    return [
        *[
            Job(f"partitions.{table}", HOURLY, partial(_partitions, table, days[table]), table, days[table])
            for table in KEYS
        ],
        Job("expiry.facts", HOURLY, _facts),
        Job("expiry.answers", HOURLY, _answers),
        Job("expiry.broadcasts", HOURLY, _broadcasts),
        Job("expiry.files", HOURLY, _files),
        Job("expiry.revisions", HOURLY, _revisions),
        Job("expiry.small", HOURLY, _small),
        Job("expiry.journeys", DAILY, partial(_journeys, journeys_days), None, journeys_days),
    ]


async def _partitions(table: Table, days: int, db: Database, now: datetime) -> Report:
    return await partitions.keep(db, table, days, now)


async def _facts(db: Database, now: datetime) -> Report:
    return _deleted(await expiry_anonymous.expire(db, now))


async def _answers(db: Database, now: datetime) -> Report:
    return _deleted({"idempotent_answers": await expiry_answers.expire_answers(db, now)})


async def _broadcasts(db: Database, now: datetime) -> Report:
    return Report(found=_some({"triggers_forgotten": await expiry_broadcasts.expire_triggers(db, now)}))


async def _revisions(db: Database, _now: datetime) -> Report:
    return _deleted({"definition_revisions": await expiry_revisions.expire_revisions(db)})


async def _files(db: Database, now: datetime) -> Report:
    return Report(found=_some({"files_deleted": await expiry.expire_files(db, now)}))


async def _small(db: Database, now: datetime) -> Report:
    return _deleted(await expiry_small.expire(db, now))


async def _journeys(days: int, db: Database, now: datetime) -> Report:
    return _deleted({"journeys": await expire_journeys(db, timedelta(days=days), now)})


def _deleted(rows: Mapping[str, int]) -> Report:
    return Report(deleted=_some(rows))


def _some(counts: Mapping[str, int]) -> dict[str, int]:
    return {name: count for name, count in counts.items() if count}


class Upkeep(NamedTuple):
    """How the upkeep of a deployment stands: its jobs, and what its partitioned tables hold."""

    jobs: list[store.JobRow]
    tables: list[partitions.Standing]


async def upkeep(db: Database, days: Days) -> Upkeep:
    """How the upkeep stands now."""
    async with db.connection() as conn:
        rows = await store.all_jobs(conn)
    return Upkeep(rows, [await partitions.standing(db, table, days[table]) for table in KEYS])


__all__ = ["Days", "Upkeep", "jobs", "upkeep"]
