"""Track, first version, what became of deliveries: reported by whoever knows the id, no credential needed (API-10)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from fastapi import APIRouter, Request, Response

from api.bodies import TRACK_V1_LIMIT, json_value
from api.deps import parts, track_caller
from api.track import schemas
from api.track.calls import JSON, accept, described, done, register
from domain import track
from domain.operations import ReportDelivery
from domain.track import Call
from services import reporting

router = APIRouter(tags=["Track API"], responses=schemas.V1_ANSWERS)

SOURCE: Final = "Track API: metrics"


async def report(request: Request) -> Response:
    """Say that a delivery was opened, clicked, bounced and so on. A delivery nobody knows is ignored."""
    return await _take(request, track.metric, "metric")


async def push_event(request: Request) -> Response:
    """Say that a push was delivered, opened or converted; the older form of `metrics`."""
    return await _take(request, track.push_event, "event")


async def _take(request: Request, read: Callable[[Any], Call], field: str) -> Response:
    workspace_id = None
    if request.headers.get("authorization"):
        workspace_id = (await track_caller(request)).workspace_id
    call = read(await json_value(request, TRACK_V1_LIMIT))
    (operation,) = call.operations
    assert isinstance(operation, ReportDelivery), "these calls say nothing else"
    delivery = await reporting.find(parts(request).db, operation.delivery_id)
    if delivery is None or workspace_id not in (None, delivery.workspace_id):
        return done()
    track.check_channel(delivery.channel, operation, field)
    await accept(request, delivery.workspace_id, SOURCE, [call])
    return done()


register(
    router,
    "/metrics",
    report,
    "reportMetric",
    ["POST"],
    summary="Report what became of a delivery",
    extra=described((JSON, schemas.METRIC), open_to_all=True),
)
_PUSH = described((JSON, schemas.PUSH_EVENT), open_to_all=True)
register(
    router, "/push/events", push_event, "pushMetrics", ["POST"], summary="Report what became of a push", extra=_PUSH
)
router.add_api_route("/push/events", push_event, methods=["POST"], include_in_schema=False)

__all__ = ["router"]
