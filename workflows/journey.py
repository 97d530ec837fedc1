"""One person's pass through a campaign: plan, then wait or deliver, until the journey has ended."""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow

from workflows import calls
from workflows.names import JOURNEY_WORKFLOW, OUTCOME, WAKE_SIGNAL, summary

with workflow.unsafe.imports_passed_through():
    from domain.steps import JourneyRef, StepResult

SHORTEST_WAIT = timedelta(milliseconds=500)
"""A worker's clock may lag behind the server's: its plan names an instant that is past here, and asks again soon."""


@workflow.defn(name=JOURNEY_WORKFLOW)
class JourneyWorkflow:
    """Carries one journey; the row in the database is the truth, this keeps nothing but waits."""

    def __init__(self) -> None:
        self._wakes = 0
        self._wakes_planned_for = 0
        self._why = "wake"

    @workflow.run
    async def run(self, journey: JourneyRef) -> str:
        """Walk the journey to its end and return how it ended."""
        step = await self._advance(journey, "start")
        while step.kind != "ended":
            workflow.set_current_details(step.details)
            if step.kind == "deliver":
                step = await self._deliver(journey, step)
                continue
            if workflow.info().is_continue_as_new_suggested():
                workflow.continue_as_new(journey)
            step = await self._advance(journey, await self._wait(step))
        workflow.set_current_details(step.details)
        outcome = step.reason or step.state or "gone"
        workflow.upsert_search_attributes([OUTCOME.value_set(outcome)])
        return outcome

    @workflow.signal(name=WAKE_SIGNAL)
    def wake(self, why: str, upto_seq: int) -> None:  # noqa: ARG002 - for the reader of the history
        """Look again: something changed that may concern the journey."""
        self._wakes += 1
        self._why = why

    async def _advance(self, journey: JourneyRef, why: str) -> StepResult:
        self._wakes_planned_for = self._wakes
        return await calls.advance(journey, why)

    async def _deliver(self, journey: JourneyRef, step: StepResult) -> StepResult:
        self._wakes_planned_for = self._wakes
        return await calls.deliver_message(journey, step)

    async def _wait(self, step: StepResult) -> str:
        """Wait until the step's instant, or until a wake that the plan behind it may have missed; says which."""
        timer = None if step.due_at is None or step.sandbox else max(step.due_at - workflow.now(), SHORTEST_WAIT)
        if not self._unplanned():
            try:
                # A sandbox has no timers: whoever moves its clock wakes the journey.
                await workflow.wait_condition(
                    self._unplanned, timeout=timer, timeout_summary=summary(step.label) if timer else None
                )
            except TimeoutError:
                return "timer"
        return self._why

    def _unplanned(self) -> bool:
        """Whether a wake came since the latest plan began."""
        return self._wakes > self._wakes_planned_for


__all__ = ["JourneyWorkflow"]
