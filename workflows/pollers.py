"""Who polls a task queue: asked of all the parts into which a cluster divides it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from temporalio.api.enums.v1 import DescribeTaskQueueMode, TaskQueueType
from temporalio.api.taskqueue.v1 import PollerInfo, TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode


async def pollers_of_first(
    client: Client, queue: str, kind: TaskQueueType.ValueType, limit: timedelta
) -> Sequence[PollerInfo]:
    """Who polls the first part of a queue, as of now: all there is on a small server. Raises `RPCError`."""
    asked = DescribeTaskQueueRequest(namespace=client.namespace, task_queue=TaskQueue(name=queue), task_queue_type=kind)
    return (await client.workflow_service.describe_task_queue(asked, timeout=limit)).pollers


async def pollers_of_all(
    client: Client, queue: str, kind: TaskQueueType.ValueType, limit: timedelta
) -> Sequence[PollerInfo]:
    """Who polls any part of a queue; what the server answers may be five seconds old. Raises `RPCError`.

    With many workers most of them are not seen at the first part. Empty where a server does not answer so.
    """
    asked = DescribeTaskQueueRequest(
        namespace=client.namespace,
        task_queue=TaskQueue(name=queue),
        api_mode=DescribeTaskQueueMode.DESCRIBE_TASK_QUEUE_MODE_ENHANCED,
        task_queue_types=[kind],
        report_pollers=True,
    )
    try:
        found = await client.workflow_service.describe_task_queue(asked, timeout=limit)
    except RPCError as error:
        if error.status in (RPCStatusCode.INVALID_ARGUMENT, RPCStatusCode.UNIMPLEMENTED):
            return ()
        raise
    infos = [info for version in found.versions_info.values() for info in version.types_info.values()]
    return [poller for info in infos for poller in info.pollers]


__all__ = ["pollers_of_all", "pollers_of_first"]
