"""A whole stack around a made-up product: started, described, damaged, ended."""

from __future__ import annotations

import asyncio
import json
import signal
import stat
import subprocess
import sys
from typing import TYPE_CHECKING

import httpx
import psutil
import pytest

from settings import CHECKOUT
from stack.clean import clean
from stack.description import StackDescription
from stack.process import StackError
from stack.services import on_free_ports
from stack.supervisor import Stack

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.stack

NAMES = ["postgres", "temporal", "api", "worker-ingest", "worker-journeys"]


def described(data_dir: Path) -> StackDescription:
    found = StackDescription.read(data_dir)
    assert found is not None
    return found


def a_stack(data_dir: Path, product: Path) -> Stack:
    return Stack(on_free_ports(data_dir), checkout=product, headless=True, fsync=False)


async def said(url: str) -> str:
    async with httpx.AsyncClient(trust_env=False) as client:
        return (await client.get(url)).text


async def test_a_stack_lives_and_ends(data_dir: Path, product: Path) -> None:
    stack = a_stack(data_dir, product)
    async with stack:
        running = described(data_dir)
        assert stat.S_IMODE((data_dir / "stack.json").stat().st_mode) == 0o600
        assert running == stack.describe().model_copy(update={"births": running.births})
        assert list(running.pids.workers) == NAMES[3:]
        assert sorted(running.pids.children()) == sorted(stack.pid(name) for name in NAMES)
        assert [(keys.name, keys.sandbox) for keys in running.workspaces] == [("Sandbox", True), ("Live", False)]
        assert await said(f"{running.api_url}/v1/health/ready") == ""
        with pytest.raises(
            StackError, match=f"already runs .* at {running.api_url} as process {running.pids.supervisor}"
        ):
            await a_stack(data_dir, product).start()
        with pytest.raises(StackError, match="stop it first"):
            clean(stack.settings)
        processes = [psutil.Process(pid) for pid in running.pids.children()]

        for name in ("worker-journeys", "api"):
            before = stack.pid(name)
            await stack.kill(name)
            await stack.wait_ready(name)
            assert stack.pid(name) != before
        assert described(data_dir).pids.api == stack.pid("api")

        await stack.restart("api", {"SOJOURN_FAULT": "apply.before_commit"})
        assert await said(running.api_url) == "apply.before_commit"
        await stack.stop_child("temporal")
        assert described(data_dir).pids.temporal is None
        (data_dir / "temporal.db").unlink()
        await stack.start_child("temporal")
        with pytest.raises(StackError, match="The stack has no nothing; it has postgres, temporal, api"):
            await stack.kill("nothing")
        processes += [psutil.Process(pid) for pid in described(data_dir).pids.children()]
    assert [process for process in processes if process.is_running()] == []
    assert StackDescription.read(data_dir) is None

    async with a_stack(data_dir, product):
        again = described(data_dir)
    assert (again.workspaces, again.admin_token) == (running.workspaces, running.admin_token)
    assert clean(stack.settings) == [str(data_dir / "postgres"), str(data_dir)]


async def test_a_start_that_fails_leaves_nothing_running(data_dir: Path, product: Path) -> None:
    before = set(psutil.Process().children())
    (product / "worker.py").write_text("raise SystemExit('broken worker')")
    stack = a_stack(data_dir, product)
    with pytest.raises(StackError, match=r"(?s)worker-\w+ ends as soon as it is started.*broken worker"):
        await stack.start()
    assert set(psutil.Process().children()) <= before
    assert (stack.children, StackDescription.read(data_dir)) == ({}, None)


async def test_a_failed_migration_is_shown(data_dir: Path, product: Path) -> None:
    before = set(psutil.Process().children())
    (product / "alembic.py").write_text("raise SystemExit('column missing')")
    with pytest.raises(StackError, match=r"(?s)`python -m alembic upgrade head` failed.*column missing"):
        await a_stack(data_dir, product).start()
    assert set(psutil.Process().children()) <= before


PROGRAM = """
import sys
from pathlib import Path
from stack.services import on_free_ports
from stack.supervisor import Stack
from stack.up import run_up
sys.exit(run_up(on_free_ports(Path(sys.argv[1])), checkout=Path(sys.argv[2])))
"""


async def start_up(data_dir: Path, product: Path, *, until: bytes = b"Running") -> asyncio.subprocess.Process:
    """`run_up` in a process of its own, once it prints a line that begins so."""
    process = await asyncio.create_subprocess_exec(
        *[sys.executable, "-c", PROGRAM, str(data_dir), str(product)],
        cwd=CHECKOUT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    assert process.stdout is not None
    async with asyncio.timeout(60):
        printed = []
        async for line in process.stdout:
            printed.append(line)
            if line.startswith(until):
                return process
    raise AssertionError(b"".join(printed).decode())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_ends_it_with_status_0(data_dir: Path, product: Path, number: int) -> None:
    process = await start_up(data_dir, product)
    processes = [psutil.Process(pid) for pid in described(data_dir).pids.children()]
    assert len(processes) == len(NAMES)
    process.send_signal(number)
    async with asyncio.timeout(60):
        await process.communicate()
    assert process.returncode == 0
    assert [one for one in processes if one.is_running() and one.status() != psutil.STATUS_ZOMBIE] == []
    assert not (data_dir / "stack.json").exists()


async def test_a_signal_while_it_starts_ends_it_too(data_dir: Path, product: Path) -> None:
    process = await start_up(data_dir, product, until=b"PostgreSQL ready")
    children = psutil.Process(process.pid).children()
    process.send_signal(signal.SIGINT)
    async with asyncio.timeout(60):
        await process.communicate()
    assert (process.returncode, [child for child in children if child.is_running()]) == (0, [])


async def test_a_killed_stack_is_taken_up_by_the_next(data_dir: Path, product: Path) -> None:
    process = await start_up(data_dir, product)
    left = described(data_dir)
    process.kill()
    await process.communicate()
    async with a_stack(data_dir, product):
        running = described(data_dir)
        assert running.workspaces == left.workspaces
        assert set(running.pids.children()).isdisjoint(left.pids.children())


def test_leftovers_are_ended_but_not_processes_that_took_their_ids(tmp_path: Path, product: Path) -> None:
    sleeper = [sys.executable, "-c", "import signal; signal.pause()"]
    mine, other = subprocess.Popen(sleeper), subprocess.Popen(sleeper)
    try:
        text = {
            **dict.fromkeys(("api_url", "api_tls_url", "ca_file", "ca_bundle_file", "temporal_address"), "x"),
            **dict.fromkeys(("database_url", "mailbox_url", "admin_token", "temporal_ui_url"), "x"),
            "smtp": {"host": "x", "port": 1},
            "pids": {"supervisor": 1, "api": mine.pid, "temporal": other.pid},
            "workspaces": [],
        }
        StackDescription.model_validate(text).write(tmp_path)
        stored = json.loads((tmp_path / "stack.json").read_text())
        stored["births"][str(other.pid)] -= 60.0
        left = StackDescription.model_validate(stored)
        assert left.end_leftovers() == [mine.pid]
        assert (mine.wait(), other.poll()) == (-signal.SIGTERM, None)
    finally:
        for process in (mine, other):
            process.kill()
            process.wait()
