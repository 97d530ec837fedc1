"""The Temporal client of the product: how workflows are started and woken from outside."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Self

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.errordetails.v1 import NamespaceNotFoundFailure
from temporalio.api.taskqueue.v1 import PollerInfo
from temporalio.client import Client
from temporalio.common import (
    SearchAttributePair,
    TypedSearchAttributes,
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
)
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.runtime import Runtime
from temporalio.service import RetryConfig, RPCError, RPCStatusCode

from domain.sends import BroadcastRef, SendBatch
from domain.steps import JourneyRef
from domain.task_steps import TaskRef
from services.gate import GateRefused, JourneyStart, Look, TemporalAway
from telemetry import tracing
from workflows import inspection
from workflows.carrying import CarryingClient
from workflows.converter import DATA_CONVERTER
from workflows.names import (
    BROADCAST_WORKFLOW,
    CAMPAIGN,
    JOURNEY_WORKFLOW,
    JOURNEYS_QUEUE,
    PERSON,
    SEND_BULK_QUEUE,
    SEND_NOW_QUEUE,
    SEND_WORKFLOW,
    TASK_WORKFLOW,
    TASKS_QUEUE,
    WAKE_SIGNAL,
    WORKSPACE,
)
from workflows.pollers import pollers_of_all, pollers_of_first

CALL_LIMIT = timedelta(seconds=5)
TASK_LIMIT = timedelta(seconds=5)
"""How long a workflow task may take before another worker gets it: what a killed worker costs at most."""

IMPATIENT = RetryConfig(initial_interval_millis=50, max_interval_millis=200, max_elapsed_time_millis=500, max_retries=1)
"""Our callers keep what they want to say and try again themselves."""

_AWAY = frozenset(
    {
        RPCStatusCode.UNAVAILABLE,
        RPCStatusCode.DEADLINE_EXCEEDED,
        RPCStatusCode.CANCELLED,
        RPCStatusCode.RESOURCE_EXHAUSTED,
        RPCStatusCode.ABORTED,
        RPCStatusCode.INTERNAL,
        RPCStatusCode.UNKNOWN,
    }
)


class Gateway:
    """Starts and wakes journeys; connects when first used, and again whenever Temporal was away."""

    def __init__(self, client: Client) -> None:
        self.client = client

    @classmethod
    async def connect(
        cls,
        address: str,
        namespace: str,
        *,
        lazy: bool = True,
        runtime: Runtime | None = None,
        identity: str | None = None,
    ) -> Self:
        """A gateway to a namespace; raises `TemporalAway` where it is not lazy and nobody answers."""
        with _translated():
            return cls(
                await Client.connect(
                    address,
                    namespace=namespace,
                    data_converter=DATA_CONVERTER,
                    retry_config=IMPATIENT if lazy else None,
                    lazy=lazy,
                    runtime=runtime,
                    identity=identity,
                    interceptors=[CarryingClient()] if tracing.on() else [],
                )
            )

    async def start_journey(self, start: JourneyStart, *, again: bool = False) -> bool:
        """Have the workflow running; False where there was one already."""
        reuse = WorkflowIDReusePolicy.ALLOW_DUPLICATE if again else WorkflowIDReusePolicy.REJECT_DUPLICATE
        with _translated():
            try:
                await self.client.start_workflow(
                    JOURNEY_WORKFLOW,
                    JourneyRef(workspace_id=start.workspace_id, journey_id=start.journey_id),
                    id=start.workflow_id,
                    task_queue=JOURNEYS_QUEUE,
                    task_timeout=TASK_LIMIT,
                    id_reuse_policy=reuse,
                    id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
                    search_attributes=TypedSearchAttributes(
                        [
                            SearchAttributePair(WORKSPACE, start.workspace_id),
                            SearchAttributePair(CAMPAIGN, str(start.campaign_id)),
                            SearchAttributePair(PERSON, str(start.person_id)),
                        ]
                    ),
                    static_summary=f"{start.campaign_key} - person {start.person_id}",
                    rpc_timeout=CALL_LIMIT,
                )
            except WorkflowAlreadyStartedError:
                return False
        return True

    async def start_task(self, task: TaskRef, what: str) -> bool:
        """Have the workflow of an open task running; False where there was one already. `what` is for people to read."""
        with _translated():
            try:
                await self.client.start_workflow(
                    TASK_WORKFLOW,
                    task,
                    id=task.workflow_id,
                    task_queue=TASKS_QUEUE,
                    task_timeout=TASK_LIMIT,
                    id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
                    id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
                    search_attributes=TypedSearchAttributes([SearchAttributePair(WORKSPACE, task.workspace_id)]),
                    static_summary=what,
                    rpc_timeout=CALL_LIMIT,
                )
            except WorkflowAlreadyStartedError:
                return False
        return True

    async def start_sends(self, batch: SendBatch) -> bool:
        """Have these deliveries sent by a workflow; False where there is one for the first of them already."""
        first = batch.sends[0]
        workspaces = {send.workspace_id for send in batch.sends}
        here = [SearchAttributePair(WORKSPACE, first.workspace_id)] if len(workspaces) == 1 else []
        what = first.delivery_id if len(batch.sends) == 1 else f"{first.delivery_id} and {len(batch.sends) - 1} more"
        with _translated():
            try:
                await self.client.start_workflow(
                    SEND_WORKFLOW,
                    batch,
                    id=f"send/{first.delivery_id}",
                    task_queue=SEND_NOW_QUEUE,
                    task_timeout=TASK_LIMIT,
                    id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
                    # Another group may begin with the same delivery when this one is asked for again.
                    id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
                    search_attributes=TypedSearchAttributes(here),
                    static_summary=f"send {what}",
                    rpc_timeout=CALL_LIMIT,
                )
            except WorkflowAlreadyStartedError:
                if len(batch.sends) > 1:
                    await self.start_sends(SendBatch(sends=batch.sends[1:]))
                return False
        return True

    async def wake_broadcast(self, trigger: BroadcastRef, why: str) -> None:
        """Have the workflow of a trigger running, and look again."""
        with _translated():
            await self.client.start_workflow(
                BROADCAST_WORKFLOW,
                trigger,
                id=trigger.workflow_id,
                task_queue=SEND_BULK_QUEUE,
                task_timeout=TASK_LIMIT,
                id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
                search_attributes=TypedSearchAttributes(
                    [
                        SearchAttributePair(WORKSPACE, trigger.workspace_id),
                        SearchAttributePair(CAMPAIGN, str(trigger.broadcast_id)),
                    ]
                ),
                static_summary=f"broadcast {trigger.broadcast_id} - trigger {trigger.trigger_no}",
                start_signal=WAKE_SIGNAL,
                start_signal_args=[why, 0],
                rpc_timeout=CALL_LIMIT,
            )

    async def wake_journey(self, workflow_id: str, why: str, upto_seq: int) -> bool:
        """Have the workflow look again; False where none of the id is running."""
        with _translated():
            try:
                await self.client.get_workflow_handle(workflow_id).signal(
                    WAKE_SIGNAL, args=[why, upto_seq], rpc_timeout=CALL_LIMIT
                )
            except RPCError as error:
                if error.status == RPCStatusCode.NOT_FOUND and not _namespace_missing(error):
                    return False
                raise
        return True

    async def look(self, workflow_id: str, real_now: datetime) -> Look | None:
        """The latest run of a workflow; None where Temporal knows none."""
        with _translated():
            try:
                return await inspection.look(self.client, workflow_id, CALL_LIMIT, real_now)
            except RPCError as error:
                if error.status == RPCStatusCode.NOT_FOUND and not _namespace_missing(error):
                    return None
                raise

    async def end_run(self, workflow_id: str, run_id: str, why: str) -> bool:
        """Terminate one run; False where it was over already."""
        with _translated():
            try:
                handle = self.client.get_workflow_handle(workflow_id, run_id=run_id)
                await handle.terminate(reason=why, rpc_timeout=CALL_LIMIT)
            except RPCError as error:
                if error.status == RPCStatusCode.NOT_FOUND and not _namespace_missing(error):
                    return False
                raise
        return True

    async def polled(self, queue: str, *, workflows: bool) -> bool:
        """Whether this client's own worker polls the queue, for workflow tasks or for activities."""
        kind = TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW if workflows else TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY
        with _translated():
            return self._is_among(await pollers_of_first(self.client, queue, kind, CALL_LIMIT)) or self._is_among(
                await pollers_of_all(self.client, queue, kind, CALL_LIMIT)
            )

    def _is_among(self, pollers: Iterable[PollerInfo]) -> bool:
        return any(poller.identity == self.client.identity for poller in pollers)


@contextmanager
def _translated() -> Iterator[None]:
    """Turn Temporal's errors into the two that callers know; their messages stay here."""
    try:
        yield
    except RPCError as error:
        if error.status in _AWAY or _namespace_missing(error):
            raise TemporalAway(error.status.name) from None
        raise GateRefused(error.status.name) from error
    except (OSError, RuntimeError, TimeoutError) as error:  # the bridge raises RuntimeError where nobody listens
        raise TemporalAway(type(error).__name__) from None


def _namespace_missing(error: RPCError) -> bool:
    """Whether the whole namespace is unknown, as for a moment on a server that lost its data."""
    name: str = NamespaceNotFoundFailure.DESCRIPTOR.full_name
    return any(detail.TypeName() == name for detail in error.grpc_status.details)


__all__ = ["Gateway"]
