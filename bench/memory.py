"""Memory of all processes of an idle stack in which journeys wait, and what each of them takes on disk."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

import asyncpg
import httpx
import psutil

from bench import rows, traffic
from bench.figure import Figure
from bench.ingest import post
from bench.place import SETTLE_LIMIT, Tenant, bytecode, until
from bench.progress import say
from settings import CHECKOUT, Settings
from stack.description import StackDescription
from stack.ports import choose
from stack.services import on_free_ports, temporary_data_dir

JOURNEYS, MANY = 10_000, 50_000
QUICK_JOURNEYS, QUICK_MANY = 300, 1_500
GROWTH = 1.3
"""How much more a journey may take among many than among few."""
LIMIT_BYTES = 1e9
START_LIMIT = 180.0
WAIT_LIMIT = 900.0
CALM = 30.0
WORKERS = 2


class _Disk(NamedTuple):
    """Bytes on disk."""

    postgres: int
    temporal: int


async def measure(*, quick: bool) -> list[Figure]:
    """Start `sojourn up`, let people wait in journeys with real timers, leave it alone, and add up what it holds.

    Then let many more wait in PostgreSQL alone, which is where a journey is kept.
    """
    count, many, calm = (QUICK_JOURNEYS, QUICK_MANY, 5.0) if quick else (JOURNEYS, MANY, CALM)
    with temporary_data_dir() as folder:
        settings, _ = choose(on_free_ports(folder), workers=0)
        async with _up(settings) as (process, running):
            empty, bare = _held(process), await _disk(running, folder)
            say(f"an empty stack holds {sum(empty.values()) / 1e6:,.0f} MB")
            workspace_id = await _let_wait(running, count)
            await asyncio.sleep(calm)
            held, few = _held(process), await _disk(running, folder)
            say(f"letting {many - count:,} more wait in PostgreSQL")
            await rows.let_wait(running.database_url, workspace_id, "wait", count, many - count)
            await asyncio.sleep(calm)
            later, full = _held(process), await _disk(running, folder)
    return [_memory(count, empty, held, bare, few), _growth((count, many), (bare, few, full), later)]


def _memory(count: int, empty: Counter[str], held: Counter[str], bare: _Disk, few: _Disk) -> Figure:
    total, before = sum(held.values()), sum(empty.values())
    parts = ", ".join(f"{name} {size / 1e6:,.0f}" for name, size in held.most_common())
    grown = ", ".join(f"{name} {(size - empty[name]) / count / 1e3:,.1f}" for name, size in held.most_common())
    return Figure(
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
            f"In MB: {parts}; with no journey {before / 1e6:,.0f} together.",
            f"Each waiting journey added {(total - before) / count / 1e3:,.1f} kB of memory. In kB: {grown}.",
            (
                f"On disk each took {(few.postgres - bare.postgres) / count:,.0f} bytes in PostgreSQL, its person and its "
                f"event in the log included, and {(few.temporal - bare.temporal) / count:,.0f} bytes in Temporal."
            ),
        ),
    )


def _growth(counts: tuple[int, int], disks: tuple[_Disk, _Disk, _Disk], held: Counter[str]) -> Figure:
    (count, many), (bare, few, full) = counts, disks
    each = (few.postgres - bare.postgres) / count
    more = (full.postgres - few.postgres) / (many - count)
    temporal = (few.temporal - bare.temporal) / count
    return Figure(
        name=f"disk of a waiting journey in PostgreSQL, the last of {many:,}",
        measured=f"{more:,.0f} bytes",
        against=f"{each:,.0f} bytes of the first {count:,}",
        ratio=more / each,
        target=GROWTH,
        side="most",
        notes=(
            (
                f"The last {many - count:,} were begun and planned by the product's own code, but by no call and without "
                "workflows, so that it ends within minutes: they have no fact in the log and nothing in Temporal."
            ),
            (
                f"In PostgreSQL then {full.postgres / 1e6:,.0f} MB on disk and {held['PostgreSQL'] / 1e6:,.0f} MB in memory; "
                f"in Temporal {many:,} would take {temporal * many / 1e6:,.0f} MB on disk."
            ),
        ),
    )


async def _disk(running: StackDescription, folder: Path) -> _Disk:
    """What the database of the product and the file of Temporal take."""
    connection = await asyncpg.connect(running.database_url)
    try:
        postgres: int = await connection.fetchval("SELECT pg_database_size(current_database())")
    finally:
        await connection.close()
    return _Disk(postgres, await asyncio.to_thread(_size_of, folder))


def _size_of(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.glob("temporal.db*"))


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


async def _let_wait(running: StackDescription, count: int) -> int:
    """Let so many people begin and wait; returns the workspace."""
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
        return tenant.id
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
