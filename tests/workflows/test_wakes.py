"""Wakes: none lost, none needed twice, however many come."""

from __future__ import annotations

import asyncio

from temporalio.api.enums.v1 import EventType

from tests.workflows.engine import Flow, until

BOUGHT = {"key": "bought", "conditions": {"performed": {"event": "purchase", "since": "trigger"}}}
WAIT = {"wait": {"type": "wait_until", "paths": [BOUGHT]}}
WAIT_A_DAY = {"wait": {"type": "wait_until", "paths": [BOUGHT, {"key": "late", "max_time": "P1D"}]}}


def plans(history) -> int:
    return sum(event.event_type == EventType.EVENT_TYPE_MARKER_RECORDED for event in history.events)


async def test_a_fact_ends_a_wait(sandbox: Flow):
    await sandbox.campaign(WAIT, start="wait")
    await sandbox.track("ann")
    await sandbox.settle()
    await sandbox.track("ann", "purchase")
    await sandbox.settle()
    row = await sandbox.ended()
    assert row.state == "finished"
    assert plans(await sandbox.history(row)) == 2


async def test_a_fact_ends_a_wait_in_real_time_and_its_timer_is_gone(live: Flow):
    await live.campaign(WAIT_A_DAY, start="wait")
    await live.track("ann")
    await live.settle()
    await live.track("ann", "purchase")
    await live.settle()
    row = await live.ended()
    kinds = [event.event_type for event in (await live.history(row)).events]
    assert kinds.count(EventType.EVENT_TYPE_TIMER_STARTED) == 1
    assert EventType.EVENT_TYPE_TIMER_FIRED not in kinds


async def test_a_wake_for_nothing_plans_once_and_waits_on(sandbox: Flow):
    await sandbox.campaign(WAIT, start="wait")
    await sandbox.track("ann")
    await sandbox.settle()
    row = await sandbox.journey()
    for number in range(3):
        assert await sandbox.engine.gateway.wake_journey(row.workflow_id, "looked", number)
        await until(lambda expected=number + 2: _planned(sandbox, row, expected))
    assert (await sandbox.journey()).state == "in_progress"


async def test_many_wakes_make_it_continue_as_new_and_lose_nothing(sandbox: Flow):
    await sandbox.campaign(WAIT, start="wait")
    await sandbox.track("ann")
    await sandbox.settle()
    row = await sandbox.journey()
    gateway = sandbox.engine.gateway
    first = (await gateway.client.get_workflow_handle(row.workflow_id).describe()).run_id

    async def wakes() -> None:
        for number in range(20):
            await gateway.wake_journey(row.workflow_id, "looked", number)

    async def continued() -> bool:
        await gateway.wake_journey(row.workflow_id, "looked", 0)
        return (await gateway.client.get_workflow_handle(row.workflow_id).describe()).run_id != first

    async with asyncio.timeout(100):
        await asyncio.gather(*[wakes() for _ in range(10)])
    await until(continued)
    await sandbox.track("ann", "purchase")
    await sandbox.settle()
    assert (await sandbox.ended()).state == "finished"


async def _planned(flow: Flow, row, expected: int) -> bool:
    return plans(await flow.history(row)) == expected
