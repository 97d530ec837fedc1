"""Segments over very many people: one build against plain SQL, people whom the clock moves, facts among many segments."""

from __future__ import annotations

import asyncio
import contextlib
import statistics
from collections import Counter
from datetime import timedelta
from typing import NamedTuple

import psutil

from bench import traffic
from bench.cpu import each, spent
from bench.crowd import BUILT, EVENTS_EACH, TURNING, fill, let_turn, segments
from bench.figure import Figure, rate, seconds
from bench.ingest import saturated
from bench.place import Place, Tenant, running_stack, until
from bench.progress import say
from clock import system_now
from domain.conditions import parse_condition
from domain.facts import EventFact

TARGET = 25.0
LIMIT = 1500.0
COUNTS = 3
LAG = 60.0
"""Within so many seconds the clock is to have moved everybody whose instant lies in one minute."""
_COUNT = """SELECT count(*) FROM people p
            WHERE p.workspace_id = $1 AND p.attributes->>'plan' = 'pro' AND (
                SELECT count(*) FROM events e
                WHERE e.workspace_id = p.workspace_id AND e.person_id = p.person_id
                  AND e.type = 'event' AND e.name_key = 'purchased' AND e.at >= $2) >= 2"""
_BUILT = """SELECT NOT EXISTS (SELECT 1 FROM tasks WHERE workspace_id = $1 AND type = 'segment_build'
                               AND state IN ('queued', 'running'))"""
_MEMBERS = "SELECT count(*) FROM memberships WHERE workspace_id = $1 AND kind = 'segment' AND ref_id = $2 AND member"
_NUMBER = "SELECT definition_id FROM definitions WHERE workspace_id = $1 AND kind = 'segment' AND key = $2"
_DUE = "SELECT min(flips_at) <= $2 FROM memberships WHERE workspace_id = $1 AND flips_at IS NOT NULL"
_WAITING = "SELECT min(seq) FROM ingest_log WHERE workspace_id = $1 AND applied_at IS NULL"


class _Sizes(NamedTuple):
    """How many people there are, of whom the clock moves some, and of whom some send facts."""

    people: int
    turning: int
    sending: int
    facts: int


FULL = _Sizes(1_000_000, 100_000, 20_000, 40_000)
QUICK = _Sizes(10_000, 2_000, 2_000, 4_000)


async def measure(*, quick: bool, people: int | None = None) -> list[Figure]:
    """Fill a workspace that has a hundred segments, then measure one after the other."""
    sizes = QUICK if quick else FULL
    if people is not None:
        sizes = sizes._replace(people=people, turning=min(sizes.turning, people), sending=min(sizes.sending, people))
    async with running_stack() as place:
        tenant = await place.tenant()
        await tenant.define(*segments())
        await _all_built(place, tenant)
        await fill(place, tenant, sizes.people, system_now())
        return [
            await _build(place, tenant, sizes),
            await _turn(place, tenant, sizes),
            await _facts(place, tenant, sizes),
        ]


async def _all_built(place: Place, tenant: Tenant) -> None:
    async def built() -> bool:
        return bool(await place.value(_BUILT, tenant.id))

    await until(built, LIMIT)


async def _build(place: Place, tenant: Tenant, sizes: _Sizes) -> Figure:
    """Save the conditions of one segment anew, among nobody whom it has yet."""
    plain, expected = await _counted(place, tenant)
    say(f"plain SQL counts {expected:,} in {seconds(plain)}")
    number = await place.value(_NUMBER, tenant.id, BUILT["key"])
    await tenant.define({**BUILT, "conditions": {"attribute": {"field": "nobody_has_this"}}})
    await _all_built(place, tenant)
    clock = asyncio.get_running_loop().time
    began = clock()
    await tenant.define(BUILT)
    await _all_built(place, tenant)
    took = clock() - began
    members = await place.value(_MEMBERS, tenant.id, number)
    say(f"{members:,} members after {seconds(took)}")
    if members != expected:
        raise RuntimeError(f"the segment has {members} members, SQL counts {expected}")
    return Figure(
        name=f"segment build over {sizes.people:,} people",
        measured=seconds(took),
        against=f"{seconds(plain)} of plain SQL",
        ratio=took / plain,
        target=TARGET,
        side="most",
        notes=(
            (
                f"An attribute and an event count over {EVENTS_EACH} events each, from the call that saves it to the end of "
                f"its workflow; {sizes.people / took:,.0f} people/s, {expected:,} members, each in the log."
            ),
            f"Memory then: {_held(place)}.",
        ),
    )


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


async def _turn(place: Place, tenant: Tenant, sizes: _Sizes) -> Figure:
    """Have the instants of many people come at once, and wait until all of them are members."""
    number = await place.value(_NUMBER, tenant.id, TURNING["key"])
    say(f"letting the clock move {sizes.turning:,} people")
    now = system_now()
    await let_turn(place, tenant, sizes.turning, number, now)
    clock = asyncio.get_running_loop().time
    began = clock()

    async def settled() -> bool:
        return not await place.value(_DUE, tenant.id, now) and await place.value(_WAITING, tenant.id) is None

    await until(settled, LIMIT)
    took = clock() - began
    members = await place.value(_MEMBERS, tenant.id, number)
    if members != sizes.turning:
        raise RuntimeError(f"{members} are members, {sizes.turning} should be")
    say(f"settled in {seconds(took)}")
    return Figure(
        name=f"{sizes.turning:,} people flip by the clock",
        measured=rate(sizes.turning / took, "people"),
        against=f"{rate(sizes.turning / LAG, 'people')} within a minute",
        ratio=LAG / took,
        target=1.0,
        notes=(
            f"Among {sizes.people:,}, all in one minute, until each is a member and in the log: {seconds(took)}.",
            f"Memory then: {_held(place)}.",
        ),
    )


async def _facts(place: Place, tenant: Tenant, sizes: _Sizes) -> Figure:
    """Apply facts twice: the first time moves people into the segments they belong to, the second is measured."""
    await saturated(place, tenant, sizes.sending, 0, sizes.facts)
    before = spent(place.stack.children.values())
    applied, _ = await saturated(place, tenant, sizes.sending, sizes.facts, sizes.facts)
    cost = each(before, spent(place.stack.children.values()), sizes.facts)
    asked = _asked(sizes)
    return Figure(
        name=f"evaluations as facts come in, {len(segments())} segments",
        measured=rate(applied * asked, "evaluations"),
        against=f"{rate(applied, 'facts')} applied",
        ratio=asked,
        target=1.0,
        notes=(
            (
                f"{sizes.facts:,} facts about {sizes.sending:,} of {sizes.people:,} people; each asks {asked:.1f} segments, "
                "those alone counted that look at what it changes."
            ),
            f"Processor time of one fact: {cost}. Memory then: {_held(place)}.",
        ),
    )


def _asked(sizes: _Sizes) -> float:
    """How many segments a fact asks, at the least."""
    keys = [parse_condition(segment["conditions"]).keys for segment in segments()]
    count = 0
    nowhere: frozenset[int] = frozenset()
    moving = frozenset({"visits", "last_page"})
    now = system_now()
    for fact in traffic.facts(sizes.sending, sizes.facts, min(sizes.facts, 2_000)):
        named = fact.get("name")
        events = [] if named is None else [EventFact(named, now, 0, {})]
        attributes = frozenset[str]() if events else moving
        count += sum(one.touched_by(attributes, events, nowhere, {}, aged=False) for one in keys)
    return count / min(sizes.facts, 2_000)


def _held(place: Place) -> str:
    """What the processes hold, in proportional set sizes, so that shared memory counts once."""
    held: Counter[str] = Counter()
    for child in place.stack.children.values():
        if child.pid is None:
            continue
        with contextlib.suppress(psutil.NoSuchProcess):
            top = psutil.Process(child.pid)
            for process in (top, *top.children(recursive=True)):
                with contextlib.suppress(psutil.NoSuchProcess):
                    held[child.name] += process.memory_full_info().pss
    parts = ", ".join(f"{name} {size / 1e6:,.0f}" for name, size in held.most_common())
    return f"{sum(held.values()) / 1e6:,.0f} MB ({parts})"


__all__ = ["measure"]
