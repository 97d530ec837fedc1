"""Journeys that stand still: what keeps them is told, and a new start from the row moves them on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import pytest_asyncio
from temporalio import activity, workflow
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import PollWorkflowTaskQueueRequest
from temporalio.client import WorkflowExecutionStatus
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from activities.interceptor import FailureInterceptor
from activities.journeys import JourneyActivities
from clock import system_now
from domain.steps import AdvanceInput, DeliverMessageInput, JourneyRef, StepResult
from ingest.catalog import Catalogs
from services import wedged
from services.repair import repair
from services.wedged import Findings, Wedged
from tests.workflows.engine import Engine, Flow, until
from workflows.journey import JourneyWorkflow
from workflows.names import JOURNEY_WORKFLOW, JOURNEYS_QUEUE, SEND_QUEUE, WAKE_SIGNAL
from workflows.runtime import journeys_worker

pytestmark = pytest.mark.stack

OTHERS = ("ingest", "outbox", "due", "tasks")
AT_ONCE = timedelta(0)
WAIT = {"wait": {"type": "time_delay", "duration": "P1D"}}
MAIL = {
    "type": "email",
    "sending_state": "automatic",
    "message": {"subject": "Hi", "body": "<p>Hi</p>{% unsubscribe %}"},
}


@workflow.defn(name=JOURNEY_WORKFLOW)
class Sleeping:
    """Workflow code that asks for a timer where the product's asks for none."""

    def __init__(self) -> None:
        self._product = JourneyWorkflow()

    @workflow.run
    async def run(self, journey: JourneyRef) -> str:
        await workflow.sleep(timedelta(milliseconds=1))
        return await self._product.run(journey)

    @workflow.signal(name=WAKE_SIGNAL)
    def wake(self, why: str, upto_seq: int) -> None:
        self._product.wake(why, upto_seq)


@workflow.defn(name=JOURNEY_WORKFLOW)
class Raising:
    """Workflow code with an error in it."""

    @workflow.run
    async def run(self, journey: JourneyRef) -> str:
        await workflow.wait_condition(lambda: False)
        return ""

    @workflow.signal(name=WAKE_SIGNAL)
    def wake(self, why: str, upto_seq: int) -> None:
        raise RuntimeError("not thought of")


class Failing:
    """Activities that fail."""

    @activity.defn(name="advance")
    async def advance(self, call: AdvanceInput) -> StepResult:
        raise KeyError("of nobody's concern")

    @activity.defn(name="deliver_message")
    async def deliver_message(self, call: DeliverMessageInput) -> StepResult:
        raise KeyError("of nobody's concern")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def unplanned(engine: Engine) -> AsyncIterator[Engine]:
    """A worker that leaves workflow tasks and messages to the test."""
    async with engine.working(roles=OTHERS):
        yield engine


@pytest_asyncio.fixture(loop_scope="session")
async def flow(unplanned: Engine) -> Flow:
    return await unplanned.workspace()


def product(flow: Flow) -> Worker:
    engine = flow.engine
    return journeys_worker(engine.gateway.client, JourneyActivities(engine.db, Catalogs(), engine.notifier, system_now))


def changed(flow: Flow, code: type, **more) -> Worker:
    """A worker with other workflow code."""
    engine = flow.engine
    return Worker(
        engine.gateway.client,
        task_queue=JOURNEYS_QUEUE,
        workflows=[code],
        activities=[JourneyActivities(engine.db, Catalogs(), engine.notifier, system_now).advance],
        workflow_runner=UnsandboxedWorkflowRunner(),
        max_cached_workflows=0,
        no_remote_activities=True,
        **more,
    )


async def parked(flow: Flow, *people: str) -> None:
    """Have people wait, by the product's code."""
    await flow.campaign(WAIT, start="wait")
    async with product(flow):
        for person in people:
            await flow.track(person)
        await flow.settle()


async def look(flow: Flow, older_than: timedelta = AT_ONCE) -> Findings:
    engine = flow.engine
    return await wedged.find(
        engine.db, engine.gateway, system_now(), workspace_id=flow.workspace_id, older_than=older_than
    )


async def stuck(flow: Flow, cause: str) -> Wedged:
    """The only journey that stands still, once the cause is this one."""

    async def found() -> Wedged | None:
        seen = (await look(flow)).wedged
        return seen[0] if [one.cause for one in seen] == [cause] else None

    last: list[Wedged] = []

    async def there() -> bool:
        one = await found()
        last[:] = [one] if one else []
        return one is not None

    await until(there)
    return last[0]


async def woken(flow: Flow) -> None:
    """Have every journey planned again."""
    async with flow.engine.db.transaction() as conn:
        await conn.execute(
            """WITH w AS (UPDATE journeys SET wanted = wanted + 1 WHERE workspace_id = $1 AND state = 'in_progress'
                          RETURNING *)
               INSERT INTO outbox (workspace_id, lane, kind, journey_id, workflow_id, campaign_id, person_id, why)
               SELECT workspace_id, 'live', 'wake', journey_id, workflow_id, campaign_id, person_id, 'looked' FROM w""",
            flow.workspace_id,
        )
    flow.engine.notifier.send("outbox")


async def test_code_that_does_not_fit_the_history_is_told_and_a_new_start_fits(flow: Flow):
    await parked(flow, "ann", "bob")
    await woken(flow)
    async with changed(flow, Sleeping):

        async def both() -> bool:
            return [one.cause for one in (await look(flow)).wedged] == ["nondeterminism"] * 2

        await until(both)
        found = await look(flow)
        assert {(one.late.journey.campaign_key, one.late.block) for one in found.wedged} == {("welcome", "wait")}
        assert all("TMPRL1100" in one.told and one.restartable for one in found.wedged)
        assert all(one.since is not None and system_now() - one.since < timedelta(minutes=1) for one in found.wedged)
        assert "docs/wedged-journeys.md" in found.wedged[0].hint
        assert (await look(flow, wedged.OLDER_THAN)).wedged == [], "young trouble may pass by itself"
        client = flow.engine.gateway.client
        before = {row.workflow_id: row for row in await flow.journeys()}
        assert await wedged.restart_all(flow.engine.gateway, found.wedged) == {"restarted": 2}
        for one in found.wedged:
            old = await client.get_workflow_handle(one.late.journey.workflow_id, run_id=one.run_id).describe()
            assert old.status == WorkflowExecutionStatus.TERMINATED
        await flow.settle()
        assert (await look(flow)).wedged == []
        after = {row.workflow_id: row for row in await flow.journeys()}
        assert {key: (row.block, row.due_at, row.arrived_at) for key, row in after.items()} == {
            key: (row.block, row.due_at, row.arrived_at) for key, row in before.items()
        }
        # Those that were seen are over: a second call with the same list only finds what runs.
        assert await wedged.restart_all(flow.engine.gateway, found.wedged) == {"started": 2}
        await flow.advance("P1D")
        await until(lambda: _all_ended(flow))
    steps = await flow.rows("SELECT block, outcome FROM journey_steps WHERE workspace_id = $1")
    assert [(row["block"], row["outcome"]) for row in steps] == [("wait", "done")] * 2


async def test_code_of_before_moves_them_on_too(flow: Flow):
    await parked(flow, "ann")
    await woken(flow)
    async with changed(flow, Sleeping):
        await stuck(flow, "nondeterminism")
    async with product(flow):
        await flow.advance("P1D")
        await until(lambda: _all_ended(flow))
    assert (await look(flow)) == (0, [])


async def test_an_error_in_workflow_code_is_told_and_no_new_start_is_offered(flow: Flow):
    await parked(flow, "ann")
    async with changed(flow, Raising):
        assert (await flow.journey()).state == "in_progress"
        await wedged.restart_one(flow.engine.db, flow.engine.gateway, (await flow.journey()).journey_id, system_now())
        await woken(flow)
        one = await stuck(flow, "failing")
    assert "not thought of" in one.told
    assert not one.restartable
    assert await wedged.restart_all(flow.engine.gateway, [one]) == {}


async def test_a_plan_that_fails_is_told_by_its_code_only(flow: Flow):
    await flow.campaign(WAIT, start="wait")
    await flow.track("ann")
    failing = Worker(
        flow.engine.gateway.client,
        task_queue=JOURNEYS_QUEUE,
        workflows=[JourneyWorkflow],
        activities=[Failing().advance],
        interceptors=[FailureInterceptor()],
        workflow_runner=UnsandboxedWorkflowRunner(),
        no_remote_activities=True,
    )
    async with failing:
        one = await stuck(flow, "planning")
    assert one.told == "internal_error"
    assert not one.restartable


async def test_an_activity_that_fails_is_told_by_its_code_only(flow: Flow):
    await flow.campaign({"mail": MAIL}, start="mail")
    await flow.identify("ann", email="ann@example.com")
    await flow.track("ann")
    client = flow.engine.gateway.client
    sending = Worker(
        client, task_queue=SEND_QUEUE, activities=[Failing().deliver_message], interceptors=[FailureInterceptor()]
    )
    async with product(flow), sending:
        one = await stuck(flow, "activity")
    assert one.told == "deliver_message: internal_error"
    assert one.attempts > 1
    assert not one.restartable


async def test_queues_that_nobody_polls_are_told(flow: Flow, monkeypatch: pytest.MonkeyPatch):
    # Temporal remembers the workers of other tests for some minutes.
    monkeypatch.setattr("workflows.inspection.FRESH", timedelta(seconds=-1))
    await flow.campaign({"mail": MAIL}, start="mail")
    await flow.identify("ann", email="ann@example.com")
    await flow.track("ann")
    assert (await stuck(flow, "unpolled")).told == JOURNEYS_QUEUE
    async with product(flow):

        async def sent() -> bool:
            return (await stuck(flow, "unpolled")).told == SEND_QUEUE

        await until(sent)


async def test_workers_that_die_with_their_tasks_are_told(flow: Flow):
    await parked(flow, "ann")
    await woken(flow)
    for _ in range(2):
        await taken(flow)
    assert (await stuck(flow, "timing_out")).attempts >= 3


async def taken(flow: Flow) -> None:
    """Take the next task of the journey like a worker that is never heard of again; others' tasks fall as well."""
    client, row = flow.engine.gateway.client, await flow.journey()
    queue = TaskQueue(name=JOURNEYS_QUEUE)
    request = PollWorkflowTaskQueueRequest(namespace=client.namespace, task_queue=queue, identity="dying")
    async with asyncio.timeout(40):
        while True:
            task = await client.workflow_service.poll_workflow_task_queue(request)
            if task.workflow_execution.workflow_id == row.workflow_id:
                return


async def test_a_workflow_that_temporal_ended_or_never_knew_is_lost_until_it_is_repaired(flow: Flow):
    await parked(flow, "ann")
    row = await flow.journey()
    await flow.engine.gateway.client.get_workflow_handle(row.workflow_id).terminate()
    assert await look(flow) == (0, []), "nothing asks for it before its instant"
    async with flow.engine.db.transaction() as conn:
        await conn.execute("UPDATE journeys SET wanted = wanted + 1 WHERE workspace_id = $1", flow.workspace_id)
    one = await stuck(flow, "lost")
    assert one.told == "its last run is terminated"
    async with product(flow):
        assert await repair(flow.engine.db, flow.engine.gateway, workspace_id=flow.workspace_id) == (1, 1)
        await flow.settle()
        assert (await look(flow)).wedged == []


async def test_a_wake_that_temporal_forgot_is_told_and_a_new_start_helps(flow: Flow):
    await parked(flow, "ann")
    async with flow.engine.db.transaction() as conn:
        await conn.execute("UPDATE journeys SET wanted = wanted + 1 WHERE workspace_id = $1", flow.workspace_id)
    async with product(flow):
        one = await stuck(flow, "resting")
        assert one.restartable
        journey_id = one.late.journey.journey_id
        assert await wedged.restart_one(flow.engine.db, flow.engine.gateway, journey_id, system_now()) == "restarted"
        await flow.settle()
        assert (await look(flow)).wedged == []


async def test_what_waits_for_temporal_or_for_its_instant_is_no_trouble(flow: Flow):
    await parked(flow, "ann")
    assert await look(flow) == (0, [])
    live = await flow.engine.workspace(sandbox=False)
    await parked(live, "ann")
    assert await look(live) == (0, [])
    engine = flow.engine
    assert await wedged.count_late(engine.db, system_now(), workspace_id=live.workspace_id) == {
        "behind": 0,
        "overdue": 0,
    }
    tomorrow = system_now() + timedelta(days=2)
    assert await wedged.count_late(engine.db, tomorrow, workspace_id=live.workspace_id) == {"behind": 0, "overdue": 1}
    found = await wedged.find(engine.db, engine.gateway, tomorrow, workspace_id=live.workspace_id)
    assert [one.cause for one in found.wedged] == ["resting"]
    assert await wedged.find(engine.db, engine.gateway, tomorrow, workspace_id=live.workspace_id, most=0) == (0, [])


async def test_journeys_that_are_over_or_unknown_are_not_started(flow: Flow):
    await parked(flow, "ann")
    row = await flow.journey()
    db, gateway = flow.engine.db, flow.engine.gateway
    async with product(flow):
        await flow.advance("P1D")
        await until(lambda: _all_ended(flow))
        assert await wedged.restart_one(db, gateway, row.journey_id, system_now()) == "over"
    assert await wedged.restart_one(db, gateway, "nobody", system_now()) == "unknown"
    described = await gateway.client.get_workflow_handle(row.workflow_id).describe()
    assert described.status == WorkflowExecutionStatus.COMPLETED


async def _all_ended(flow: Flow) -> bool:
    return all(not row.active for row in await flow.journeys())
