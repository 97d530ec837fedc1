"""Ten thousand journeys through every kind of effect while processes are killed: how many finish by their way, once."""

from __future__ import annotations

import asyncio
import os
from collections import Counter

from bench.errand import CAMPAIGN, KEY, Traveller, expected
from bench.figure import Figure, seconds
from bench.ordeal import Caller, Killer, Verdict, all_ended, judged
from bench.place import Place, Tenant, running_stack
from bench.progress import say
from domain.received import read

JOURNEYS, QUICK_JOURNEYS = 10_000, 300
KILLS, QUICK_KILLS = 400, 12
PER_SECOND = 7.0
"""Journeys begun in a second, about what two cores carry while they start killed processes again."""
SLACK = 1.5
"""By how much accepting everything may take longer than its share of the time before it is given up."""
AFTERWARDS = 120.0
"""After how long without a journey that ends the rest is given up."""


async def measure(*, quick: bool) -> list[Figure]:
    """Let people travel while processes die, wait for the last, and hold each against the reference."""
    journeys, kills = (QUICK_JOURNEYS, QUICK_KILLS) if quick else (JOURNEYS, KILLS)
    received: Counter[str] = Counter()

    async def count(raw: bytes, _sender: str, _recipients: list[str]) -> None:
        received[read(raw).delivery_id or ""] += 1

    people = [Traveller(number) for number in range(journeys)]
    span = journeys / PER_SECOND
    seed = os.urandom(4).hex()
    clock = asyncio.get_running_loop().time
    async with running_stack(on_message=count) as place:
        tenant = await _tenant(place)
        killer = Killer(place.stack, seed, kills, at_once=2 if quick else 3, within=span)
        say(f"{journeys:,} journeys and {kills} kills over {span:,.0f} s, seed {seed}")
        began = clock()
        again = await _ordeal(place, tenant, people, killer, span)
        url = place.stack.describe().database_url
        say(f"{sum(killer.killed.values())} kills are done, waiting for the last journeys")
        await all_ended(url, tenant.id, journeys, AFTERWARDS)
        took = clock() - began
        ways = {person.id: expected(person) for person in people}
        verdict = await judged(url, tenant.id, ways, received)
    return [_figure(verdict, killer, took, again)]


async def _tenant(place: Place) -> Tenant:
    """A workspace whose mail leaves by SMTP to the sink, with the errand running."""
    tenant = await place.tenant()
    sink = place.stack.sink
    config = {"host": sink.host, "port": sink.port, "require_tls": True}
    provider = {
        "kind": "provider",
        "key": "out",
        "name": "Out",
        "channel": "email",
        "provider": "smtp",
        "config": config,
    }
    await tenant.define(provider, CAMPAIGN)
    await tenant.start(KEY)
    return tenant


async def _ordeal(place: Place, tenant: Tenant, people: list[Traveller], killer: Killer, span: float) -> int:
    """Everything that is to happen; returns how many calls had to be made again."""
    async with Caller(place.stack.describe().api_url, tenant.site_id, tenant.api_key) as caller:
        await caller.introduce(people)
        await tenant.settle()
        try:
            async with asyncio.timeout(span * SLACK + AFTERWARDS), asyncio.TaskGroup() as group:
                group.create_task(caller.travel(people, span, killer.seed))
                group.create_task(killer.run())
        except TimeoutError:
            say("not everything was accepted in time")
        return caller.again


def _figure(verdict: Verdict, killer: Killer, took: float, again: int) -> Figure:
    kills = sum(killer.killed.values())
    wrong = len(verdict.astray) + len(verdict.doubled) + len(verdict.missing)
    faults = (verdict.people - verdict.finished) + wrong
    deaths = ", ".join(f"{name} {count}" for name, count in sorted(killer.killed.items()))
    odd = (*verdict.astray, *verdict.doubled, *verdict.missing)[:5]
    return Figure(
        name=f"{verdict.people:,} journeys while processes are killed {kills} times",
        measured=f"{verdict.finished:,} finished",
        against=f"{verdict.people:,} begun",
        ratio=(verdict.people - faults) / verdict.people,
        target=1.0,
        notes=(
            (
                f"SIGKILL of {deaths}, up to {killer.at_once} at once, in {seconds(took)}; {again} calls to the API were made "
                "again until they were accepted, with the same id."
            ),
            (
                f"By another way than the reference says: {len(verdict.astray)}; messages or journeys doubled: "
                f"{len(verdict.doubled)}; messages missing: {len(verdict.missing)}."
            ),
            (
                f"Messages in the hands of the provider when somebody died, which the product marks ambiguous and does not "
                f"send again: {len(verdict.unsure)} of them did not arrive."
            ),
            *(f"For example: {one}" for one in odd),
        ),
    )


__all__ = ["measure"]
