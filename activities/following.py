"""What is recorded of an activity: a span in the trace that caused it, or one linked to where its workflow began."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from temporalio import activity
from temporalio.api.common.v1 import Payload
from temporalio.converter import PayloadConverter

from telemetry import tracing

CAUSE: Final = "traceparent"
ORIGIN: Final = "sojourn-origin"


def followed(headers: Mapping[str, Payload], ids: Mapping[str, object]) -> tracing.Span:
    """The span of the activity that runs; nothing where nobody is traced, or each of what it carries has a trace of its own."""
    if not tracing.on():
        return tracing.NOTHING
    info = activity.info()
    said = {name: value for name, value in ids.items() if isinstance(value, str | int)}
    cause, origin = _text(headers.get(CAUSE)), _text(headers.get(ORIGIN))
    return tracing.following(
        cause, origin, f"activity {info.activity_type}", "consumer", attempt=info.attempt, queue=info.task_queue, **said
    )


def _text(payload: Payload | None) -> str | None:
    return None if payload is None else str(PayloadConverter.default.from_payload(payload, str))


__all__ = ["CAUSE", "ORIGIN", "followed"]
