"""How workers run our workflows and activities: queues, sandbox, limits, telemetry."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from temporalio.client import Client
from temporalio.runtime import (
    LogForwardingConfig,
    LoggingConfig,
    MetricBuffer,
    MetricBufferDurationFormat,
    Runtime,
    TelemetryConfig,
    TelemetryFilter,
)
from temporalio.worker import Interceptor, Worker
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from activities.broadcasts import BroadcastActivities
from activities.interceptor import FailureInterceptor
from activities.journeys import JourneyActivities
from activities.messages import MessageActivities
from activities.sends import SendActivities
from activities.tasks import TaskActivities
from telemetry import tracing
from telemetry.temporal import BUFFER, FIGURES
from workflows.broadcast import BroadcastWorkflow
from workflows.carrying import CarryingWorkflows
from workflows.journey import JourneyWorkflow
from workflows.names import JOURNEYS_QUEUE, SEND_BULK_QUEUE, SEND_NOW_QUEUE, TASKS_QUEUE
from workflows.send import SendWorkflow
from workflows.task import TaskWorkflow

WORKFLOWS: list[type] = [JourneyWorkflow, TaskWorkflow, SendWorkflow, BroadcastWorkflow]
PASSED_THROUGH = ("domain", "activities", "pydantic", "pydantic_core", "workflows.calls", "workflows.names")
"""Loaded once for all workflows; the file of a workflow itself is loaded for each, which the sandbox needs."""
STICKY_LIMIT = timedelta(seconds=2)
"""How long a task waits for the worker that has the journey in memory, should that worker have been killed."""
GRACE = timedelta(seconds=6)
LONGEST_BEAT = timedelta(seconds=1)


def journeys_worker(
    client: Client,
    activities: JourneyActivities,
    *,
    max_cached: int = 600,
    workflow_tasks: int = 100,
    local_activities: int = 50,
) -> Worker:
    """A worker for workflow tasks and planning."""
    return Worker(
        client,
        task_queue=JOURNEYS_QUEUE,
        workflows=[JourneyWorkflow],
        activities=[activities.advance],
        workflow_runner=workflow_runner(),
        interceptors=_interceptors(),
        max_cached_workflows=max_cached,
        max_concurrent_workflow_tasks=workflow_tasks,
        max_concurrent_local_activities=local_activities,
        no_remote_activities=True,
        sticky_queue_schedule_to_start_timeout=STICKY_LIMIT,
        graceful_shutdown_timeout=GRACE,
    )


def send_worker(client: Client, queue: str, activities: MessageActivities, *, slots: int = 50) -> Worker:
    """A worker that hands over messages of one queue."""
    return Worker(
        client,
        task_queue=queue,
        activities=[activities.deliver_message],
        interceptors=_interceptors(),
        max_concurrent_activities=slots,
        max_heartbeat_throttle_interval=LONGEST_BEAT,
        default_heartbeat_throttle_interval=LONGEST_BEAT,
        graceful_shutdown_timeout=GRACE,
    )


def tasks_worker(client: Client, activities: TaskActivities, *, max_cached: int = 600, slots: int = 4) -> Worker:
    """A worker for long work on files: its workflow tasks, and `slots` pieces of work at once."""
    return Worker(
        client,
        task_queue=TASKS_QUEUE,
        workflows=[TaskWorkflow],
        activities=[activities.run_task],
        workflow_runner=workflow_runner(),
        interceptors=_interceptors(),
        max_cached_workflows=max_cached,
        max_concurrent_workflow_tasks=10,
        max_concurrent_activities=slots,
        max_heartbeat_throttle_interval=LONGEST_BEAT,
        default_heartbeat_throttle_interval=LONGEST_BEAT,
        sticky_queue_schedule_to_start_timeout=STICKY_LIMIT,
        graceful_shutdown_timeout=GRACE,
    )


def send_now_worker(client: Client, activities: SendActivities, *, slots: int = 20) -> Worker:
    """A worker for what somebody asked for by a call: its workflow tasks, and `slots` batches at once."""
    return _carrying(client, SEND_NOW_QUEUE, SendWorkflow, activities.send_transactional, slots=slots, cached=100)


def broadcasts_worker(client: Client, activities: BroadcastActivities, *, slots: int = 2) -> Worker:
    """A worker for broadcasts: their workflow tasks, and `slots` triggers at once."""
    return _carrying(client, SEND_BULK_QUEUE, BroadcastWorkflow, activities.run_broadcast, slots=slots, cached=100)


def _carrying(
    client: Client, queue: str, carried: type, activity: Callable[..., Any], *, slots: int, cached: int
) -> Worker:
    """A worker for one kind of workflow and the one activity that does its work."""
    return Worker(
        client,
        task_queue=queue,
        workflows=[carried],
        activities=[activity],
        workflow_runner=workflow_runner(),
        interceptors=_interceptors(),
        max_cached_workflows=cached,
        max_concurrent_workflow_tasks=20,
        max_concurrent_activities=slots,
        max_heartbeat_throttle_interval=LONGEST_BEAT,
        default_heartbeat_throttle_interval=LONGEST_BEAT,
        sticky_queue_schedule_to_start_timeout=STICKY_LIMIT,
        graceful_shutdown_timeout=GRACE,
    )


def _interceptors() -> list[Interceptor]:
    """What wraps the work of every worker."""
    return [FailureInterceptor(), *([CarryingWorkflows()] if tracing.on() else [])]


def workflow_runner() -> SandboxedWorkflowRunner:
    """The sandbox that guards the workflow files and shares everything below them."""
    return SandboxedWorkflowRunner(restrictions=SandboxRestrictions.default.with_passthrough_modules(*PASSED_THROUGH))


def temporal_runtime() -> Runtime:
    """The SDK's native part, its errors going to our log, its measurements to our figures; outages are told once, by us."""
    forwarding = LogForwardingConfig(
        logging.getLogger("sojourn.temporal"), append_target_to_name=False, prepend_target_on_message=False
    )
    logs = LoggingConfig(filter=TelemetryFilter(core_level="ERROR", other_level="ERROR"), forwarding=forwarding)
    FIGURES.buffer = MetricBuffer(BUFFER, MetricBufferDurationFormat.SECONDS)
    return Runtime(telemetry=TelemetryConfig(logging=logs, metrics=FIGURES.buffer))


__all__ = [
    "PASSED_THROUGH",
    "WORKFLOWS",
    "broadcasts_worker",
    "journeys_worker",
    "send_now_worker",
    "send_worker",
    "tasks_worker",
    "temporal_runtime",
    "workflow_runner",
]
