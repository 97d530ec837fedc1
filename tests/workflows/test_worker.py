"""A worker process: its health, its figures, how it ends, what it outlives."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import ExitStack

import httpx
import pytest

import migrations
import worker
from clock import system_now
from keeper import Keeper, plainly
from services.repair import repair
from settings import CHECKOUT
from stack.commands import product_environment
from stack.ports import claim
from store import workers
from tests.workflows.engine import Engine, until

END_LIMIT = 10.0


@contextlib.asynccontextmanager
async def process(engine: Engine, *arguments: str) -> AsyncIterator[tuple[asyncio.subprocess.Process, int]]:
    """A worker process and the port of its health endpoint."""
    with ExitStack() as held:
        port = claim(0, "SOJOURN_WORKER_PORT", held)
    settings = engine.settings.with_changes(worker_port=port)
    started = await asyncio.create_subprocess_exec(
        *[sys.executable, "worker.py", *arguments],
        cwd=CHECKOUT,
        env=product_environment(settings, {}, CHECKOUT),
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield started, port
    finally:
        if started.returncode is None:
            started.kill()
            await started.wait()


async def ready(port: int) -> bool:
    async with httpx.AsyncClient() as http:
        try:
            return (await http.get(f"http://127.0.0.1:{port}/ready")).status_code == 200
        except httpx.HTTPError:
            return False


async def test_a_worker_tells_its_health_and_ends_in_order(engine: Engine):
    async with process(engine) as (started, port):
        await until(lambda: ready(port), limit=60)
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as http:
            assert (await http.get("/live")).json() == {"status": "live"}
            told = (await http.get("/ready")).json()
            figures = (await http.get("/metrics")).text
            assert (await http.get("/other")).status_code == 404
            assert (await http.post("/live")).status_code == 405
        assert told["status"] == "ready"
        assert set(worker.ROLES) <= told["loops"].keys()
        for name in (
            "ingest_lag_seconds 0.0",
            "ingest_pending 0.0",
            'outbox_depth{lane="live"} 0.0',
            "database_up 1.0",
        ):
            assert f"sojourn_{name}" in figures
        assert 'sojourn_loop_running{loop="ingest"} 1.0' in figures
        assert 'temporal_worker_task_slots_available{task_queue="send"' in figures
        async with engine.db.connection() as conn:
            rows = await workers.seen_since(conn, system_now().replace(year=2000))
        assert [row.roles for row in rows] == [",".join(worker.ROLES)]
        started.send_signal(signal.SIGTERM)
        async with asyncio.timeout(END_LIMIT):
            assert started.stderr is not None
            lines = (await started.stderr.read()).decode().splitlines()
            assert await started.wait() == 0
        async with engine.db.connection() as conn:
            assert await workers.seen_since(conn, system_now().replace(year=2000)) == []
        assert lines
        assert all({"time", "level", "logger", "message"} <= json.loads(line).keys() for line in lines)


async def test_a_worker_has_the_loops_of_its_roles_only(engine: Engine):
    async with process(engine, "--roles", "outbox,ingest") as (_, port):
        await until(lambda: ready(port), limit=60)
        async with httpx.AsyncClient() as http:
            loops = (await http.get(f"http://127.0.0.1:{port}/ready")).json()["loops"]
            figures = (await http.get(f"http://127.0.0.1:{port}/metrics")).text
        assert set(loops) == {"ingest", "outbox", "presence"}
        assert "sojourn_apply_lag_seconds_bucket" in figures
        assert "sojourn_ingest_pending" not in figures


async def test_a_worker_begins_no_work_on_an_older_schema(engine: Engine):
    async def at(revision: str) -> None:
        async with engine.db.connection() as conn:
            await conn.execute("UPDATE alembic_version SET version_num = $1", revision)

    await at("2026_11_24_foundation")
    try:
        async with process(engine, "--roles", "ingest,outbox") as (started, port):
            url = f"http://127.0.0.1:{port}/ready"

            async def waits() -> bool:
                async with httpx.AsyncClient() as http:
                    try:
                        return "this version needs" in (await http.get(url)).json().get("detail", "")
                    except httpx.HTTPError:
                        return False

            await until(waits, limit=60)
            async with httpx.AsyncClient() as http:
                told = await http.get(url)
            assert (told.status_code, told.json()["status"], told.json()["loops"]) == (503, "not_ready", {})
            await at("2999_01_01_later")
            await until(lambda: ready(port), limit=60)
            started.send_signal(signal.SIGTERM)
            lines = [json.loads(line) for line in (await started.stderr.read()).decode().splitlines()]
            assert await started.wait() == 0
        said = [line["message"] for line in lines]
        assert said.count("The schema is older than this version; waiting for it.") == 1
        assert said.index("The worker runs.") > said.index("The schema is older than this version; waiting for it.")
    finally:
        await at(migrations.head())


def test_unknown_roles_are_refused(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit):
        worker.main(["--roles", "ingest,gardener"])
    assert "no role gardener" in capsys.readouterr().err


async def test_a_loop_is_tried_again_and_an_outage_told_once(caplog: pytest.LogCaptureFixture):
    keeper = Keeper(worker.expected)
    failures = 3

    async def work() -> None:
        nonlocal failures
        failures -= 1
        if failures >= 0:
            raise ConnectionRefusedError
        await keeper.stop.wait()

    with caplog.at_level(logging.WARNING):
        kept = asyncio.create_task(keeper.keep("work", plainly(work)))
        await until(lambda: len(caplog.records) == 2)
        assert keeper.ready == {"work": True}
        keeper.stop.set()
        await kept
    assert [record.getMessage() for record in caplog.records] == [
        "A loop is interrupted and tried again until it runs.",
        "A loop runs again.",
    ]


async def test_a_worker_outlives_postgresql_and_temporal():
    async with Engine.running() as engine, engine.working() as keeper:
        flow = await engine.workspace()
        await flow.campaign({"wait": {"type": "time_delay", "duration": "P1D"}}, start="wait")
        await engine.restart("postgres")
        await flow.track("ann")
        await until(lambda: all(keeper.ready.values()))
        await flow.settle()
        await engine.restart("temporal")
        await flow.track("bob")
        await flow.settle()
        assert [row.parked for row in await flow.journeys()] == [True, True]
        await flow.advance("P1D")
        assert [row.state for row in await flow.journeys()] == ["finished", "finished"]


async def test_what_temporal_forgot_is_brought_back_from_the_rows():
    async with Engine.running() as engine, engine.working():
        flow = await engine.workspace()
        await flow.campaign({"wait": {"type": "time_delay", "duration": "P1D"}}, start="wait")
        await flow.track("ann")
        await flow.track("bob")
        await flow.settle()
        await engine.lose_temporal()
        await flow.track("cleo")
        await flow.settle()
        assert await repair(engine.db, engine.gateway) == (3, 2)
        await flow.advance("P1D")
        assert [row.state for row in await flow.journeys()] == ["finished"] * 3
