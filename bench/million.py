"""A broadcast to a million people, paced, paused, resumed, its worker killed twice: everybody once, at an even pace."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
from temporalio.client import Client

from bench import mailing
from bench.figure import Figure, seconds
from bench.place import Place, Tenant, running_stack
from bench.progress import say
from stack.process import Child
from stack.services import temporary_data_dir

PEOPLE, QUICK_PEOPLE = 1_000_000, 20_000
RATE, QUICK_RATE = 1_200, 400
WINDOW = 10
TOLERANCE = 0.05
PAUSE = 15.0
LIMIT = 6_000.0
MOST_EVENTS = 10_000


async def measure(*, quick: bool) -> list[Figure]:
    """Trigger it, disturb it, and hold what the channel was given against the audience."""
    people, per_second = (QUICK_PEOPLE, QUICK_RATE) if quick else (PEOPLE, RATE)
    with temporary_data_dir() as folder:
        folder.chmod(0o777)
        async with running_stack() as place:
            tenant = await place.tenant()
            rate = {"limit": per_second, "per": "second"}
            await tenant.define(mailing.DOMAIN, mailing.letter(send_rate=rate))
            await mailing.start(tenant)
            await mailing.fill(place, tenant, people)
            async with _noop(place, folder) as child:
                number = await mailing.trigger(tenant)
                memory = await _disturbed(place, tenant, number, people, child)
            taken = _taken(folder)
            worst, windows = await _pace(place, tenant, per_second)
            events = await _history(place, tenant, number)
            row = await mailing.state(place, tenant, number)
            sent, ambiguous = await _recorded(place, tenant)
        repeats = sum(taken.values()) - len(taken)
    took = (row["ended_at"] - row["processed_at"]).total_seconds()
    if events > MOST_EVENTS:
        raise RuntimeError(f"the workflow has {events} events")
    return [
        Figure(
            name=f"broadcast to {people:,}, paused and killed twice: recipients that were sent to once",
            measured=f"{len(taken):,} sent to",
            against=f"{people:,} recipients",
            ratio=len(taken) / people,
            target=1.0,
            notes=(
                (
                    f"{sent:,} are recorded as sent, {ambiguous} of them ambiguous; {repeats} hand-overs were made again "
                    f"with the same key, which the provider knows; in {seconds(took)} with a pause of {PAUSE:g} s."
                ),
                f"The longest workflow has {events:,} events. Memory of the sending worker: {memory}.",
            ),
        ),
        Figure(
            name=f"its pace of {per_second:,}/s, the worst window of {WINDOW} s",
            measured=f"{worst:.1%} off",
            against=f"{TOLERANCE:.0%}",
            ratio=worst / TOLERANCE,
            target=1.0,
            side="most",
            notes=(
                f"{windows} windows of stored instants, without those in which it was paused, killed, begun or ended.",
            ),
        ),
    ]


async def _disturbed(place: Place, tenant: Tenant, number: int, people: int, child: Child) -> str:
    """Let it run, killing its worker twice and pausing it once; what memory the worker held meanwhile."""
    say(f"{people:,} recipients, waiting for the first")
    await mailing.wait(place, tenant, number, seen_to=people // 10, limit=LIMIT)
    held = [_memory(child)]
    await child.kill()
    say("killed the sending worker")
    await child.wait_ready()
    await mailing.wait(place, tenant, number, seen_to=people * 4 // 10, limit=LIMIT)
    held.append(_memory(child))
    await _verb(tenant, number, "pause")
    await asyncio.sleep(PAUSE)
    await _verb(tenant, number, "resume")
    await mailing.wait(place, tenant, number, seen_to=people * 6 // 10, limit=LIMIT)
    held.append(_memory(child))
    await child.kill()
    say("killed it again")
    await child.wait_ready()
    await mailing.wait(place, tenant, number, seen_to=people * 9 // 10, limit=LIMIT)
    held.append(_memory(child))
    await mailing.wait(place, tenant, number, limit=LIMIT)
    await tenant.settle()
    return ", ".join(f"{one / 1e6:,.0f}" for one in held) + " MB at 10, 40, 60 and 90 %"


async def _verb(tenant: Tenant, number: int, verb: str) -> None:
    headers = {"Authorization": f"Bearer {tenant.app_key}"}
    answer = await tenant.client.post(f"/v1/broadcasts/{mailing.KEY}/triggers/{number}/{verb}", headers=headers)
    if answer.status_code != 200:
        raise RuntimeError(f"{verb}: {answer.status_code} {answer.text}")
    say(f"{verb}d it")


@contextlib.asynccontextmanager
async def _noop(place: Place, folder: Path) -> AsyncIterator[Child]:
    """The stack's sending worker with a channel that only counts, noting each key in `folder`."""
    ordinary = place.stack.children["worker-journeys"].command
    await place.stack.stop_child("worker-journeys")
    argv = [sys.executable, "-m", "bench.noop_worker", "--roles", ordinary.argv[-1]]
    environment = {**ordinary.environment, "BENCH_TAKEN": str(folder)}
    child = Child(replace(ordinary, name="noop", argv=argv, environment=environment))
    await child.start()
    try:
        yield child
    finally:
        await child.stop()


def _taken(folder: Path) -> Counter[str]:
    """How often the channel was given each message, over all its processes."""
    found: Counter[str] = Counter()
    for file in folder.glob("taken-*"):
        found.update(line for line in file.read_text().splitlines() if line)
    return found


def _memory(child: Child) -> int:
    return int(psutil.Process(child.pid).memory_info().rss) if child.pid is not None else 0


async def _pace(place: Place, tenant: Tenant, per_second: int) -> tuple[float, int]:
    """How far the worst window lies off the rate, and how many windows were looked at.

    A window counts that has full ones on both sides: one in which somebody paused or killed it is no window of its pace.
    """
    async with place.db.connection() as conn:
        rows = await conn.fetch(
            """SELECT (metrics ->> 'sent')::bigint / 1000000 / $2::int AS at, count(*) AS sent FROM deliveries
               WHERE workspace_id = $1 AND metrics ? 'sent' GROUP BY 1 ORDER BY 1""",
            tenant.id,
            WINDOW,
            timeout=300,
        )
    counts = {row["at"]: row["sent"] for row in rows}
    full = per_second * WINDOW
    disturbed = {at for at in range(min(counts), max(counts) + 1) if counts.get(at, 0) < full * (1 - TOLERANCE) * 0.95}
    steady = [
        abs(sent - full) / full
        for at, sent in counts.items()
        if not {at - 1, at, at + 1} & disturbed and at not in (min(counts), max(counts))
    ]
    return (max(steady), len(steady)) if steady else (1.0, 0)


async def _history(place: Place, tenant: Tenant, number: int) -> int:
    """How many events the longest run of the trigger's workflow has."""
    settings = place.stack.settings
    client = await Client.connect(settings.temporal_address or "", namespace=settings.temporal_namespace)
    longest = 0
    async for found in client.list_workflows('WorkflowType = "broadcast"'):
        if found.id.startswith(f"broadcast/{tenant.id}/") and found.id.endswith(f"/{number}"):
            longest = max(longest, found.history_length)
    return longest


async def _recorded(place: Place, tenant: Tenant) -> tuple[Any, Any]:
    async with place.db.connection() as conn:
        row = await conn.fetchrow(
            """SELECT count(*) FILTER (WHERE metrics ? 'sent') AS sent, count(*) FILTER (WHERE ambiguous) AS ambiguous
               FROM deliveries WHERE workspace_id = $1""",
            tenant.id,
            timeout=300,
        )
    return row["sent"], row["ambiguous"]


__all__ = ["measure"]
