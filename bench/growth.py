"""What one call costs among 1,000,000 people, against the same among 10,000: all processes, until it is applied."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, NamedTuple

from bench import traffic
from bench.cpu import spent
from bench.figure import Figure
from bench.http_load import Connection
from bench.ingest import applied_all
from bench.place import Place, Tenant, running_stack
from bench.progress import say
from clock import system_now

FEW, MANY = 10_000, 1_000_000
QUICK_FEW, QUICK_MANY = 1_000, 20_000
TARGET = 1.3
CHUNK = 20_000
COUNTED = ("api", "worker-ingest", "postgres")
VISITS = (10, 25, 40)
SEGMENTS = {
    **{f"on-{plan}": {"attribute": {"field": "plan", "value": plan}} for plan in traffic.PLANS},
    **{f"visits-{least}": {"attribute": {"field": "visits", "operator": "gte", "value": least}} for least in VISITS},
    "viewed": {"performed": {"event": "viewed"}},
}
"""Segments whose members can be told from what people are loaded with."""


class _Side(NamedTuple):
    """A stack with a workspace of so many people."""

    place: Place
    tenant: Tenant
    people: int


async def measure(*, quick: bool) -> list[Figure]:
    """The same calls in turns on two stacks, one with few people and one with many."""
    few, many = (QUICK_FEW, QUICK_MANY) if quick else (FEW, MANY)
    rounds, singles, batches = (2, 200, 2) if quick else (5, 1_000, 10)
    costs: dict[str, list[tuple[float, float]]] = defaultdict(list)
    async with _side(few) as small, _side(many) as large:
        for number in range(rounds + 1):
            for kind, count in (("identify", singles), ("event", singles), ("batch", batches)):
                found = [await _cost(side, kind, number * singles * 50, count) for side in (small, large)]
                if number:  # the first round makes connections, plans and caches
                    costs[kind].append((found[0], found[1]))
                say(
                    f"{kind}: {found[0] * 1e6:,.0f} us among {few:,} and {found[1] * 1e6:,.0f} us among {many:,} people"
                )
    return [_figure(kind, pairs, few, many, singles if kind != "batch" else batches) for kind, pairs in costs.items()]


def _figure(kind: str, pairs: list[tuple[float, float]], few: int, many: int, count: int) -> Figure:
    ratios = [large / small for small, large in pairs]
    small, large = (statistics.median(side) * 1e6 for side in zip(*pairs, strict=True))
    what = "batch call with 1,000 facts" if kind == "batch" else f"{kind} call"
    return Figure(
        name=f"one {what} among {many:,} people",
        measured=f"{large:,.0f} us of processor",
        against=f"{small:,.0f} us among {few:,}",
        ratio=statistics.median(ratios),
        target=TARGET,
        side="most",
        notes=(
            (
                f"{count:,} calls a round about people chosen all over, {len(pairs)} rounds in turns, ratio "
                f"{min(ratios):.2f}-{max(ratios):.2f}; processor time of {', '.join(COUNTED)}, from the first call until "
                "the last fact is applied."
            ),
        ),
    )


@asynccontextmanager
async def _side(people: int) -> AsyncIterator[_Side]:
    async with running_stack() as place:
        tenant = await place.tenant()
        await tenant.define(
            *[{"kind": "segment", "key": key, "name": key, "conditions": test} for key, test in SEGMENTS.items()]
        )
        await tenant.settle()
        await _fill(place, tenant, people)
        yield _Side(place, tenant, people)


async def _cost(side: _Side, kind: str, first: int, count: int) -> float:
    """Seconds of processor time of one call."""
    tenant = side.tenant
    connection = await Connection.open(tenant.port)
    before = _spent(side.place)
    try:
        for request in _requests(tenant, side.people, kind, first, count):
            await connection.accepted(request)
    finally:
        connection.close()
    await applied_all(side.place, tenant)
    return (_spent(side.place) - before) / count


def _spent(place: Place) -> float:
    return sum(seconds for name, seconds in spent(place.stack.children.values()).items() if name in COUNTED)


def _requests(tenant: Tenant, people: int, kind: str, first: int, count: int) -> Iterator[bytes]:
    """Calls about people all over: a step that shares no factor with their number visits all before anybody twice."""
    if kind == "batch":
        for body in traffic.batches(traffic.facts(people, first, count * 1_000), 1_000):
            yield tenant.track("POST", "/api/v2/batch", body)
        return
    for number in range(first, first + count):
        path = f"/api/v1/customers/p{number * 7919 % people}"
        if kind == "event":
            body = b'{"name":"viewed","data":{"sku":"sku-%d","amount":%d}}' % (number % 300, number % 90)
            yield tenant.track("POST", f"{path}/events", body)
        else:
            body = b'{"visits":%d,"last_page":"/plants/%d"}' % (number % 50, number % 400)
            yield tenant.track("PUT", path, body)


async def _fill(place: Place, tenant: Tenant, people: int) -> None:
    """Store people with names, an event each and their memberships, straight into the tables."""
    say(f"storing {people:,} people")
    query = "SELECT key, definition_id FROM definitions WHERE workspace_id = $1 AND kind = 'segment'"
    now = system_now()
    async with place.db.connection() as conn:
        ids = dict(await conn.fetch(query, tenant.id))
        start = await conn.fetchval("SELECT nextval(pg_get_serial_sequence('people', 'person_id'))")
        await conn.execute("SELECT setval(pg_get_serial_sequence('people', 'person_id'), $1)", start + people)
        for first in range(0, people, CHUNK):
            rows = [_Row(tenant.id, start + n, n, now) for n in range(first, min(first + CHUNK, people))]
            await conn.copy_records_to_table("people", records=[row.person for row in rows], columns=_PERSON)
            names = [name for row in rows for name in row.names]
            await conn.copy_records_to_table("identities", records=names, columns=_NAME)
            await conn.copy_records_to_table("events", records=[row.event for row in rows], columns=_EVENT)
            members = [member for row in rows for member in row.memberships(ids)]
            await conn.copy_records_to_table("memberships", records=members, columns=_MEMBERSHIP)
        await conn.execute("VACUUM ANALYZE people, identities, events, memberships")


_PERSON = ("workspace_id", "person_id", "id", "email", "attributes", "attribute_times", "created_at", "age_start")
_NAME = ("workspace_id", "kind", "value_key", "person_id")
_EVENT = ("workspace_id", "person_id", "at", "seq", "name", "name_key", "type", "data", "processed_at")
_MEMBERSHIP = ("workspace_id", "person_id", "kind", "ref_id", "member", "since")


class _Row:
    """Everything that is stored of one person, who has viewed something lately."""

    def __init__(self, workspace_id: int, person_id: int, number: int, now: Any) -> None:
        self._key = (workspace_id, person_id)
        self._now = now
        self._since = now - timedelta(days=90)
        attributes = traffic.attributes(number, 0)
        self._id, self._email = f"p{number}", attributes.pop("email")
        self._attributes = attributes

    @property
    def person(self) -> tuple[Any, ...]:
        """The row of `people`."""
        times = dict.fromkeys(("id", "email", *self._attributes), int(self._since.timestamp() * 1e6))
        return (*self._key, self._id, self._email, self._attributes, times, self._since, self._since)

    @property
    def names(self) -> list[tuple[Any, ...]]:
        """The rows of `identities`."""
        workspace_id, person_id = self._key
        return [(workspace_id, "id", self._id, person_id), (workspace_id, "email", self._email, person_id)]

    @property
    def event(self) -> tuple[Any, ...]:
        """The row of `events`."""
        at = self._now - timedelta(days=self._key[1] % 60)
        return (*self._key, at, self._key[1], "viewed", "viewed", "event", {"sku": "sku-1", "amount": 20}, self._now)

    def memberships(self, ids: dict[str, int]) -> list[tuple[Any, ...]]:
        """The rows of `memberships`."""
        visits = self._attributes["visits"]
        keys = [f"on-{self._attributes['plan']}", "viewed", *(f"visits-{n}" for n in VISITS if visits >= n)]
        return [(*self._key, "segment", ids[key], True, self._since) for key in keys if key in ids]


__all__ = ["measure"]
