"""The cluster beside the small stack: journeys, facts and the memory of idle processes, in turns on the same machine."""

from __future__ import annotations

import asyncio
import contextlib
import statistics
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

import psutil

from bench import traffic
from bench.cpu import each, spent
from bench.figure import Figure, paired, rate
from bench.ingest import BATCH, applied_all, post, prepared
from bench.place import Place, Tenant, running_stack, until
from bench.progress import say
from stack.process import Child
from stack.temporal_cluster import SHARDS
from stack.topology import CLUSTER

JOURNEYS_TARGET = 0.5
FACTS_TARGET = 0.9
LIMIT = 300.0
CALM = 20.0
MESSAGE = {"subject": "Hello {{customer.city}}", "body": "<p>Hello {{event.sku}}</p>{% unsubscribe %}"}
GREET = {
    "kind": "campaign",
    "key": "greet",
    "name": "greet",
    "trigger": {"type": "event", "event": "bought"},
    "frequency": {"mode": "every"},
    "workflow": {
        "start": "mail",
        "defaults": {"sending_state": "automatic"},
        "blocks": {"mail": {"type": "email", "message": MESSAGE}},
    },
}


@dataclass(frozen=True)
class Side:
    """One of the two stacks, with a workspace that has 50 segments, 10 campaigns and one that greets."""

    name: str
    place: Place
    tenant: Tenant
    people: int
    idle: Counter[str]

    @classmethod
    async def make(cls, name: str, place: Place, people: int, calm: float) -> Side:
        """Take the memory of the idle stack, then make the workspace."""
        say(f"letting the {name} rest")
        await asyncio.sleep(calm)
        idle = _held(place.stack.children)
        tenant = await prepared(place, people)
        await tenant.define(GREET)
        await tenant.start("greet")
        await tenant.settle()
        return cls(name, place, tenant, people, idle)

    async def journeys(self, count: int) -> float:
        """Journeys per second, from the calls with their events to the last that has ended."""
        before = await self._ended()
        events = [
            {
                "type": "person",
                "action": "event",
                "identifiers": {"id": f"p{person}"},
                "name": "bought",
                "attributes": {"sku": "a"},
            }
            for person in range(count)
        ]
        clock = asyncio.get_running_loop().time
        began = clock()
        await self._post(traffic.batches(iter(events), 100))

        async def over() -> bool:
            return await self._ended() >= before + count

        await until(over, LIMIT, every=0.1)
        return count / (clock() - began)

    async def facts(self, first: int, count: int) -> float:
        """Facts per second that are applied when callers hold nothing back."""
        bodies = list(traffic.batches(traffic.facts(self.people, first, count), BATCH))
        clock = asyncio.get_running_loop().time
        began = clock()
        await self._post(iter(bodies))
        await applied_all(self.place, self.tenant)
        found = count / (clock() - began)
        await self.tenant.settle()
        return found

    def spent(self) -> dict[str, float]:
        """Processor time of its processes so far, those of a kind together."""
        found: Counter[str] = Counter()
        for name, value in spent(self.place.stack.children.values()).items():
            found[_kind(name)] += value  # type: ignore[assignment]
        return dict(found)

    async def _post(self, bodies: Iterator[bytes]) -> None:
        """Send through all its APIs at once."""
        ports = [urlsplit(url).port or 80 for url in self.place.stack.describe().api_urls]
        await asyncio.gather(*[post(replace(self.tenant, port=port), bodies) for port in ports])

    async def _ended(self) -> int:
        query = """SELECT count(*) FROM journeys
                   WHERE workspace_id = $1 AND state = 'finished' AND trigger->'event'->>'name' = 'bought'"""
        found: int = await self.place.value(query, self.tenant.id)
        return found


async def measure(*, quick: bool) -> list[Figure]:
    """Both stacks run at the same time and are asked in turns, since the machine is never twice the same."""
    rounds, journeys, facts, people, calm = (2, 60, 4_000, 4_000, 3.0) if quick else (4, 300, 20_000, 20_000, CALM)
    async with running_stack() as one, running_stack(topology=CLUSTER) as other:
        sides = [
            await Side.make("embedded stack", one, people, calm),
            await Side.make("cluster", other, people, calm),
        ]
        for side in sides:
            await side.journeys(20)
        small, cluster = sides
        walked, costs = await _rounds(sides, rounds, journeys, lambda side, _: side.journeys(journeys))
        applied, fact_costs = await _rounds(
            sides, rounds, facts, lambda side, turn: side.facts(people + turn * facts, facts)
        )
    return [
        _figure("journeys, event -> message -> exit, on the cluster", "journeys", walked, costs, JOURNEYS_TARGET),
        _figure("accept + apply on the cluster", "facts", applied, fact_costs, FACTS_TARGET),
        _memory(small.idle, cluster.idle),
    ]


async def _rounds(
    sides: list[Side], rounds: int, count: int, go: Any
) -> tuple[tuple[list[float], list[float]], tuple[str, str]]:
    """What each side reached in each round, and what the last of them cost its processes."""
    found: tuple[list[float], list[float]] = ([], [])
    costs = ["", ""]
    for turn in range(rounds):
        for number, side in enumerate(sides):
            before = side.spent()
            found[number].append(await go(side, turn))
            costs[number] = each(before, side.spent(), count)
            say(f"round {turn + 1}, {side.name}: {found[number][-1]:,.1f}/s")
    return found, (costs[0], costs[1])


def _figure(
    name: str, what: str, found: tuple[list[float], list[float]], costs: tuple[str, str], target: float
) -> Figure:
    small, cluster = found
    ratio, spread = paired(cluster, small)
    return Figure(
        name=name,
        measured=rate(statistics.median(cluster), what),
        against=f"{rate(statistics.median(small), what)} on the embedded stack",
        ratio=ratio,
        target=target,
        notes=(
            f"In turns, both on the same two cores and the other side idle meanwhile; ratio {spread}.",
            f"Processor time of one, cluster: {costs[1]}; embedded stack: {costs[0]}.",
        ),
    )


def _memory(small: Counter[str], cluster: Counter[str]) -> Figure:
    def parts(held: Counter[str]) -> str:
        return ", ".join(f"{name} {size / 1e6:,.0f}" for name, size in held.most_common())

    return Figure(
        name="memory of an idle cluster",
        measured=f"{cluster.total() / 1e9:.2f} GB",
        against=f"{small.total() / 1e9:.2f} GB of the embedded stack",
        ratio=cluster.total() / small.total(),
        target=3.0,
        side="most",
        notes=(
            "Proportional set sizes of all processes without the supervisor, before anything was asked of them.",
            f"Cluster with {SHARDS} shards, in MB: {parts(cluster)}.",
            f"Embedded stack, in MB: {parts(small)}.",
        ),
    )


def _held(children: dict[str, Child]) -> Counter[str]:
    """Bytes by kind of process."""
    held: Counter[str] = Counter()
    for name, child in children.items():
        with contextlib.suppress(psutil.NoSuchProcess):
            top = psutil.Process(child.pid)
            for process in (top, *top.children(recursive=True)):
                with contextlib.suppress(psutil.NoSuchProcess):
                    held[_kind(name)] += process.memory_full_info().pss
    return held


def _kind(name: str) -> str:
    """What a process is, whatever its number among several."""
    return name.rstrip("0123456789").rstrip("-")


__all__ = ["measure"]
