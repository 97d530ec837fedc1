"""What leaves a failed activity: a code and an error id, never a value; the exception itself goes to our log."""

from __future__ import annotations

import asyncio
import logging
import secrets
from typing import Any

from temporalio import activity
from temporalio.exceptions import ApplicationError
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from activities.following import followed
from domain.errors import DomainError
from domain.sends import BroadcastRef
from domain.steps import AdvanceInput, DeliverMessageInput
from domain.task_steps import TaskRef
from observability import bound
from store.failures import is_unavailable
from telemetry.figures import ACTIVITY_FAILURES, ACTIVITY_SECONDS

logger = logging.getLogger("sojourn.activities")

PASSING = frozenset({"delivery_in_hand"})
"""Refusals that are over by themselves: trying again helps."""


class FailureInterceptor(Interceptor):
    """Keeps personal data out of histories: every worker has it."""

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002
        """Wrap the activities of a worker."""
        return _Guarded(next)


class _Guarded(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002
        """Run the activity; a failure is logged and replaced by a code."""
        info, ids = activity.info(), _ids(input)
        clock = asyncio.get_running_loop().time
        began = clock()
        with (
            followed(input.headers, ids) as span,
            bound(activity=info.activity_type, workflow=info.workflow_id, attempt=info.attempt, **ids),
        ):
            try:
                return await self.next.execute_activity(input)
            except Exception as error:  # noqa: BLE001 - whatever it is, only a code may leave
                failure = _told(error)
                ACTIVITY_FAILURES.labels(info.activity_type, failure.message).inc()
                span.fail(failure.message)
            finally:
                ACTIVITY_SECONDS.labels(info.activity_type).observe(clock() - began)
            # Outside of the handler, so that nothing of the exception hangs on to the failure.
            raise failure


def _told(error: Exception) -> ApplicationError:
    """The failure as Temporal keeps it, with the id under which our log tells everything."""
    code, permanent = _classified(error)
    error_id = secrets.token_hex(6)
    logger.error("An activity failed.", exc_info=error, extra={"error_id": error_id, "code": code})
    return ApplicationError(code, error_id, type=code, non_retryable=permanent)


def _classified(error: Exception) -> tuple[str, bool]:
    """The code of a failure, and whether trying again is in vain."""
    if isinstance(error, DomainError):
        return error.code, error.code not in PASSING
    return ("unavailable" if is_unavailable(error) else "internal_error"), False


def _ids(given: ExecuteActivityInput) -> dict[str, object]:
    """The ids by which a log line of the activity is found."""
    first = given.args[0] if given.args else None
    match first:
        case TaskRef():
            return {"workspace": first.workspace_id, "task": first.task_id}
        case BroadcastRef():
            return {"workspace": first.workspace_id, "broadcast": first.broadcast_id, "trigger": first.trigger_no}
        case DeliverMessageInput():
            return {"workspace": first.workspace_id, "journey": first.journey_id, "block": first.block}
        case AdvanceInput():
            return {"workspace": first.workspace_id, "journey": first.journey_id, "why": first.why}
    return {}


__all__ = ["FailureInterceptor"]
