"""Sends that somebody asked for: handed over at once, by one activity for all that were asked for together."""

from __future__ import annotations

from temporalio import workflow

from workflows import calls
from workflows.names import SEND_WORKFLOW

with workflow.unsafe.imports_passed_through():
    from domain.sends import SendBatch


@workflow.defn(name=SEND_WORKFLOW)
class SendWorkflow:
    """Sends some deliveries; their rows are the truth, and say what became of each."""

    @workflow.run
    async def run(self, batch: SendBatch) -> None:
        """Return once every delivery was tried; further attempts are asked for by the clock."""
        await calls.send_transactional(batch)


__all__ = ["SendWorkflow"]
