"""The Temporal cluster as operators ask about it: version, namespace, pollers, backlogs, what runs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, timedelta
from typing import Final, Literal

from temporalio.api.enums.v1 import IndexedValueType, TaskQueueType
from temporalio.api.operatorservice.v1 import ListSearchAttributesRequest
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import (
    DescribeNamespaceRequest,
    DescribeTaskQueueRequest,
    GetSystemInfoRequest,
)
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from services.doctor import Namespace, QueueState
from services.gate import JourneyStart
from workflows.converter import DATA_CONVERTER
from workflows.gateway import IMPATIENT
from workflows.names import (
    JOURNEY_WORKFLOW,
    JOURNEYS_QUEUE,
    SEND_BULK_QUEUE,
    SEND_NOW_QUEUE,
    SEND_QUEUE,
    TASKS_QUEUE,
)
from workflows.namespace import SEARCH_ATTRIBUTES
from workflows.pollers import pollers_of_all

CALL_LIMIT = timedelta(seconds=3)
LISTED: Final = 500
RUNNING: Final = f"WorkflowType = '{JOURNEY_WORKFLOW}' AND ExecutionStatus = 'Running'"
Kind = Literal["workflow", "activity"]
QUEUES: Final[tuple[tuple[str, Kind], ...]] = (
    (JOURNEYS_QUEUE, "workflow"),
    (SEND_QUEUE, "activity"),
    (SEND_NOW_QUEUE, "workflow"),
    (SEND_NOW_QUEUE, "activity"),
    (SEND_BULK_QUEUE, "workflow"),
    (SEND_BULK_QUEUE, "activity"),
    (TASKS_QUEUE, "workflow"),
    (TASKS_QUEUE, "activity"),
)
_KINDS: Final = {
    "workflow": TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
    "activity": TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY,
}


class TemporalCluster:
    """Asks one cluster about one namespace; whatever goes wrong is raised as it is."""

    def __init__(self, client: Client) -> None:
        self._client = client

    @classmethod
    async def connect(cls, address: str, namespace: str) -> TemporalCluster:
        """A cluster that answers now."""
        return cls(
            await Client.connect(address, namespace=namespace, data_converter=DATA_CONVERTER, retry_config=IMPATIENT)
        )

    async def version(self) -> str:
        """The version of the server."""
        found = await self._client.workflow_service.get_system_info(GetSystemInfoRequest(), timeout=CALL_LIMIT)
        return found.server_version

    async def namespace(self) -> Namespace | None:
        """The namespace, or None where there is none."""
        name = self._client.namespace
        try:
            found = await self._client.workflow_service.describe_namespace(
                DescribeNamespaceRequest(namespace=name), timeout=CALL_LIMIT
            )
        except RPCError as error:
            if error.status == RPCStatusCode.NOT_FOUND:
                return None
            raise
        listed = await self._client.operator_service.list_search_attributes(
            ListSearchAttributesRequest(namespace=name), timeout=CALL_LIMIT
        )
        words = {name: _word(kind) for name, kind in listed.custom_attributes.items()}
        expected = {name: _word(kind) for name, kind in SEARCH_ATTRIBUTES.items()}
        retention = found.config.workflow_execution_retention_ttl.ToTimedelta()
        return Namespace(retention, words, expected)

    async def queues(self) -> Sequence[QueueState]:
        """All task queues of the product."""
        return [await self._queue(queue, kind) for queue, kind in QUEUES]

    async def _queue(self, queue: str, kind: Kind) -> QueueState:
        request = DescribeTaskQueueRequest(
            namespace=self._client.namespace,
            task_queue=TaskQueue(name=queue),
            task_queue_type=_KINDS[kind],
            report_stats=True,
        )
        found = await self._client.workflow_service.describe_task_queue(request, timeout=CALL_LIMIT)
        everywhere = await pollers_of_all(self._client, queue, _KINDS[kind], CALL_LIMIT)
        pollers = max([found.pollers, everywhere], key=len)
        polled = [poller.last_access_time.ToDatetime(UTC) for poller in pollers]
        if not found.HasField("stats"):  # servers before 1.28 do not say
            return QueueState(queue, kind, polled, None, None)
        stats = found.stats
        age = stats.approximate_backlog_age.ToTimedelta()
        return QueueState(queue, kind, polled, stats.approximate_backlog_count, age)

    async def running_journeys(self) -> int:
        """How many workflows of journeys run, as far as the cluster's index has noticed."""
        return (await self._client.count_workflows(RUNNING, rpc_timeout=CALL_LIMIT)).count

    async def running_pages(self) -> AsyncIterator[Sequence[str]]:
        """The ids of all workflows of journeys that run, page by page, as far as the cluster's index has noticed."""
        listed = self._client.list_workflows(RUNNING, page_size=LISTED, rpc_timeout=CALL_LIMIT)
        while True:
            await listed.fetch_next_page()
            yield [found.id for found in listed.current_page or ()]
            if listed.next_page_token is None:
                return

    async def runs(self, journey: JourneyStart) -> bool:
        """Whether the workflow of a journey runs."""
        try:
            found = await self._client.get_workflow_handle(journey.workflow_id).describe(rpc_timeout=CALL_LIMIT)
        except RPCError as error:
            if error.status == RPCStatusCode.NOT_FOUND:
                return False
            raise
        return found.status == WorkflowExecutionStatus.RUNNING


def _word(kind: int) -> str:
    """`INDEXED_VALUE_TYPE_KEYWORD` as people write it."""
    name: str = IndexedValueType.Name(kind)  # type: ignore[arg-type]
    return name.removeprefix("INDEXED_VALUE_TYPE_").title().replace("_", "")


__all__ = ["QUEUES", "TemporalCluster"]
