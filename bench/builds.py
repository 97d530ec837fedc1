"""The first build of a segment over everybody, against PostgreSQL counting the same in plain SQL."""

from __future__ import annotations

import asyncio
import statistics
from datetime import timedelta

from bench.figure import Figure, seconds
from bench.place import Place, Tenant, running_stack, until
from bench.progress import say
from clock import system_now

PEOPLE = 100_000
QUICK_PEOPLE = 5_000
EVENTS_EACH = 3
CHUNK = 20_000
TARGET = 25.0
LIMIT = 1500.0
COUNTS = 3
SEGMENT = {
    "kind": "segment",
    "key": "built",
    "name": "Built",
    "conditions": {
        "and": [
            {"attribute": {"field": "plan", "value": "pro"}},
            {"performed": {"event": "purchased", "times": {"at_least": 2}, "within": "P30D"}},
        ]
    },
}
_COUNT = """SELECT count(*) FROM people p
            WHERE p.workspace_id = $1 AND p.attributes->>'plan' = 'pro' AND (
                SELECT count(*) FROM events e
                WHERE e.workspace_id = p.workspace_id AND e.person_id = p.person_id
                  AND e.type = 'event' AND e.name_key = 'purchased' AND e.at >= $2) >= 2"""
_BUILT = """SELECT state IN ('succeeded', 'failed', 'cancelled') FROM tasks
            WHERE workspace_id = $1 AND type = 'segment_build' ORDER BY task_id DESC LIMIT 1"""
_MEMBERS = "SELECT count(*) FROM memberships WHERE workspace_id = $1 AND kind = 'segment' AND member"


async def measure(*, quick: bool, people: int | None = None) -> list[Figure]:
    """Store people with events, count them, then let the worker build the segment."""
    count = people or (QUICK_PEOPLE if quick else PEOPLE)
    async with running_stack() as place:
        tenant = await place.tenant()
        await _fill(place, tenant, count)
        plain, expected = await _counted(place, tenant)
        say(f"plain SQL counts {expected:,} in {seconds(plain)}")
        clock = asyncio.get_running_loop().time
        began = clock()
        await tenant.define(SEGMENT)

        async def built() -> bool:
            return bool(await place.value(_BUILT, tenant.id))

        await until(built, LIMIT)
        took = clock() - began
        members = await place.value(_MEMBERS, tenant.id)
    if members != expected:
        raise RuntimeError(f"the segment has {members} members, SQL counts {expected}")
    return [
        Figure(
            name=f"segment build over {count:,} people",
            measured=seconds(took),
            against=f"{seconds(plain)} of plain SQL",
            ratio=took / plain,
            target=TARGET,
            side="most",
            notes=(
                (
                    f"An attribute and an event count over {EVENTS_EACH} events each; {count / took:,.0f} people/s, "
                    f"{expected:,} members, in pages beside an idle stack."
                ),
            ),
        )
    ]


async def _fill(place: Place, tenant: Tenant, count: int) -> None:
    say(f"storing {count:,} people and {count * EVENTS_EACH:,} events")
    now = system_now()
    async with place.db.connection() as conn:
        for first in range(0, count, CHUNK):
            numbers = range(first, min(first + CHUNK, count))
            await conn.execute(
                """WITH made AS (
                     INSERT INTO people (workspace_id, id, attributes, attribute_times, created_at, age_start)
                     SELECT $1, 'p' || n, jsonb_build_object('plan', (ARRAY['free', 'basic', 'pro', 'team'])[1 + n % 4],
                                'visits', n % 50, 'city', 'Leeds'), '{}', $4::timestamptz, $4::timestamptz
                     FROM generate_series($2::int, $3::int) AS n RETURNING person_id, id)
                   , named AS (
                     INSERT INTO identities (workspace_id, kind, value_key, person_id)
                     SELECT $1, 'id', id, person_id FROM made)
                   INSERT INTO events (workspace_id, person_id, at, seq, name, name_key, type, data, processed_at)
                   SELECT $1, person_id, $6::timestamptz - ((person_id * 13 + e * 17) % 60) * interval '1 day', person_id * 10 + e,
                          name, name, 'event', '{"amount": 20}', $4
                   FROM made, generate_series(1, $5::int) AS e,
                        LATERAL (SELECT CASE WHEN e % 3 = 0 THEN 'viewed' ELSE 'purchased' END AS name)""",
                tenant.id,
                numbers.start,
                numbers.stop - 1,
                now - timedelta(days=90),
                EVENTS_EACH,
                now,
            )
        await conn.execute("VACUUM ANALYZE people, events, identities")


async def _counted(place: Place, tenant: Tenant) -> tuple[float, int]:
    """The median time of the plain count, and what it counts."""
    clock = asyncio.get_running_loop().time
    since = system_now() - timedelta(days=30)
    times, found = [], 0
    for _ in range(COUNTS):
        began = clock()
        found = await place.value(_COUNT, tenant.id, since)
        times.append(clock() - began)
    return statistics.median(times), found


__all__ = ["measure"]
