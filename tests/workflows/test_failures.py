"""A failing activity: Temporal keeps a code and an error id, our log the rest."""

from __future__ import annotations

import contextlib
import importlib
import inspect
import logging
import pkgutil
import secrets
from datetime import timedelta
from typing import Any

import asyncpg
import pytest
from temporalio import activity, workflow
from temporalio.client import WorkflowFailureError
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

import activities
from activities.broadcasts import BroadcastActivities
from activities.interceptor import FailureInterceptor
from activities.journeys import JourneyActivities
from activities.messages import MessageActivities
from activities.sends import SendActivities
from activities.tasks import TaskActivities
from channels import Channels
from clock import system_now
from domain.errors import DomainError
from domain.sends import BroadcastRef, SendBatch, SendRef
from domain.steps import AdvanceInput, DeliverMessageInput
from domain.task_steps import TaskRef
from ingest.catalog import Catalogs
from services.broadcasts.running import BroadcastRunner
from services.deliveries import Deliverer
from services.long_tasks import LongTasks
from services.sending import Sender
from tests.workflows.engine import Engine, bytes_of
from workflows.gateway import Gateway
from workflows.runtime import broadcasts_worker, journeys_worker, send_now_worker, send_worker, tasks_worker

POISON = "poison-ann@example.com"
INPUTS: dict[str, Any] = {
    "advance": AdvanceInput(workspace_id=1, journey_id="J"),
    "deliver_message": DeliverMessageInput(workspace_id=1, journey_id="J", block="mail", action_id=1),
    "run_task": TaskRef(workspace_id=1, task_id="task_1"),
    "send_transactional": SendBatch(sends=(SendRef(workspace_id=1, delivery_id="D"),)),
    "run_broadcast": BroadcastRef(workspace_id=1, broadcast_id=1, trigger_no=1),
}


def chained() -> Exception:
    error = DomainError("not_found", f"There is no {POISON}", f"/{POISON}")
    error.__cause__ = asyncpg.UniqueViolationError(f"Key (email)=({POISON}) already exists.")
    return error


FAILURES = {
    "not_found": chained,
    "internal_error": lambda: KeyError(POISON),
    "unavailable": lambda: asyncpg.CannotConnectNowError(POISON),
}


class Poisoned:
    """A database that fails with somebody's address in its mouth."""

    def __init__(self, failure: Any) -> None:
        self._failure = failure

    @contextlib.asynccontextmanager
    async def transaction(self):
        raise self._failure()
        yield

    connection = transaction

    @property
    def pool(self) -> Poisoned:
        return self

    async def acquire(self) -> None:
        raise self._failure()


@workflow.defn(name="probe")
class Probe:
    @workflow.run
    async def run(self, name: str, given: dict[str, Any]) -> None:
        await workflow.execute_activity(
            name, given, start_to_close_timeout=timedelta(seconds=10), retry_policy=RetryPolicy(maximum_attempts=1)
        )


def sending(db: Any, catalogs: Catalogs, _notifier: Any) -> SendActivities:
    return SendActivities(Sender(Deliverer(db, catalogs, Channels(), link_base_url="http://links")), system_now)


def broadcasting(db: Any, catalogs: Catalogs, notifier: Any) -> BroadcastActivities:
    deliverer = Deliverer(db, catalogs, Channels(), link_base_url="http://links")
    return BroadcastActivities(
        BroadcastRunner(db, catalogs, notifier, deliverer, system_now, link_base_url="http://links")
    )


def registered() -> set[str]:
    """The names of all activities there are in the package."""
    names = set()
    for module in pkgutil.iter_modules(activities.__path__, "activities."):
        for _, found in inspect.getmembers(importlib.import_module(module.name), inspect.isclass):
            for _, method in inspect.getmembers(found, inspect.isfunction):
                definition = getattr(method, "__temporal_activity_definition", None)
                names |= {definition.name} if definition is not None else set()
    return names


def test_every_activity_is_made_to_fail_here():
    assert registered() == INPUTS.keys()


@pytest.mark.parametrize("name", INPUTS)
@pytest.mark.parametrize("code", FAILURES)
async def test_a_failure_leaves_no_value_in_the_history(
    engine: Engine, caplog: pytest.LogCaptureFixture, name: str, code: str
):
    client, queue = engine.gateway.client, f"probe-{secrets.token_hex(8)}"
    needs = (Poisoned(FAILURES[code]), Catalogs(), engine.notifier)
    methods = [
        JourneyActivities(*needs, system_now).advance,
        MessageActivities(*needs, None, system_now).deliver_message,
        TaskActivities(LongTasks(*needs, system_now)).run_task,
        sending(*needs).send_transactional,
        broadcasting(*needs).run_broadcast,
    ]
    async with Worker(
        client,
        task_queue=queue,
        workflows=[Probe],
        activities=methods,
        interceptors=[FailureInterceptor()],
        workflow_runner=UnsandboxedWorkflowRunner(),
    ):
        handle = await client.start_workflow("probe", args=[name, INPUTS[name]], id=queue, task_queue=queue)
        with pytest.raises(WorkflowFailureError) as caught, caplog.at_level(logging.ERROR):
            await handle.result()
    kept = bytes_of(await handle.fetch_history())
    assert code.encode() in kept
    assert b"example.com" not in kept
    failure = caught.value.cause.cause
    assert isinstance(caught.value.cause, ActivityError)
    assert isinstance(failure, ApplicationError)
    assert (failure.message, failure.type, failure.cause) == (code, code, None)
    assert failure.non_retryable == (code == "not_found")
    (record,) = [record for record in caplog.records if record.name == "sojourn.activities"]
    assert failure.details == (record.error_id,)
    assert POISON in caplog.text


async def test_every_worker_has_the_interceptor(engine: Engine):
    needs = (engine.db, Catalogs(), engine.notifier)
    # Workers that never run stay known to their client, which takes no second one for a queue.
    settings = engine.settings
    client = (await Gateway.connect(settings.temporal_address, settings.temporal_namespace, lazy=False)).client
    workers = [
        journeys_worker(client, JourneyActivities(*needs, system_now)),
        send_worker(client, "send", MessageActivities(*needs, None, system_now)),
        tasks_worker(client, TaskActivities(LongTasks(*needs, system_now))),
        send_now_worker(client, sending(*needs)),
        broadcasts_worker(client, broadcasting(*needs)),
    ]
    for worker in workers:
        assert any(isinstance(found, FailureInterceptor) for found in worker.config()["interceptors"])


def test_activities_are_methods_with_one_input():
    for method in (
        JourneyActivities.advance,
        MessageActivities.deliver_message,
        TaskActivities.run_task,
        SendActivities.send_transactional,
        BroadcastActivities.run_broadcast,
    ):
        definition = activity._Definition.must_from_callable(method)
        assert len(definition.arg_types or ()) == 1
