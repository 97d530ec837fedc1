"""Applying with one, two and four processes: how much more several get done, and how long an accepted fact waits."""

from __future__ import annotations

import asyncio
import contextlib
import statistics
from collections import defaultdict
from collections.abc import AsyncIterator, Coroutine
from dataclasses import dataclass, field
from typing import Any

import orjson

from bench import traffic
from bench.cpu import each, spent
from bench.figure import Figure, percentile, rate, seconds
from bench.http_load import Connection
from bench.ingest import BATCH, applied_all, copied, post, prepared, saturated
from bench.latency import feed
from bench.place import Place, Tenant, running_stack
from bench.progress import say
from stack.commands import WORKERS, WorkerPlan
from store import log

PROCESSES = (1, 2, 4)
COPY_TARGET = 0.04
TARGET = 1.0
LAG_LIMIT = 1.0
PER_SECOND = 20
LOOK_EVERY = 0.005
LIMIT = 120.0
_MORE = tuple(WorkerPlan(f"worker-ingest-{number}", ("ingest",)) for number in range(2, max(PROCESSES) + 1))


@dataclass
class _Found:
    """What so many processes did: facts per second of each round, cost of a fact, seconds that facts waited."""

    rates: list[float] = field(default_factory=list)
    cost: str = ""
    waited: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Facts per second."""
        return statistics.median(self.rates)


async def measure(*, quick: bool) -> list[Figure]:
    """Let facts pile up and be applied by so many processes, in turns; then half of that, with facts that are timed."""
    people, count, rounds, span = (4_000, 6_000, 1, 3.0) if quick else (20_000, 30_000, 3, 10.0)
    found: dict[int, _Found] = defaultdict(_Found)
    async with running_stack(workers=(*WORKERS, *_MORE)) as place:
        for plan in _MORE:
            await place.stack.stop_child(plan.name)
        tenant = await prepared(place, people)
        first = 0
        for _ in range(rounds):
            for processes in PROCESSES:
                bodies = list(traffic.batches(traffic.facts(people, first, count), BATCH))
                async with _running(place, processes):
                    await _apply(place, tenant, found[processes], bodies, count)
                first += count
                say(f"{processes} at work: {found[processes].rates[-1]:,.0f} facts/s")
        pace = (await saturated(place, tenant, people, first, count))[0] / 2
        for processes in PROCESSES:
            first += count
            async with _running(place, processes):
                say(f"timing facts that {processes} apply beside {pace:,.0f} facts/s")
                load = feed(tenant, people, first, pace)
                found[processes].waited = await _wait_times(
                    place, tenant, load, f"timed-{processes}", int(span * PER_SECOND)
                )
        peer = await copied(place, tenant, count)
    return [*_rates(found, peer, count), _lag(found, pace)]


def _rates(found: dict[int, _Found], peer: float, count: int) -> list[Figure]:
    alone = found[1].rate
    figures = []
    for processes, one in found.items():
        beside = f"{rate(peer, 'rows')} of COPY" if processes == 1 else f"{rate(alone, 'facts')} of one process"
        lowest, highest = min(one.rates), max(one.rates)
        figures.append(
            Figure(
                name=f"apply alone, {processes} process{'es' if processes > 1 else ''}",
                measured=rate(one.rate, "facts"),
                against=beside,
                ratio=one.rate / (peer if processes == 1 else alone),
                target=COPY_TARGET if processes == 1 else TARGET,
                notes=(
                    (
                        f"{count:,} facts that had piled up, {len(one.rates)} rounds in turns with the others, "
                        f"{lowest:,.0f} to {highest:,.0f} facts/s; {one.rate / peer:.3f} x of COPY."
                    ),
                    f"Processor time of one fact: {one.cost}.",
                ),
            )
        )
    return figures


def _lag(found: dict[int, _Found], pace: float) -> Figure:
    slowest = max(percentile(one.waited, 0.95) for one in found.values())
    return Figure(
        name="event accepted -> applied, p95",
        measured=seconds(slowest),
        against=f"{LAG_LIMIT:g} s",
        ratio=slowest / LAG_LIMIT,
        target=1.0,
        side="most",
        notes=(
            f"Beside {pace:,.0f} facts/s, half of what saturates one process that applies while calls come in.",
            *(
                f"{processes} at work, {len(one.waited)} probes: median {seconds(percentile(one.waited, 0.5))}, "
                f"p95 {seconds(percentile(one.waited, 0.95))}."
                for processes, one in found.items()
            ),
        ),
    )


@contextlib.asynccontextmanager
async def _running(place: Place, processes: int) -> AsyncIterator[None]:
    """So many processes apply, the one of the stack included."""
    more = _MORE[: processes - 1]
    await asyncio.gather(*[place.stack.start_child(plan.name) for plan in more])
    try:
        yield
    finally:
        await asyncio.gather(*[place.stack.stop_child(plan.name) for plan in more])


async def _apply(place: Place, tenant: Tenant, found: _Found, bodies: list[bytes], count: int) -> None:
    """Hold the appliers back until everything is accepted, then time them."""
    clock = asyncio.get_running_loop().time
    async with place.db.connection() as conn:
        await log.begin_claim(conn, tenant.id)
        try:
            await post(tenant, iter(bodies))
            before = spent(place.stack.children.values())
            began = clock()
        finally:
            await log.end_claim(conn, tenant.id)
    await applied_all(place, tenant)
    found.rates.append(count / (clock() - began))
    found.cost = each(before, spent(place.stack.children.values()), count)


async def _wait_times(
    place: Place, tenant: Tenant, load: Coroutine[Any, Any, None], prefix: str, count: int
) -> list[float]:
    """After how many seconds events of people nobody knew before have made them, beside a load."""
    feeding = asyncio.create_task(load)
    accepted: dict[str, float] = {}
    watching = asyncio.create_task(_watch(place, tenant, accepted, count))
    try:
        await _probe(tenant, accepted, prefix, count)
        return await asyncio.wait_for(watching, LIMIT)
    finally:
        for task in (feeding, watching):
            task.cancel()
        await asyncio.gather(feeding, watching, return_exceptions=True)


async def _probe(tenant: Tenant, accepted: dict[str, float], prefix: str, count: int) -> None:
    connection = await Connection.open(tenant.port)
    clock = asyncio.get_running_loop().time
    body = orjson.dumps({"name": "timed"})
    try:
        for number in range(count):
            due = clock() + 1 / PER_SECOND
            name = f"{prefix}-{number}"
            await connection.accepted(tenant.track("POST", f"/api/v1/customers/{name}/events", body))
            accepted[name] = clock()
            await asyncio.sleep(max(0.0, due - clock()))
    finally:
        connection.close()


async def _watch(place: Place, tenant: Tenant, accepted: dict[str, float], count: int) -> list[float]:
    query = """SELECT value_key FROM identities
               WHERE workspace_id = $1 AND kind = 'id' AND value_key = ANY($2::text[])"""
    clock = asyncio.get_running_loop().time
    waited: dict[str, float] = {}
    while len(waited) < count:
        open_ = [name for name in accepted if name not in waited]
        async with place.db.connection() as conn:
            rows = await conn.fetch(query, tenant.id, open_) if open_ else []
        now = clock()
        waited |= {row["value_key"]: now - accepted[row["value_key"]] for row in rows}
        await asyncio.sleep(LOOK_EVERY)
    return list(waited.values())


__all__ = ["measure"]
