"""Every activity call with its timeouts and retries, once. Retries are for our own infrastructure only."""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

from workflows.names import SEND_BULK_QUEUE, SEND_NOW_QUEUE, SEND_QUEUE, TASKS_QUEUE, summary

with workflow.unsafe.imports_passed_through():
    from activities.broadcasts import BroadcastActivities
    from activities.journeys import JourneyActivities
    from activities.messages import MessageActivities
    from activities.sends import SendActivities
    from activities.tasks import TaskActivities
    from domain.sends import BroadcastRef, BroadcastTurn, SendBatch
    from domain.steps import AdvanceInput, DeliverMessageInput, JourneyRef, StepResult
    from domain.task_steps import TaskProgress, TaskRef

FOR_EVER = RetryPolicy(
    initial_interval=timedelta(seconds=1), backoff_coefficient=2.0, maximum_interval=timedelta(seconds=30)
)
"""No limit of attempts: the database or a worker comes back, and the journey goes on where it stood."""


async def advance(journey: JourneyRef, why: str) -> StepResult:
    """What the journey needs next, planned beside the workflow task: one history event."""
    return await workflow.execute_local_activity_method(
        JourneyActivities.advance,
        AdvanceInput(workspace_id=journey.workspace_id, journey_id=journey.journey_id, why=why),
        start_to_close_timeout=timedelta(seconds=30),
        retry_policy=FOR_EVER,
        # A longer pause becomes a timer, so that an outage does not hold workflow tasks open.
        local_retry_threshold=timedelta(seconds=3),
    )


async def deliver_message(journey: JourneyRef, step: StepResult) -> StepResult:
    """Hand over the message of the block the journey stands in, and plan what follows it."""
    if step.block is None or step.action_id is None:
        raise ValueError("A delivery names its block.")
    return await workflow.execute_activity_method(
        MessageActivities.deliver_message,
        DeliverMessageInput(
            workspace_id=journey.workspace_id,
            journey_id=journey.journey_id,
            block=step.block,
            action_id=step.action_id,
        ),
        task_queue=SEND_QUEUE,
        start_to_close_timeout=timedelta(seconds=60),
        heartbeat_timeout=timedelta(seconds=5),
        retry_policy=FOR_EVER,
        summary=summary(step.label),
    )


async def run_task(task: TaskRef) -> TaskProgress:
    """Work on a task for some seconds; longer only while a file is being fetched."""
    return await workflow.execute_activity_method(
        TaskActivities.run_task,
        task,
        task_queue=TASKS_QUEUE,
        start_to_close_timeout=timedelta(minutes=10),
        heartbeat_timeout=timedelta(seconds=5),
        retry_policy=FOR_EVER,
    )


async def send_transactional(batch: SendBatch) -> None:
    """Hand over deliveries that somebody asked for."""
    await workflow.execute_activity_method(
        SendActivities.send_transactional,
        batch,
        task_queue=SEND_NOW_QUEUE,
        # Long, because many batches share few places, and a server may be slow; a death shows by the heartbeat.
        start_to_close_timeout=timedelta(hours=2),
        heartbeat_timeout=timedelta(seconds=5),
        retry_policy=FOR_EVER,
    )


async def run_broadcast(trigger: BroadcastRef) -> BroadcastTurn:
    """See to recipients of a broadcast for some seconds."""
    return await workflow.execute_activity_method(
        BroadcastActivities.run_broadcast,
        trigger,
        task_queue=SEND_BULK_QUEUE,
        # Mostly seconds; a very long file of recipients takes its time, and heartbeats tell that somebody is at it.
        start_to_close_timeout=timedelta(hours=2),
        heartbeat_timeout=timedelta(seconds=5),
        retry_policy=FOR_EVER,
    )


__all__ = ["FOR_EVER", "advance", "deliver_message", "run_broadcast", "run_task", "send_transactional"]
