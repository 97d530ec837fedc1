"""From an accepted event to the joined segment and to the woken journey, while half the saturation load comes in."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

import orjson

from bench import traffic
from bench.figure import Figure, percentile, seconds
from bench.http_load import Connection
from bench.ingest import post, prepared, saturated
from bench.place import Place, Tenant, running_stack, until
from bench.progress import say

JOIN_LIMIT, WAKE_LIMIT = 2.0, 1.0
PER_SECOND = 5
LOAD_BATCH = 50
LOOK_EVERY = 0.01
LIMIT = 90.0
CAMPAIGN = "probe"


@dataclass
class _Probes:
    """When events were accepted, and after how many seconds their effects stood in the database."""

    accepted: dict[int, float] = field(default_factory=dict)
    joined: dict[int, float] = field(default_factory=dict)
    woken: dict[int, float] = field(default_factory=dict)


async def measure(*, quick: bool) -> list[Figure]:
    """Find the saturation load, then send half of it, with probing events beside."""
    people, count, span = (2_000, 4_000, 8.0) if quick else (20_000, 20_000, 40.0)
    async with running_stack() as place:
        tenant = await prepared(place, people)
        saturation, _ = await saturated(place, tenant, people, 0, count)
        probes = int(span * PER_SECOND)
        await _probing_people(place, tenant, probes)
        load = saturation / 2
        found = _Probes()
        say(f"probing at {load:,.0f} facts/s")
        watching = asyncio.create_task(_watch(place, tenant, found, probes))
        feeding = asyncio.create_task(feed(tenant, people, count, load))
        try:
            await _probe(tenant, found, probes)
            await asyncio.wait_for(watching, LIMIT)
        finally:
            for task in (watching, feeding):
                task.cancel()
            fed = (await asyncio.gather(watching, feeding, return_exceptions=True))[1]
        if isinstance(fed, Exception) and not isinstance(fed, asyncio.CancelledError):
            raise fed
    return [
        _figure("event accepted -> segment joined, p95", found.joined, JOIN_LIMIT, load),
        _figure("event accepted -> waiting journey gone on, p95", found.woken, WAKE_LIMIT, load),
    ]


def _figure(name: str, found: dict[int, float], limit: float, load: float) -> Figure:
    values = list(found.values())
    slow = percentile(values, 0.95)
    return Figure(
        name=name,
        measured=seconds(slow),
        against=f"{limit:g} s",
        ratio=slow / limit,
        target=1.0,
        side="most",
        notes=(
            (
                f"{len(values)} probes beside {load:,.0f} facts/s, half of what saturates it: median "
                f"{seconds(percentile(values, 0.5))}, p95 {seconds(slow)}, longest {seconds(max(values))}."
            ),
        ),
    )


async def _probing_people(place: Place, tenant: Tenant, count: int) -> None:
    """People who wait in a journey for the probing event."""
    paths = [
        {"key": "probed", "conditions": {"performed": {"event": traffic.PROBE_EVENT, "since": "trigger"}}},
        {"key": "never", "max_time": "P30D"},
    ]
    campaign = {
        "kind": "campaign",
        "key": CAMPAIGN,
        "name": CAMPAIGN,
        "trigger": {"type": "event", "event": "probe_begins"},
        "frequency": {"mode": "every"},
        "workflow": {"start": "wait", "blocks": {"wait": {"type": "wait_until", "paths": paths}}},
    }
    await tenant.define(campaign)
    await tenant.start(CAMPAIGN)
    say(f"letting {count} journeys wait")
    await post(tenant, traffic.batches(iter([_event(n, "probe_begins") for n in range(count)]), 500))
    query = """SELECT count(*) FROM journeys j JOIN definitions d ON d.workspace_id = j.workspace_id
                 AND d.kind = 'campaign' AND d.definition_id = j.campaign_id AND d.key = $2
               WHERE j.workspace_id = $1 AND j.wait IS NOT NULL AND j.seen = j.wanted"""

    async def all_wait() -> bool:
        return bool(await place.value(query, tenant.id, CAMPAIGN) >= count)

    await until(all_wait, LIMIT, every=0.2)


def _event(number: int, name: str) -> dict[str, Any]:
    return {"type": "person", "action": "event", "identifiers": {"id": f"probe{number}"}, "name": name}


async def feed(tenant: Tenant, people: int, first: int, load: float) -> None:
    """Send facts at an even pace until cancelled; what is late is not made up for."""
    connection = await Connection.open(tenant.port)
    clock = asyncio.get_running_loop().time
    try:
        while True:
            due = clock() + LOAD_BATCH / load
            operations = list(traffic.facts(people, first, LOAD_BATCH))
            await connection.accepted(tenant.track("POST", "/api/v2/batch", orjson.dumps({"batch": operations})))
            first += LOAD_BATCH
            await asyncio.sleep(max(0.0, due - clock()))
    finally:
        connection.close()


async def _probe(tenant: Tenant, found: _Probes, count: int) -> None:
    connection = await Connection.open(tenant.port)
    clock = asyncio.get_running_loop().time
    body = orjson.dumps({"name": traffic.PROBE_EVENT})
    try:
        for number in range(count):
            due = clock() + 1 / PER_SECOND
            path = f"/api/v1/customers/probe{number}/events"
            await connection.accepted(tenant.track("POST", path, body))
            found.accepted[number] = clock()
            await asyncio.sleep(max(0.0, due - clock()))
    finally:
        connection.close()


async def _watch(place: Place, tenant: Tenant, found: _Probes, count: int) -> None:
    """Look every hundredth of a second who has joined and whose journey has gone on."""
    query = """SELECT p.id, m.person_id IS NOT NULL AS joined, j.state = 'finished' AS woken
               FROM people p
               LEFT JOIN memberships m ON m.workspace_id = p.workspace_id AND m.person_id = p.person_id
                 AND m.kind = 'segment' AND m.member AND m.ref_id = $2
               LEFT JOIN journeys j ON j.workspace_id = p.workspace_id AND j.person_id = p.person_id
               WHERE p.workspace_id = $1 AND p.id = ANY($3)"""
    segment = await place.value(
        "SELECT definition_id FROM definitions WHERE workspace_id = $1 AND kind = 'segment' AND key = $2",
        tenant.id,
        traffic.PROBE_SEGMENT,
    )
    clock = asyncio.get_running_loop().time
    while len(found.woken) < count or len(found.joined) < count:
        open_ = [n for n in found.accepted if n not in found.woken or n not in found.joined]
        async with place.db.connection() as conn:
            rows = await conn.fetch(query, tenant.id, segment, [f"probe{n}" for n in open_]) if open_ else []
        now = clock()
        for row in rows:
            number = int(row["id"].removeprefix("probe"))
            if row["joined"]:
                found.joined.setdefault(number, now - found.accepted[number])
            if row["woken"]:
                found.woken.setdefault(number, now - found.accepted[number])
        await asyncio.sleep(LOOK_EVERY)


__all__ = ["feed", "measure"]
