"""Track, second version: one operation, or a batch of them, chosen by type and action (API-13, API-14)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, Request, Response

from api.bodies import TRACK_BATCH_LIMIT, TRACK_ENTITY_LIMIT, json_value
from api.deps import parts
from api.errors import json_response
from api.limits import note_faults
from api.track import schemas
from api.track.calls import Incoming, described, done
from domain import track
from domain.operations import ReportDelivery
from domain.track import Call, CallRefused, Fault, Rules
from services import reporting

router = APIRouter(tags=["Track API"])


async def one(request: Request) -> Response:
    """What `type` and `action` ask for, of a person, an object or a delivery."""
    incoming = await Incoming.of(request)
    read = [_read(await json_value(request, TRACK_ENTITY_LIMIT), incoming.rules)]
    await _check_reports(request, incoming.workspace_id, read)
    (outcome,) = read
    if isinstance(outcome, CallRefused):
        raise outcome
    await incoming.accept(outcome)
    return done()


async def batch(request: Request) -> Response:
    """Up to 500 KB of operations, each below 32 KB; those of one person are applied in this order."""
    incoming = await Incoming.of(request)
    items = _items(await json_value(request, TRACK_BATCH_LIMIT))
    read = [_read(item, incoming.rules) for item in items]
    await _check_reports(request, incoming.workspace_id, read)
    calls = [outcome for outcome in read if isinstance(outcome, Call)]
    await incoming.accept(*calls)
    errors = [
        {"batch_index": index, **fault._asdict()}
        for index, outcome in enumerate(read)
        if isinstance(outcome, CallRefused)
        for fault in outcome.faults
    ]
    if not errors:
        return done()
    status = 207 if calls else 400
    await note_faults(request, status, errors)
    return json_response({"errors": errors}, status)


def _items(body: Any) -> Sequence[Any]:
    if not isinstance(body, dict):
        raise CallRefused([Fault("invalid", "", "the request must be a JSON object")])
    items = body.get("batch")
    if items is None:
        raise CallRefused([Fault("required", "batch", "batch must be present")])
    if not isinstance(items, list):
        raise CallRefused([Fault("invalid", "batch", "batch must be an array")])
    return items


def _read(item: Any, rules: Rules) -> Call | CallRefused:
    try:
        return track.entity(item, rules)
    except CallRefused as refusal:
        return refusal


async def _check_reports(request: Request, workspace_id: int, read: list[Call | CallRefused]) -> None:
    """Refuse, in place, the reports of what deliveries of their channel never do."""
    reports = {
        place: operation
        for place, call in enumerate(read)
        if isinstance(call, Call)
        for operation in call.operations
        if isinstance(operation, ReportDelivery)
    }
    if not reports:
        return
    wanted = {operation.delivery_id for operation in reports.values()}
    channels = await reporting.channels(parts(request).db, workspace_id, wanted)
    for place, operation in reports.items():
        channel = channels.get(operation.delivery_id)
        try:
            if channel is not None:
                track.check_channel(channel, operation, "name")
        except CallRefused as refusal:
            read[place] = refusal


def _add(path: str, name: str, *, many: bool, shown: bool = False) -> None:
    router.add_api_route(
        path,
        batch if many else one,
        methods=["POST"],
        operation_id=name,
        summary="Many operations" if many else "One operation",
        responses=schemas.BATCH_ANSWERS if many else schemas.V2_ANSWERS,
        include_in_schema=shown,
        openapi_extra=described(("application/json", schemas.BATCH if many else schemas.ENTITY)),
    )


_add("/api/v2/entity", "entity", many=False, shown=True)
_add("/api/v2/batch", "batch", many=True, shown=True)
_add("/v2/entity", "entityBare", many=False)
_add("/v2/batch", "batchBare", many=True)

__all__ = ["router"]
