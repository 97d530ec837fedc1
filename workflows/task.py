"""Long work: run for a while, say how far it is, run again, until the task is over."""

from __future__ import annotations

from temporalio import workflow

from workflows import calls
from workflows.names import OUTCOME, TASK_WORKFLOW

with workflow.unsafe.imports_passed_through():
    from domain.task_steps import TaskRef


@workflow.defn(name=TASK_WORKFLOW)
class TaskWorkflow:
    """Carries one task; its row in the database is the truth, this keeps nothing."""

    @workflow.run
    async def run(self, task: TaskRef) -> str:
        """Work on the task until its row is over; returns the state it ended in."""
        while True:
            progress = await calls.run_task(task)
            workflow.set_current_details(progress.details)
            if progress.over:
                workflow.upsert_search_attributes([OUTCOME.value_set(progress.state)])
                return progress.state
            if workflow.info().is_continue_as_new_suggested():
                workflow.continue_as_new(task)


__all__ = ["TaskWorkflow"]
