"""Jobs of upkeep: due by their rows, run once among several workers, taken over from the dead, seen by operators."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio
from prometheus_client import REGISTRY

from console.app import main
from services.maintenance import Job, Maintainer, Report
from services.maintenance_figures import upkeep_figures
from services.retention import jobs
from settings import CHECKOUT, Retention
from stack.commands import product_environment, run_tool
from stack.services import postgres_alone
from store import locks, maintenance
from store.database import Database
from telemetry.standing import FIGURES

NOW = datetime(2026, 11, 24, 15, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)
KEPT = Retention()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def url() -> AsyncIterator[str]:
    async with postgres_alone() as services:
        await run_tool(["alembic", "upgrade", "head"], product_environment(services.settings, {}, CHECKOUT), CHECKOUT)
        yield services.database_url


@pytest_asyncio.fixture(loop_scope="session")
async def db(url: str) -> AsyncIterator[Database]:
    found = await Database.connect(url)
    async with found.transaction() as conn:
        await conn.execute("TRUNCATE maintenance")
    yield found
    await found.close()


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


class Work:
    """A job that counts its runs, and does as it is told."""

    def __init__(self) -> None:
        self.runs = 0
        self.report = Report()
        self.going = asyncio.Event()
        self.going.set()
        self.begun = asyncio.Event()

    async def __call__(self, _db: Database, _now: datetime) -> Report:
        self.runs += 1
        self.begun.set()
        await self.going.wait()
        if isinstance(self.report, Exception):
            raise self.report
        return self.report

    def job(self, kept_days: int | None = 30) -> Job:
        return Job("partitions.ingest_log", HOUR, self, "ingest_log", kept_days)


async def row(db: Database) -> maintenance.JobRow:
    async with db.connection() as conn:
        [found] = await maintenance.all_jobs(conn)
    return found


async def test_a_job_runs_at_once_and_then_by_its_row(db: Database):
    clock, work = Clock(), Work()
    maintainer = Maintainer(db, [work.job()], clock)
    await maintainer.plan()
    assert await maintainer.run_due() == {"partitions.ingest_log": "done"}
    assert await maintainer.run_due() == {}
    await Maintainer(db, [work.job()], clock).plan()
    assert await maintainer.run_due() == {}, "a process that starts begins nothing anew"
    clock.now += HOUR
    assert await maintainer.run_due() == {"partitions.ingest_log": "done"}
    assert work.runs == 2
    assert (await row(db)).due_at == clock.now + HOUR


async def test_another_setting_makes_it_due(db: Database):
    clock, work = Clock(), Work()
    maintainer = Maintainer(db, [work.job(30)], clock)
    await maintainer.plan()
    await maintainer.run_due()
    changed = Maintainer(db, [work.job(10)], clock)
    await changed.plan()
    assert await changed.run_due() == {"partitions.ingest_log": "done"}
    assert (await row(db)).kept_days == 10


async def test_what_was_done_is_told_and_counted(db: Database):
    def value(name: str, **labels: str) -> float:
        return REGISTRY.get_sample_value(name, labels) or 0.0

    dropped_before = value("sojourn_partitions_dropped_total", table="ingest_log")
    deleted_before = value("sojourn_retention_rows_deleted_total", table="journeys")
    clock, work = Clock(), Work()
    work.report = Report(
        made=["b"],
        dropped=["a"],
        deleted={"journeys": 7},
        found={"default_rows": 3, "room_until": (NOW + timedelta(days=4)).isoformat()},
    )
    maintainer = Maintainer(db, [work.job()], clock)
    await maintainer.plan()
    await maintainer.run_due()
    clock.now += HOUR
    await maintainer.run_due()
    found = await row(db)
    assert (found.outcome, found.partitions_dropped, found.rows_deleted) == ("done", 2, 14)
    assert found.report == work.report.shown()
    assert value("sojourn_partitions_dropped_total", table="ingest_log") == dropped_before + 2
    assert value("sojourn_retention_rows_deleted_total", table="journeys") == deleted_before + 14
    async with db.connection() as conn:
        FIGURES.values = await upkeep_figures(conn, NOW + timedelta(days=1))
    assert value("sojourn_partitions_ahead", table="ingest_log") == 3
    assert value("sojourn_partitions_default_rows", table="ingest_log") == 3
    told = value("sojourn_maintenance_success_timestamp_seconds", upkeep="partitions.ingest_log")
    assert told == clock.now.timestamp()


@pytest.mark.parametrize(
    ("report", "outcome"), [(ValueError("x"), "failed"), (Report(left=["ingest_log_20261124"]), "busy")]
)
async def test_what_did_not_work_is_tried_again_soon(db: Database, report: Report | Exception, outcome: str):
    clock, work = Clock(), Work()
    maintainer = Maintainer(db, [work.job()], clock)
    await maintainer.plan()
    await maintainer.run_due()
    worked = (await row(db)).succeeded_at
    clock.now += HOUR
    work.report = report
    assert await maintainer.run_due() == {"partitions.ingest_log": outcome}
    found = await row(db)
    assert (found.outcome, found.succeeded_at) == (outcome, worked)
    assert found.due_at == clock.now + timedelta(minutes=5)


async def test_one_of_several_workers_runs_it_and_another_takes_over(db: Database):
    clock, work = Clock(), Work()
    first, second = (Maintainer(db, [work.job()], clock) for _ in range(2))
    await first.plan()
    work.going.clear()
    running = asyncio.create_task(first.run_due())
    await work.begun.wait()
    assert await second.run_due() == {}
    assert await second.run_all() == {"partitions.ingest_log": None}
    # The first one dies: its lock goes with its connection, and the row is still due.
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    work.going.set()
    assert await second.run_due() == {"partitions.ingest_log": "done"}
    async with db.connection() as conn:
        assert await locks.hold(conn, "maintenance/partitions.ingest_log"), "nobody holds it any more"
        await locks.release(conn, "maintenance/partitions.ingest_log")


async def test_everything_that_makes_room_runs_on_a_real_database(db: Database):
    maintainer = Maintainer(db, jobs(KEPT.days_by_table(), KEPT.journeys_days), Clock())
    await maintainer.plan()
    assert set((await maintainer.run_due()).values()) == {"done"}


@pytest.mark.usefixtures("db")
async def test_operators_see_it_and_run_it(url: str, monkeypatch, capsys):
    monkeypatch.setenv("SOJOURN_DATABASE_URL", url)
    monkeypatch.setenv("SOJOURN_TEMPORAL_ADDRESS", "127.0.0.1:1")
    monkeypatch.setenv("SOJOURN_RETENTION__ACTIVITIES_DAYS", "17")
    monkeypatch.setenv("COLUMNS", "200")
    assert await asyncio.to_thread(main, ["retention", "--run", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert set(told["ran"].values()) == {"done"}
    [activities] = [one for one in told["tables"] if one["table"] == "activities"]
    assert (activities["kept_days"], activities["partitions"], activities["default_rows"]) == (17, 4, 0)
    assert {job["job"] for job in told["jobs"]} == told["ran"].keys()
    assert await asyncio.to_thread(main, ["retention"]) == 0
    shown = capsys.readouterr().out
    assert "17 days" in shown
    assert "expiry.journeys" in shown
    assert "done" in shown
