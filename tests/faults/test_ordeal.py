"""Three hundred journeys through every kind of effect while processes die at random: everybody goes the way that was theirs."""

from __future__ import annotations

import asyncio
import os

import pytest

from bench.errand import CAMPAIGN, KEY, Traveller, expected
from bench.ordeal import CHILDREN, Caller, Killer, all_ended, judged
from tests.faults.deployment import Deployment

pytestmark = [pytest.mark.faults, pytest.mark.stack, pytest.mark.timeout(900)]

JOURNEYS = 300
KILLS = 12
SPAN = 45.0
AFTERWARDS = 60.0
WITHIN = 480.0
"""Seconds for all deaths: in a cluster one may take five processes with it, which come back together."""
SEED = "SOJOURN_FAULT_SEED"
"""The variable that repeats the order of deaths of an earlier run."""


async def test_everybody_finishes_by_their_way_whoever_dies(deployment: Deployment) -> None:
    seed = os.environ.get(SEED) or os.urandom(4).hex()
    print(f"{SEED}={seed}")  # noqa: T201 - a run that fails is to be repeated
    normal = await deployment.normal(CAMPAIGN)
    await normal.start(KEY)
    people = [Traveller(number) for number in range(JOURNEYS)]
    ways = {person.id: expected(person) for person in people}
    running = deployment.stack.describe()
    killer = Killer(deployment.stack, seed, KILLS, at_once=2, within=WITHIN)
    async with Caller(running.api_url, normal.site_id, normal.api_key) as caller:
        await caller.introduce(people)
        await normal.settle()
        async with asyncio.TaskGroup() as group:
            group.create_task(caller.travel(people, SPAN, seed))
            group.create_task(killer.run())
    assert sum(killer.killed.values()) == KILLS
    assert set(killer.killed) == set(CHILDREN)
    await all_ended(running.database_url, normal.id, JOURNEYS, AFTERWARDS)
    verdict = await judged(running.database_url, normal.id, ways, deployment.received.deliveries)
    print(f"{dict(killer.killed)}, {caller.again} calls made again, {len(verdict.unsure)} messages unsure")  # noqa: T201
    assert verdict.flawless, verdict
    hands = killer.killed["worker-journeys"] + killer.killed["postgres"]
    assert len(verdict.unsure) <= hands * 10, "only what was in hand when somebody died may be unsure"
    await deployment.everybody_through(normal)
