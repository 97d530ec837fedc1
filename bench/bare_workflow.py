"""The least that a workflow with one activity can be."""

from __future__ import annotations

from datetime import timedelta

from temporalio import activity, workflow

QUEUE = "bare"


@activity.defn(name="bare_activity")
async def bare_activity(_number: int) -> str:
    """Do nothing."""
    return "done"


@workflow.defn(name="bare")
class BareWorkflow:
    """Calls the activity and ends."""

    @workflow.run
    async def run(self, number: int) -> str:
        """Return what the activity returned."""
        return await workflow.execute_activity(bare_activity, number, start_to_close_timeout=timedelta(seconds=30))


__all__ = ["QUEUE", "BareWorkflow", "bare_activity"]
