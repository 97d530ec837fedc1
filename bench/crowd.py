"""A workspace with very many people and events, stored by set-wise SQL, and a hundred segments over them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from bench import traffic
from bench.place import Place, Tenant
from bench.progress import say

SEGMENTS = 100
EVENTS_EACH = 10
CHUNK = 20_000
DAY = 86_400
BUILT: dict[str, Any] = {
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
"""The segment whose build is measured."""
TURNING: dict[str, Any] = {
    "kind": "segment",
    "key": "turning",
    "name": "Turning",
    "conditions": {"attribute": {"field": "renews", "operator": "before", "value": {"from_now": "P1D"}}},
}
"""The segment into which the clock moves people."""
_FILL = """
    WITH made AS (
        INSERT INTO people (workspace_id, id, email, attributes, attribute_times, created_at, age_start)
        SELECT $1, 'p' || n, 'p' || n || '@example.com',
               jsonb_build_object('plan', (ARRAY['free', 'basic', 'pro', 'team'])[1 + n % 4], 'visits', n % 50,
                   'city', (ARRAY['Leeds', 'York', 'Lyon', 'Graz', 'Turin', 'Ghent'])[1 + n / 4 % 6],
                   'score', (n * 7 % 1000) / 10.0, 'since', 1700000000 + n, 'last_page', '/plants/' || n % 400,
                   'trial_ends', extract(epoch FROM $4::timestamptz)::bigint + (n % 90 - 45) * 86400),
               '{}', $5::timestamptz, $5::timestamptz
        FROM generate_series($2::int, $3::int) AS n RETURNING person_id, id, email)
    , named AS (
        INSERT INTO identities (workspace_id, kind, value_key, person_id)
        SELECT $1, 'id', id, person_id FROM made UNION ALL SELECT $1, 'email', email, person_id FROM made)
    INSERT INTO events (workspace_id, person_id, at, seq, name, name_key, type, data, processed_at)
    SELECT $1, person_id, $4::timestamptz - ((person_id * 13 + e * 17) % 60) * interval '1 day', person_id * 16 + e, name,
           name, 'event', '{"amount": 20}', $4
    FROM made, generate_series(1, $6::int) AS e, LATERAL (SELECT CASE WHEN e % 5 < 2 THEN 'purchased'
        ELSE ($7::text[])[1 + (person_id + e) % cardinality($7::text[])] END AS name)"""
_TURN = """
    WITH due AS (
        UPDATE people SET attributes = attributes || jsonb_build_object('renews', $5::bigint - person_id % 60 + $6::int - 1)
        WHERE workspace_id = $1 AND person_id IN (
            SELECT person_id FROM people WHERE workspace_id = $1 ORDER BY person_id LIMIT $3)
        RETURNING person_id)
    INSERT INTO memberships (workspace_id, person_id, kind, ref_id, member, since, flips_at)
    SELECT $1, person_id, 'segment', $2::int, false, $4::timestamptz, $4::timestamptz - (person_id % 60) * interval '1 second'
    FROM due"""


def segments() -> list[dict[str, Any]]:
    """A hundred: attributes, timestamps that the clock moves, counts in windows, negative windows, and/or, nested."""
    others = [document for document in traffic.definitions() if document["kind"] == "segment"]
    more = _more(SEGMENTS - len(others) - 2)
    return [*others, *more, BUILT, TURNING]


def _more(count: int) -> Iterator[dict[str, Any]]:
    events = traffic.EVENTS
    for n in range(count):
        days, event = 1 + n // 6, events[n % len(events)]
        tests: list[Any] = [
            {"attribute": {"field": "trial_ends", "operator": "before", "value": {"from_now": f"P{days}D"}}},
            {"attribute": {"field": "trial_ends", "operator": "after", "value": {"ago": f"P{days}D"}}},
            {"attribute": {"field": ("score", "city", "renews")[n % 3], "operator": "exists"}},
            {"performed": {"event": event, "times": {"at_least": 1 + n % 3}, "within": f"P{7 * days}D"}},
            {"performed": {"event": event, "within": f"P{7 * days}D", "inverse": True}},
            {
                "or": [
                    {"segment": "segment-0"},
                    {"and": [{"segment": "segment-1"}, {"not": {"performed": {"event": event}}}]},
                ]
            },
        ]
        yield {"kind": "segment", "key": f"more-{n}", "name": f"More {n}", "conditions": tests[n % len(tests)]}


async def fill(place: Place, tenant: Tenant, people: int, now: datetime) -> None:
    """Store so many people, with ten events each."""
    say(f"storing {people:,} people and {people * EVENTS_EACH:,} events")
    rest = [name for name in traffic.EVENTS if name != "purchased"]
    async with place.db.connection() as conn:
        for first in range(0, people, CHUNK):
            last = min(first + CHUNK, people) - 1
            await conn.execute(_FILL, tenant.id, first, last, now, now - timedelta(days=90), EVENTS_EACH, rest)
        await conn.execute("VACUUM ANALYZE people, events, identities")


async def let_turn(place: Place, tenant: Tenant, people: int, segment_id: int, now: datetime) -> None:
    """Have so many people who are to come into `TURNING` in the minute before `now`, all at once."""
    async with place.db.connection() as conn:
        await conn.execute(_TURN, tenant.id, segment_id, people, now, int(now.timestamp()), DAY)


__all__ = ["BUILT", "EVENTS_EACH", "TURNING", "fill", "let_turn", "segments"]
