"""What keeps a workflow: read from what is pending in it and from the end of its history."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from google.protobuf.timestamp_pb2 import Timestamp
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import (
    EventType,
    PendingActivityState,
    PendingWorkflowTaskState,
    TaskQueueType,
    WorkflowExecutionStatus,
    WorkflowTaskFailedCause,
)
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.workflow.v1 import PendingActivityInfo
from temporalio.api.workflowservice.v1 import (
    DescribeWorkflowExecutionRequest,
    DescribeWorkflowExecutionResponse,
    GetWorkflowExecutionHistoryReverseRequest,
)
from temporalio.client import Client

from services.gate import Look, Trouble
from workflows.pollers import pollers_of_all, pollers_of_first

TAIL: Final = 40
"""Events that are read from the end. More wakes than that behind a failure do not come: one is outstanding at a time."""
LONGEST: Final = 500
FRESH: Final = timedelta(seconds=70)
"""A worker asks again at least every minute; Temporal goes on naming one that is gone for some minutes."""
FAILED: Final = EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED
TIMED_OUT: Final = EventType.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT
COMPLETED: Final = EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED
SCHEDULED: Final = EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED
MARKER: Final = EventType.EVENT_TYPE_MARKER_RECORDED
NONDETERMINISM: Final = WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR
WORKFLOWS: Final = TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW
ACTIVITIES: Final = TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY


class _Found(NamedTuple):
    trouble: Trouble | None
    since: datetime | None = None
    attempts: int = 0
    told: str = ""
    kind: TaskQueueType.ValueType = WORKFLOWS


async def look(client: Client, workflow_id: str, limit: timedelta, real_now: datetime) -> Look:
    """The latest run of a workflow; raises `RPCError` where there is none."""
    execution = WorkflowExecution(workflow_id=workflow_id)
    described = await client.workflow_service.describe_workflow_execution(
        DescribeWorkflowExecutionRequest(namespace=client.namespace, execution=execution), timeout=limit
    )
    info = described.workflow_execution_info
    status = WorkflowExecutionStatus.Name(info.status).removeprefix("WORKFLOW_EXECUTION_STATUS_").lower()
    if info.status != WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_RUNNING:
        return Look(status, info.execution.run_id, since=_instant(info.close_time))
    tail = await _tail(client, info.execution, limit)
    if described.pending_activities:
        found = _activity(described.pending_activities[0], tail)
    else:
        found = _failed(described, tail) or _task(described) or _resting(tail)
    # Work that waits its turn is no trouble; work for which nobody is there is.
    if found.trouble == "unpolled" and await _polled(client, found.told, found.kind, real_now - FRESH, limit):
        found = found._replace(trouble=None)
    return Look(status, info.execution.run_id, found.trouble, found.since, found.attempts, found.told)


async def _tail(client: Client, execution: WorkflowExecution, limit: timedelta) -> list[HistoryEvent]:
    """The newest events, newest first."""
    request = GetWorkflowExecutionHistoryReverseRequest(
        namespace=client.namespace, execution=execution, maximum_page_size=TAIL
    )
    found = await client.workflow_service.get_workflow_execution_history_reverse(request, timeout=limit)
    return list(found.history.events)


def _failed(described: DescribeWorkflowExecutionResponse, tail: Iterable[HistoryEvent]) -> _Found | None:
    """What workflow tasks failed of, if the latest did; only the first failure of a row stands in the history."""
    attempt = described.pending_workflow_task.attempt
    for event in tail:
        if event.event_type == COMPLETED:
            return None
        if event.event_type == FAILED:
            failure = event.workflow_task_failed_event_attributes
            trouble: Trouble = "nondeterminism" if failure.cause == NONDETERMINISM else "failing"
            return _Found(trouble, _instant(event.event_time), attempt, failure.failure.message[:LONGEST])
        if event.event_type == TIMED_OUT and attempt > 2:
            # The second attempt is what the death of a worker costs.
            return _Found("timing_out", _instant(event.event_time), attempt)
    return None


def _task(described: DescribeWorkflowExecutionResponse) -> _Found | None:
    """A workflow task that is in hand, or waits for a worker; None where there is none."""
    if not described.HasField("pending_workflow_task"):
        return None
    task = described.pending_workflow_task
    if task.state == PendingWorkflowTaskState.PENDING_WORKFLOW_TASK_STATE_SCHEDULED:
        queue = described.execution_config.task_queue.name
        return _Found("unpolled", _instant(task.scheduled_time), task.attempt, queue)
    return _Found(None, _instant(task.started_time), task.attempt)


def _resting(tail: list[HistoryEvent]) -> _Found:
    """What stands at the end of a history with nothing in hand: a plan that failed and is tried again, or a wait."""
    since = _instant(tail[0].event_time) if tail else None
    for event in tail:
        if event.event_type == MARKER:
            failure = event.marker_recorded_event_attributes.failure
            if failure.message:
                return _Found("planning", _instant(event.event_time), told=failure.message[:LONGEST])
            break
    return _Found("resting", since)


def _activity(activity: PendingActivityInfo, tail: Iterable[HistoryEvent]) -> _Found:
    """What a pending activity says; our workflows have one at a time. Its own instants are those of the next attempt."""
    scheduled = (event for event in tail if event.event_type == SCHEDULED)
    since = next((_instant(event.event_time) for event in scheduled), None)
    if activity.attempt > 1 and activity.HasField("last_failure"):
        told = f"{activity.activity_type.name}: {activity.last_failure.message[:LONGEST]}"
        return _Found("activity", since, activity.attempt, told)
    if activity.state == PendingActivityState.PENDING_ACTIVITY_STATE_SCHEDULED:
        return _Found("unpolled", since, activity.attempt, activity.activity_options.task_queue.name, ACTIVITIES)
    return _Found(None, since, activity.attempt)


async def _polled(client: Client, queue: str, kind: TaskQueueType.ValueType, after: datetime, limit: timedelta) -> bool:
    """Whether a worker asked the queue for work since."""
    pollers = [
        *await pollers_of_first(client, queue, kind, limit),
        *await pollers_of_all(client, queue, kind, limit),
    ]
    return any(last > after for poller in pollers if (last := _instant(poller.last_access_time)))


def _instant(stamp: Timestamp) -> datetime | None:
    return stamp.ToDatetime(UTC) if stamp.seconds else None


__all__ = ["look"]
