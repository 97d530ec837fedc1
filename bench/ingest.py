"""Accepting and applying through the batch route, against COPY of the same rows into a table without an index."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from bench import traffic
from bench.cpu import each, spent
from bench.figure import Figure, rate
from bench.http_load import Connection
from bench.place import Place, Tenant, running_stack, until
from bench.progress import say

TARGET = 0.04
BATCH = 1000
CONNECTIONS = 4
LIMIT = 300.0
COLUMNS = ("workspace_id", "accepted_at", "received_at", "source", "op", "keys", "body")
_PENDING = "SELECT min(seq) FROM ingest_log WHERE workspace_id = $1 AND applied_at IS NULL"
"""Asked whether there are any, PostgreSQL may read the whole log each time, and slow down what is measured."""


async def measure(*, quick: bool) -> list[Figure]:
    """Facts per second from the first call to the last one applied, then the same rows as PostgreSQL takes them."""
    people, count = (4_000, 8_000) if quick else (20_000, 40_000)
    async with running_stack() as place:
        tenant = await prepared(place, people)
        before = spent(place.stack.children.values())
        applied, accepted = await saturated(place, tenant, people, 0, count)
        cost = each(before, spent(place.stack.children.values()), count)
        await tenant.settle()
        begun = await place.value("SELECT count(*) FROM journeys WHERE workspace_id = $1", tenant.id)
        peer = await copied(place, tenant, count)
    return [
        Figure(
            name="accept + apply through /api/v2/batch",
            measured=rate(applied, "facts"),
            against=f"{rate(peer, 'rows')} of COPY",
            ratio=applied / peer,
            target=TARGET,
            notes=(
                (
                    f"{count:,} facts about {people:,} people, half identifies and half events, {BATCH:,} a call over "
                    f"{CONNECTIONS} connections; 50 segments, 10 running campaigns, {begun:,} journeys begun."
                ),
                f"The calls alone were answered at {rate(accepted, 'facts')}, while facts were applied beside.",
                f"Processor time of one fact: {cost}.",
            ),
        )
    ]


async def prepared(place: Place, people: int) -> Tenant:
    """A workspace with all definitions, its campaigns running and its people known."""
    tenant = await place.tenant()
    await tenant.define(*traffic.definitions())
    for key in traffic.campaign_keys():
        await tenant.start(key)
    await tenant.settle()
    say(f"adding {people:,} people")
    await post(tenant, traffic.batches(traffic.newcomers(people), BATCH))
    await applied_all(place, tenant)
    await tenant.settle()
    return tenant


async def saturated(place: Place, tenant: Tenant, people: int, first: int, count: int) -> tuple[float, float]:
    """Facts per second that are applied, and that are accepted, when callers hold nothing back."""
    bodies = list(traffic.batches(traffic.facts(people, first, count), BATCH))
    say(f"sending {count:,} facts")
    clock = asyncio.get_running_loop().time
    began = clock()
    await post(tenant, iter(bodies))
    accepted = clock() - began
    await applied_all(place, tenant)
    took = clock() - began
    say(f"accepted at {count / accepted:,.0f} and applied at {count / took:,.0f} facts/s")
    return count / took, count / accepted


async def post(tenant: Tenant, bodies: Any) -> None:
    """Send batches over a few connections, each taking the next."""
    opened = [await Connection.open(tenant.port) for _ in range(CONNECTIONS)]

    async def one(connection: Connection) -> None:
        for body in bodies:
            await connection.accepted(tenant.track("POST", "/api/v2/batch", body))

    try:
        await asyncio.gather(*[one(connection) for connection in opened])
    finally:
        for connection in opened:
            connection.close()


async def applied_all(place: Place, tenant: Tenant) -> None:
    """Return when no accepted fact waits."""

    async def quiet() -> bool:
        return await place.value(_PENDING, tenant.id) is None

    await until(quiet, LIMIT)


async def copied(place: Place, tenant: Tenant, count: int) -> float:
    """Rows of the log per second of COPY in batches, one connection, each batch committed with the same durability."""
    say("copying the same rows")
    query = f"SELECT {', '.join(COLUMNS)} FROM ingest_log WHERE workspace_id = $1 ORDER BY seq DESC LIMIT $2"
    async with place.db.connection() as conn:
        rows: Sequence[tuple[Any, ...]] = [tuple(row) for row in await conn.fetch(query, tenant.id, count)]
        await conn.execute(
            "CREATE TABLE bench_log (LIKE ingest_log INCLUDING DEFAULTS INCLUDING IDENTITY INCLUDING STORAGE)"
        )
        await conn.copy_records_to_table("bench_log", records=rows[:BATCH], columns=COLUMNS)
        clock = asyncio.get_running_loop().time
        began = clock()
        for place_in in range(0, len(rows), BATCH):
            async with conn.transaction():
                await conn.copy_records_to_table(
                    "bench_log", records=rows[place_in : place_in + BATCH], columns=COLUMNS
                )
        found = len(rows) / (clock() - began)
        await conn.execute("DROP TABLE bench_log")
    say(f"COPY takes {found:,.0f} rows/s")
    return found


__all__ = ["BATCH", "applied_all", "copied", "measure", "post", "prepared", "saturated"]
