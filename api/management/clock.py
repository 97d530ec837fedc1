"""The clock of a workspace: read, set, moved; and waiting until everything due has happened."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from api import bodies
from api.deps import Db, Definitions, ProcessParts, Reading, WritingLive
from api.errors import json_response
from api.management import schemas
from api.management.answers import errors
from clock import system_now
from services import clock

router = APIRouter(tags=["Sandbox"])

_UNSETTLED: dict[int | str, dict[str, Any]] = {
    504: {"model": schemas.Unsettled, "description": "Not settled in time; the call may be repeated."}
}


@router.get(
    "/v1/clock",
    operation_id="getClock",
    summary="What time it is in this workspace",
    response_model=schemas.Clock,
    responses=errors(404),
)
async def get(db: Db, catalogs: Definitions, inside: Reading) -> Response:
    """Real time outside a sandbox."""
    return json_response(await clock.now_of(db, catalogs, inside.workspace_id, system_now))


@router.post(
    "/v1/clock",
    operation_id="setClock",
    summary="Set the starting time of a fresh sandbox",
    response_model=schemas.Clock,
    responses=errors(404, 409, 422),
    openapi_extra=bodies.schema(schemas.ClockBody),
)
async def set_start(request: Request, db: Db, catalogs: Definitions, inside: WritingLive) -> Response:
    """Refused with `clock_in_use` once the workspace holds a person, an event or a journey."""
    body = await bodies.optional(request)
    return json_response(await clock.set_start(db, catalogs, inside.workspace_id, body, system_now))


@router.post(
    "/v1/clock/advance",
    operation_id="advanceClock",
    summary="Move the test clock forward and let everything due happen in order",
    response_model=schemas.ClockReport,
    responses={**errors(404, 409, 422), **_UNSETTLED},
    openapi_extra=bodies.schema(schemas.AdvanceBody),
)
async def advance(
    request: Request, db: Db, catalogs: Definitions, inside: WritingLive, parts: ProcessParts
) -> Response:
    """Settles, then visits every instant at which something is due, in order, settling at each."""
    body = await bodies.optional(request)
    report = await clock.advance(db, catalogs, parts.notifier, inside.workspace_id, body, clock=system_now)
    return json_response(report)


@router.post(
    "/v1/clock/settle",
    operation_id="settle",
    summary="Wait until nothing is runnable at the present instant",
    response_model=schemas.ClockReport,
    responses={**errors(404, 409, 422), **_UNSETTLED},
    openapi_extra=bodies.schema(schemas.SettleBody, required=False),
)
async def settle(request: Request, db: Db, catalogs: Definitions, inside: WritingLive, parts: ProcessParts) -> Response:
    """In every workspace; timers in the future do not count."""
    body = await bodies.optional(request)
    report = await clock.settle(db, catalogs, parts.notifier, inside.workspace_id, body, clock=system_now)
    return json_response(report)


__all__ = ["router"]
