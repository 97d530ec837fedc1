"""How traces travel with workflows: in headers, of starts and signals to activities. Workflow code itself records nothing.

A workflow remembers where it began and what moved it last, both from its history, so that a replay sends the same along. A timer
is caused by nobody: what follows it is a trace of its own, linked to the beginning.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn

from temporalio import client, worker
from temporalio.api.common.v1 import Payload
from temporalio.converter import PayloadConverter
from temporalio.workflow import ActivityHandle

from activities.following import CAUSE, ORIGIN
from telemetry import tracing
from workflows.names import BROADCAST_WORKFLOW

Headers = Mapping[str, Payload]
TIMER = "timer"


class CarryingClient(client.Interceptor):
    """Puts the trace that is being recorded on starts and signals."""

    def intercept_client(self, next: client.OutboundInterceptor) -> client.OutboundInterceptor:  # noqa: A002
        """Wrap the calls of a client."""
        return _Calls(next)


class _Calls(client.OutboundInterceptor):
    async def start_workflow(self, input: client.StartWorkflowInput) -> client.WorkflowHandle[Any, Any]:  # noqa: A002
        """Start a workflow, which begins in this trace."""
        input.headers = _with_context(input.headers)
        return await super().start_workflow(input)

    async def signal_workflow(self, input: client.SignalWorkflowInput) -> None:  # noqa: A002
        """Signal a workflow, which is moved by this trace."""
        input.headers = _with_context(input.headers)
        await super().signal_workflow(input)


def _with_context(headers: Headers) -> Headers:
    context = tracing.current()
    return headers if context is None else {**headers, CAUSE: PayloadConverter.default.to_payload(context)}


class CarryingWorkflows(worker.Interceptor):
    """Hands on to activities what came with the start and the latest signal."""

    def workflow_interceptor_class(
        self,
        input: worker.WorkflowInterceptorClassInput,  # noqa: A002, ARG002
    ) -> type[worker.WorkflowInboundInterceptor]:
        """What wraps each workflow."""
        return _Inbound


class _Carried:
    """The traces of one workflow."""

    def __init__(self) -> None:
        self.origin: Payload | None = None
        self.cause: Payload | None = None

    def on_top_of(self, headers: Headers) -> Headers:
        """Headers with what is known."""
        known = {CAUSE: self.cause, ORIGIN: self.origin}
        return {**headers, **{name: payload for name, payload in known.items() if payload is not None}}


class _Inbound(worker.WorkflowInboundInterceptor):
    def init(self, outbound: worker.WorkflowOutboundInterceptor) -> None:
        """Set up both directions of one workflow."""
        self._carried = _Carried()
        super().init(_Outbound(outbound, self._carried))

    async def execute_workflow(self, input: worker.ExecuteWorkflowInput) -> Any:  # noqa: A002
        """Run the workflow."""
        self._carried.cause = input.headers.get(CAUSE)
        self._carried.origin = input.headers.get(ORIGIN) or self._carried.cause
        return await super().execute_workflow(input)

    async def handle_signal(self, input: worker.HandleSignalInput) -> None:  # noqa: A002
        """Take a signal."""
        self._carried.cause = input.headers.get(CAUSE)
        await super().handle_signal(input)


class _Outbound(worker.WorkflowOutboundInterceptor):
    def __init__(self, next: worker.WorkflowOutboundInterceptor, carried: _Carried) -> None:  # noqa: A002
        super().__init__(next)
        self._carried = carried

    def start_activity(self, input: worker.StartActivityInput) -> ActivityHandle[Any]:  # noqa: A002
        """Ask for an activity; all turns of a broadcast belong to its trigger, whatever has moved it."""
        if input.activity == f"run_{BROADCAST_WORKFLOW}":
            self._carried.cause = self._carried.origin
        input.headers = self._carried.on_top_of(input.headers)
        return super().start_activity(input)

    def start_local_activity(self, input: worker.StartLocalActivityInput) -> ActivityHandle[Any]:  # noqa: A002
        """Plan; what a timer has moved was caused by nobody."""
        if input.args and getattr(input.args[0], "why", None) == TIMER:
            self._carried.cause = None
        input.headers = self._carried.on_top_of(input.headers)
        return super().start_local_activity(input)

    def continue_as_new(self, input: worker.ContinueAsNewInput) -> NoReturn:  # noqa: A002
        """Go on as a new run, which knows where it all began."""
        if self._carried.origin is not None:
            input.headers = {**input.headers, ORIGIN: self._carried.origin}
        super().continue_as_new(input)


__all__ = ["CarryingClient", "CarryingWorkflows"]
