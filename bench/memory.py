"""Memory of all processes of an idle stack in which journeys wait."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import httpx
import psutil

from bench import traffic
from bench.figure import Figure
from bench.ingest import post
from bench.place import SETTLE_LIMIT, Tenant, bytecode, until
from bench.progress import say
from settings import CHECKOUT, Settings
from stack.description import StackDescription
from stack.ports import choose
from stack.services import on_free_ports, temporary_data_dir

JOURNEYS = 10_000
QUICK_JOURNEYS = 300
LIMIT_BYTES = 1e9
START_LIMIT = 180.0
WAIT_LIMIT = 900.0
CALM = 30.0
WORKERS = 2


async def measure(*, quick: bool) -> list[Figure]:
    """Start `sojourn up`, let people wait in journeys with real timers, leave it alone, and add up what it holds."""
    count, calm = (QUICK_JOURNEYS, 5.0) if quick else (JOURNEYS, CALM)
    with temporary_data_dir() as folder:
        settings, _ = choose(on_free_ports(folder), workers=0)
        async with _up(settings) as (process, running):
            empty = _held(process)
            say(f"an empty stack holds {sum(empty.values()) / 1e6:,.0f} MB")
            await _let_wait(running, count)
            await asyncio.sleep(calm)
            held = _held(process)
    total = sum(held.values())
    parts = ", ".join(f"{name} {size / 1e6:,.0f}" for name, size in held.most_common())
    return [
        Figure(
            name=f"memory of all processes, {count:,} waiting journeys",
            measured=f"{total / 1e9:.2f} GB",
            against=f"{LIMIT_BYTES / 1e9:.1f} GB",
            ratio=total / LIMIT_BYTES,
            target=1.0,
            side="most",
            notes=(
                (
                    "Proportional set sizes, so that memory which processes share counts once, of `make up` and everything "
                    "it started."
                ),
                f"In MB: {parts}; with no journey {sum(empty.values()) / 1e6:,.0f} together.",
            ),
        )
    ]


@contextlib.asynccontextmanager
async def _up(settings: Settings) -> AsyncIterator[tuple[psutil.Process, StackDescription]]:
    """The stack as people start it, in a process of its own."""
    say("starting `sojourn up`")
    with (settings.data_dir / "up.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *[sys.executable, str(CHECKOUT / "cli.py"), "up"],
            cwd=CHECKOUT,
            env={**settings.child_environment(), **bytecode(settings.data_dir), "PYTHONPATH": str(CHECKOUT)},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:

        async def described() -> bool:
            if process.returncode is not None:
                raise RuntimeError(f"`sojourn up` ended: {_tail(settings.data_dir / 'up.log')}")
            return StackDescription.read(settings.data_dir) is not None

        await until(described, START_LIMIT, every=0.2)
        running = StackDescription.read(settings.data_dir)
        assert running is not None, "it was just there"
        yield psutil.Process(process.pid), running
    finally:
        if process.returncode is None:
            os.kill(process.pid, signal.SIGTERM)
            await process.wait()


def _tail(log: Path) -> str:
    return log.read_text(errors="replace")[-500:]


async def _let_wait(running: StackDescription, count: int) -> None:
    say(f"letting {count:,} journeys wait")
    connection = await asyncpg.connect(running.database_url)
    try:
        async with httpx.AsyncClient(base_url=running.api_url, timeout=SETTLE_LIMIT + 10) as client:
            tenant = await Tenant.make(running.api_url, running.admin_token, client)
            await tenant.define(_CAMPAIGN)
            await tenant.start("wait")
            await post(tenant, traffic.batches(iter([_event(n) for n in range(count)]), 1000))
        query = """SELECT count(*) FROM journeys WHERE workspace_id = $1 AND wait IS NOT NULL AND seen = wanted"""
        told = 0

        async def all_wait() -> bool:
            nonlocal told
            waiting: int = await connection.fetchval(query, tenant.id)
            if waiting >= told + 2000:
                told = waiting
                say(f"{waiting:,} wait")
            return waiting >= count

        await until(all_wait, WAIT_LIMIT, every=1.0)
    finally:
        await connection.close()


def _event(number: int) -> dict[str, object]:
    return {"type": "person", "action": "event", "identifiers": {"id": f"p{number}"}, "name": "joined"}


_CAMPAIGN = {
    "kind": "campaign",
    "key": "wait",
    "name": "Wait",
    "trigger": {"type": "event", "event": "joined"},
    "frequency": {"mode": "every"},
    "workflow": {"start": "wait", "blocks": {"wait": {"type": "time_delay", "duration": "P30D"}}},
}


def _held(process: psutil.Process) -> Counter[str]:
    """Bytes by kind of process."""
    held: Counter[str] = Counter()
    for one in [process, *process.children(recursive=True)]:
        with contextlib.suppress(psutil.NoSuchProcess):
            held[_kind(one, process)] += one.memory_full_info().pss
    return held


def _kind(one: psutil.Process, top: psutil.Process) -> str:
    line = " ".join(one.cmdline())
    if one.pid == top.pid:
        return "supervisor and SMTP sink"
    if "--roles" in line:
        return f"worker {line.split('--roles')[1].split()[0].split(',')[0]}"
    if "api.app" in line:
        return "API"
    return "PostgreSQL" if "postgres" in line else "Temporal" if "start-dev" in line else "other"


__all__ = ["measure"]
