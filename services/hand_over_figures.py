"""What is counted, and recorded where it is traced, of one message on its way to its provider."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping
from typing import Final

from channels import WayOut
from channels.base import Receipt, Refused, SendFailure, Throttled, Unavailable, Undeliverable
from store.deliveries import DeliveryRow
from telemetry import tracing
from telemetry.figures import HAND_OVER_SECONDS, HAND_OVERS

ANSWERS: Final[Mapping[type[SendFailure], str]] = {
    Undeliverable: "undeliverable",
    Refused: "refused",
    Throttled: "throttled",
    Unavailable: "unavailable",
}


async def watched(row: DeliveryRow, way: WayOut, sending: Awaitable[Receipt], *, alone: bool) -> Receipt:
    """The receipt of a hand-over; one of very many, which is not `alone`, has no span of its own."""
    span = _span(row, way) if alone and tracing.on() else tracing.NOTHING
    kind = way.channel.kind
    clock = asyncio.get_running_loop().time
    began = clock()
    answer = "broken off"
    with span:
        try:
            receipt = await sending
            answer = "taken"
        except SendFailure as failure:
            answer = "ambiguous" if failure.ambiguous else ANSWERS.get(type(failure), "refused")
            raise
        finally:
            HAND_OVERS.labels(row.channel, kind, answer).inc()
            HAND_OVER_SECONDS.labels(row.channel, kind).observe(clock() - began)
            span.note(answer=answer)
    return receipt


def asked_again(row: DeliveryRow) -> tracing.Span:
    """What the clock asks for is a trace of its own, linked to the one in which the delivery was asked for."""
    if row.traceparent is None or tracing.current() is not None:
        return tracing.NOTHING
    return tracing.following(
        None, row.traceparent, "deliver again", workspace=row.workspace_id, delivery=row.delivery_id
    )


def _span(row: DeliveryRow, way: WayOut) -> tracing.Span:
    return tracing.span(
        f"{way.channel.kind}.send",
        "client",
        workspace=row.workspace_id,
        delivery=row.delivery_id,
        journey=row.journey_id,
        block=row.block,
        channel=row.channel,
        provider=way.channel.kind,
        attempt=row.attempts + 1,
    )


__all__ = ["asked_again", "watched"]
