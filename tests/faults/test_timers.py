"""A worker killed while real timers are pending, and one killed beside journeys that wait for an event."""

from __future__ import annotations

import pytest

from tests.faults import proof
from tests.faults.deployment import Deployment, walk
from tests.support.live import campaign, on_event

pytestmark = [pytest.mark.faults, pytest.mark.stack]

PEOPLE = [f"p{number}" for number in range(5)]


async def test_timers_that_come_due_around_the_death_of_the_worker_fire_once(deployment: Deployment) -> None:
    normal = await deployment.normal(walk("PT8S"))
    await normal.start("walk")
    for person in PEOPLE:
        await normal.identify(person, email=f"{person}@example.com")
        await normal.track(person, "order", {"call": person})
    await deployment.everybody_parked(normal, len(PEOPLE))
    await deployment.stack.kill("worker-journeys")
    await deployment.everybody_through(normal)
    await proof.journeys_once(deployment, normal, PEOPLE, paused=True)
    assert await proof.mailed_once(deployment, normal) == [], "nothing was in hand when the worker died"


async def test_a_journey_woken_right_after_the_death_of_the_worker_goes_on_soon(deployment: Deployment) -> None:
    paid = {
        "type": "wait_until",
        "paths": [{"key": "paid", "conditions": {"performed": {"event": "paid", "since": "trigger"}}}],
    }
    sandbox = await deployment.sandbox(campaign("wait", on_event("order"), "paid", {"paid": paid}, exit="never"))
    await sandbox.start("wait")
    await sandbox.track("ann", "order")
    await sandbox.settle()
    assert await deployment.parked(sandbox) == 1

    async def ended() -> bool:
        return not await deployment.under_way(sandbox)

    await deployment.stack.kill("worker-journeys")
    await sandbox.track("ann", "paid")
    gap = await deployment.gap("worker-journeys", ended)
    assert gap.short, gap
    await deployment.everybody_through(sandbox)
    [journey] = await sandbox.journeys()
    assert await sandbox.steps(journey["id"]) == [("paid", "branched")]
