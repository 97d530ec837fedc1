"""A trigger of a broadcast: turns of pages, until all of its frozen audience was seen to."""

from __future__ import annotations

from temporalio import workflow

from workflows import calls
from workflows.names import BROADCAST_WORKFLOW, OUTCOME, WAKE_SIGNAL

with workflow.unsafe.imports_passed_through():
    from domain.sends import BroadcastRef


@workflow.defn(name=BROADCAST_WORKFLOW)
class BroadcastWorkflow:
    """Carries one trigger; its row in the database is the truth, this keeps nothing but waits."""

    def __init__(self) -> None:
        self._wakes = 0
        self._wakes_seen = 0

    @workflow.run
    async def run(self, trigger: BroadcastRef) -> str:
        """Take turns until the trigger is over; returns the state it ended in."""
        while True:
            self._wakes_seen = self._wakes
            turn = await calls.run_broadcast(trigger)
            workflow.set_current_details(turn.details)
            if turn.over:
                workflow.upsert_search_attributes([OUTCOME.value_set(turn.state)])
                return turn.state
            if workflow.info().is_continue_as_new_suggested():
                workflow.continue_as_new(trigger)
            if not turn.more:
                # Paused, behind another trigger, or ahead of its rate: whoever ends that wakes it.
                await workflow.wait_condition(lambda: self._wakes > self._wakes_seen)

    @workflow.signal(name=WAKE_SIGNAL)
    def wake(self, why: str, upto_seq: int) -> None:  # noqa: ARG002 - for the reader of the history
        """Look again."""
        self._wakes += 1


__all__ = ["BroadcastWorkflow"]
