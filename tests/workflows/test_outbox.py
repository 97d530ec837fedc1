"""The outbox handed over to a real Temporal: order, lanes, lost workflows, Temporal away, several drains."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import pytest_asyncio
from temporalio.client import WorkflowExecutionStatus
from temporalio.service import RPCError

from clock import system_now
from services.drain import Drain
from services.gate import GateRefused, JourneyStart, TemporalAway
from services.repair import repair, repair_strays
from stack.ports import choose
from store import journeys, outbox
from tests.workflows.engine import Engine, Flow, until
from workflows.cluster import TemporalCluster
from workflows.gateway import Gateway

WAIT = {"wait": {"type": "time_delay", "duration": "P1D"}}
WITHOUT_OUTBOX = ("ingest", "journeys", "tasks")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def undrained(engine: Engine) -> AsyncIterator[Engine]:
    """A worker that leaves the outbox to the test."""
    async with engine.working(roles=WITHOUT_OUTBOX):
        yield engine


@pytest_asyncio.fixture(loop_scope="session")
async def flow(undrained: Engine) -> AsyncIterator[Flow]:
    flow = await undrained.workspace()
    await flow.campaign(WAIT, start="wait")
    yield flow
    async with undrained.db.transaction() as conn:
        await conn.execute("DELETE FROM outbox WHERE workspace_id = $1", flow.workspace_id)


async def entered(flow: Flow, *people: str) -> None:
    """Have people begin the campaign; their starts wait in the outbox."""
    before = len(await flow.outbox())
    for person in people:
        await flow.track(person)
    await until(lambda: _waiting(flow, before + len(people)))


async def _waiting(flow: Flow, rows: int) -> bool:
    return len(await flow.outbox()) == rows


async def drained(flow: Flow, gate=None) -> int:
    drain = Drain(flow.engine.db, gate or flow.engine.gateway)
    total = 0
    while accepted := await drain.drain_once(system_now()):
        total += accepted
    return total


async def parked(flow: Flow) -> None:
    await until(lambda: _parked(flow))


async def _parked(flow: Flow) -> bool:
    return all(row.parked for row in await flow.journeys())


async def wake(flow: Flow, lane: str = "live") -> None:
    async with flow.engine.db.transaction() as conn:
        rows = await flow.journeys()
        await journeys.enqueue(conn, "wake", rows, "looked", lane=lane)


class Recording:
    """A gate that remembers the order and lets everything through."""

    def __init__(self, gate: Gateway) -> None:
        self.asked: list[tuple[str, str]] = []
        self._gate = gate

    async def start_journey(self, start: JourneyStart, *, again: bool = False) -> bool:
        self.asked.append(("again" if again else "start", start.journey_id))
        return await self._gate.start_journey(start, again=again)

    async def wake_journey(self, workflow_id: str, why: str, upto_seq: int) -> bool:
        self.asked.append(("wake", workflow_id))
        return await self._gate.wake_journey(workflow_id, why, upto_seq)


async def test_a_start_comes_before_the_wakes_of_its_journey(flow: Flow):
    await entered(flow, "ann")
    await wake(flow)
    await wake(flow)
    gate = Recording(flow.engine.gateway)
    assert await drained(flow, gate) == 3
    assert [kind for kind, _ in gate.asked] == ["start", "wake", "wake"]
    assert await flow.outbox() == []
    await parked(flow)


async def test_live_rows_are_handed_over_before_bulk_ones(flow: Flow):
    await entered(flow, "ann", "bob", "cleo")
    async with flow.engine.db.transaction() as conn:
        await conn.execute(
            """UPDATE outbox SET lane = 'bulk' WHERE workspace_id = $1 AND outbox_id <
               (SELECT max(outbox_id) FROM outbox WHERE workspace_id = $1)""",
            flow.workspace_id,
        )
    gate = Recording(flow.engine.gateway)
    await drained(flow, gate)
    rows = await flow.journeys()
    assert gate.asked[0] == ("start", rows[-1].journey_id)


async def test_a_start_that_temporal_has_already_is_done(flow: Flow):
    await entered(flow, "ann")
    await drained(flow)
    row = await flow.journey()
    async with flow.engine.db.transaction() as conn:
        await journeys.enqueue(conn, "start", [row], "start")
    assert await drained(flow) == 1


async def test_a_start_starts_again_what_is_over_although_its_journey_is_not(flow: Flow):
    """As after a restore to a point between the row and its hand-over."""
    await entered(flow, "ann")
    await drained(flow)
    await parked(flow)
    row = await flow.journey()
    handle = flow.engine.gateway.client.get_workflow_handle(row.workflow_id)
    await handle.terminate()
    async with flow.engine.db.transaction() as conn:
        await journeys.enqueue(conn, "start", [row], "start")
    gate = Recording(flow.engine.gateway)
    assert await drained(flow, gate) == 1
    assert [kind for kind, _ in gate.asked] == ["start", "again"]
    assert (await handle.describe()).status == WorkflowExecutionStatus.RUNNING


async def test_the_workflow_of_a_journey_bears_its_own_id(flow: Flow):
    await entered(flow, "ann")
    row = await flow.journey()
    assert row.workflow_id == f"journey/{row.campaign_id}/{row.person_id}/{row.journey_id}"


async def test_a_workflow_without_a_journey_is_told_to_look_and_ends(flow: Flow):
    await entered(flow, "ann", "bob")
    await drained(flow)
    await parked(flow)
    rows = await flow.journeys()
    async with flow.engine.db.transaction() as conn:
        await conn.execute(
            "DELETE FROM journeys WHERE workspace_id = $1 AND journey_id = $2", flow.workspace_id, rows[0].journey_id
        )
    ids = [row.workflow_id for row in rows]

    async def running() -> AsyncIterator[list[str]]:
        for workflow_id in ids:
            yield [workflow_id]

    assert await repair_strays(flow.engine.db, flow.engine.gateway, running()) == 1
    client = flow.engine.gateway.client
    assert await client.get_workflow_handle(ids[0]).result() == "gone"
    assert (await client.get_workflow_handle(ids[1]).describe()).status == WorkflowExecutionStatus.RUNNING


async def test_all_workflows_that_run_are_listed_page_by_page(flow: Flow, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("workflows.cluster.LISTED", 2)
    await entered(flow, "ann", "bob", "cleo")
    await drained(flow)
    await parked(flow)
    wanted = {row.workflow_id for row in await flow.journeys()}
    cluster = TemporalCluster(flow.engine.gateway.client)

    async def listed() -> bool:
        pages = [page async for page in cluster.running_pages()]
        return len(pages) > 1 and wanted <= {found for page in pages for found in page}

    await until(listed)


async def test_a_wake_of_an_ended_journey_is_done(flow: Flow):
    await entered(flow, "ann")
    async with flow.engine.db.transaction() as conn:
        await conn.execute("DELETE FROM outbox WHERE workspace_id = $1", flow.workspace_id)
        row = await flow.journey()
        await journeys.end(
            conn, row.workspace_id, [row.journey_id], reason="manual", explanation="", now=system_now(), why="manual"
        )
    gate = Recording(flow.engine.gateway)
    assert await drained(flow, gate) == 1
    assert [kind for kind, _ in gate.asked] == ["wake"]


async def test_a_wake_starts_again_what_temporal_lost(flow: Flow):
    await entered(flow, "ann")
    await drained(flow)
    await parked(flow)
    row = await flow.journey()
    handle = flow.engine.gateway.client.get_workflow_handle(row.workflow_id)
    await handle.terminate()
    await wake(flow)
    gate = Recording(flow.engine.gateway)
    assert await drained(flow, gate) == 1
    assert [kind for kind, _ in gate.asked] == ["wake", "again"]
    assert (await handle.describe()).status == WorkflowExecutionStatus.RUNNING


async def test_while_temporal_is_away_everything_stays(flow: Flow):
    await entered(flow, "ann", "bob")
    nowhere, _ = choose(flow.engine.settings.with_changes(temporal_address=None, temporal_port=0), workers=0)
    away = await Gateway.connect(f"127.0.0.1:{nowhere.temporal_port}", "sojourn")
    with pytest.raises(TemporalAway):
        await Drain(flow.engine.db, away).drain_once(system_now())
    assert await flow.outbox() == ["start", "start"]
    assert await drained(flow) == 2


async def test_a_namespace_that_is_not_there_yet_means_away(flow: Flow):
    await entered(flow, "ann")
    elsewhere = await Gateway.connect(flow.engine.settings.temporal_address or "", "nowhere")
    with pytest.raises(TemporalAway):
        await Drain(flow.engine.db, elsewhere).drain_once(system_now())
    with pytest.raises(TemporalAway):
        await elsewhere.wake_journey("any", "looked", 1)
    assert await flow.outbox() == ["start"]


async def test_a_refused_row_holds_up_its_own_journey_only(flow: Flow):
    await entered(flow, "ann", "bob")
    await wake(flow)
    refused = (await flow.journeys())[0]

    class Refusing(Recording):
        async def start_journey(self, start: JourneyStart, *, again: bool = False) -> bool:
            if start.journey_id == refused.journey_id:
                raise GateRefused("INVALID_ARGUMENT")
            return await super().start_journey(start, again=again)

    gate = Refusing(flow.engine.gateway)
    assert await drained(flow, gate) == 2
    assert await flow.outbox() == ["start", "wake"]
    assert [kind for kind, _ in gate.asked] == ["start", "wake"]
    later = system_now() + timedelta(seconds=10)
    drain = Drain(flow.engine.db, flow.engine.gateway)
    assert [await drain.drain_once(later), await drain.drain_once(later)] == [1, 1]


async def test_several_drains_share_the_work_and_keep_the_order(flow: Flow):
    people = [f"p{number}" for number in range(60)]
    await entered(flow, *people)
    await wake(flow)
    gate = Recording(flow.engine.gateway)
    drains = [Drain(flow.engine.db, gate) for _ in range(4)]

    async def work(drain: Drain) -> int:
        accepted = 0
        while await flow.outbox():
            accepted += await drain.drain_once(system_now())
        return accepted

    shares = await asyncio.gather(*[work(drain) for drain in drains])
    assert sum(shares) == 120
    assert sum(share > 0 for share in shares) > 1
    workflows = {row.journey_id: row.workflow_id for row in await flow.journeys()}
    for journey_id, workflow_id in workflows.items():
        assert gate.asked.index(("start", journey_id)) < gate.asked.index(("wake", workflow_id))
    assert len(gate.asked) == 120


async def test_a_drain_that_dies_leaves_its_rows_to_the_others(flow: Flow):
    await entered(flow, "ann")
    async with flow.engine.db.connection() as conn:
        assert len(await outbox.claim(conn, "live", 10, system_now())) == 1
        assert await drained(flow) == 0
        await conn.execute("SELECT pg_advisory_unlock_all()")
    assert await drained(flow) == 1


async def test_repair_starts_what_temporal_does_not_know_and_nothing_else(flow: Flow):
    await entered(flow, "ann", "bob", "cleo")
    await drained(flow)
    await parked(flow)
    rows = await flow.journeys()
    client = flow.engine.gateway.client
    await client.get_workflow_handle(rows[0].workflow_id).terminate()
    async with flow.engine.db.transaction() as conn:
        await journeys.end(
            conn,
            flow.workspace_id,
            [rows[1].journey_id],
            reason="manual",
            explanation="",
            now=system_now(),
            why="manual",
        )
    told = []
    done = await repair(flow.engine.db, flow.engine.gateway, workspace_id=flow.workspace_id, report=told.append)
    assert done == (2, 1)
    assert told == [done]
    described = await client.get_workflow_handle(rows[0].workflow_id).describe()
    assert described.status == WorkflowExecutionStatus.RUNNING
    assert await repair(flow.engine.db, flow.engine.gateway, workspace_id=flow.workspace_id) == (2, 0)


async def test_repair_brings_back_a_workflow_that_was_never_started(flow: Flow):
    await entered(flow, "ann")
    async with flow.engine.db.transaction() as conn:
        await conn.execute("DELETE FROM outbox WHERE workspace_id = $1", flow.workspace_id)
    row = await flow.journey()
    with pytest.raises(RPCError):
        await flow.engine.gateway.client.get_workflow_handle(row.workflow_id).describe()
    assert await repair(flow.engine.db, flow.engine.gateway, workspace_id=flow.workspace_id) == (1, 1)
    await parked(flow)
