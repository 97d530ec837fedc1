"""The verbs of a broadcast's life, and those of its triggers (CHN-15, CHN-22)."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import ValidationError

from api import bodies
from api.app_api import broadcast_shapes as shapes
from api.app_api.references import named
from api.deps import Db, Now, ProcessParts, Writing, WritingLive
from api.errors import json_response
from api.management import schemas
from api.management.answers import errors
from api.paths import reference
from domain.definitions.broadcast import SendRate
from domain.errors import InvalidInput, Problem
from domain.problems import from_validation_error
from services.broadcasts import control, life, reading

router = APIRouter(tags=["Lifecycle"])


@router.post(
    "/v1/broadcasts/{broadcast}/start",
    operation_id="startBroadcast",
    summary="Start a broadcast so that it accepts triggers",
    response_model=schemas.Status,
    responses=errors(404, 409, 422),
)
async def start(db: Db, inside: WritingLive, now: Now, broadcast: str) -> Response:
    """From draft or stopped. Triggering is `POST /v1/campaigns/{id}/triggers`."""
    return json_response(await life.start(db, inside.workspace_id, reference(broadcast), now))


@router.post(
    "/v1/broadcasts/{broadcast}/stop",
    operation_id="stopBroadcast",
    summary="Stop a broadcast",
    response_model=schemas.Status,
    responses=errors(404, 409),
)
async def stop(db: Db, inside: WritingLive, broadcast: str) -> Response:
    """Later triggers are refused with 422; triggers already queued run to their end."""
    return json_response(await life.stop(db, inside.workspace_id, reference(broadcast)))


@router.post(
    "/v1/broadcasts/{broadcast}/archive",
    operation_id="archiveBroadcast",
    summary="Archive a broadcast",
    response_model=schemas.Status,
    responses=errors(404, 409),
)
async def archive(db: Db, inside: WritingLive, *, now: Now, parts: ProcessParts, broadcast: str) -> Response:
    """Deletes its drafts and makes the document read-only. Refused while triggers are not over."""
    answer = await life.archive(db, inside.workspace_id, reference(broadcast), now)
    parts.notifier.send("tasks")
    return json_response(answer)


@router.post(
    "/v1/broadcasts/{broadcast}/unarchive",
    operation_id="unarchiveBroadcast",
    summary="Bring an archived broadcast back as stopped",
    response_model=schemas.Status,
    responses=errors(404, 409),
)
async def unarchive(db: Db, inside: WritingLive, broadcast: str) -> Response:
    """Archived segments that it uses stay so; a start tells of them."""
    return json_response(await life.unarchive(db, inside.workspace_id, reference(broadcast)))


@router.post(
    "/v1/broadcasts/{broadcast}/duplicate",
    operation_id="duplicateBroadcast",
    summary="Copy into a new draft",
    status_code=201,
    response_model=schemas.DefinitionRecord,
    responses=errors(404, 409, 422),
    openapi_extra=bodies.schema(schemas.CopyBody, required=False),
)
async def duplicate(request: Request, db: Db, inside: Writing, now: Now, broadcast: str) -> Response:
    """Without `name` it is called `[COPY] ` and the name of the original; `key` is derived from it."""
    body = await bodies.optional(request)
    return json_response(await life.duplicate(db, inside.workspace_id, reference(broadcast), body, now), 201)


@router.post(
    "/v1/broadcasts/{broadcast}/triggers/{trigger_id}/pause",
    operation_id="pauseTrigger",
    summary="Pause a trigger",
    response_model=shapes.TriggerAnswer,
    responses=errors(400, 404, 409),
)
async def pause(db: Db, inside: WritingLive, now: Now, broadcast: str, trigger_id: str) -> Response:
    """Nobody further is seen to; what has been made is sent. It keeps its place in the queue."""
    key = await reading.key_of(db, inside.workspace_id, named(broadcast), trigger_id, now)
    return json_response({"trigger": reading.in_short(await control.pause(db, key))})


@router.post(
    "/v1/broadcasts/{broadcast}/triggers/{trigger_id}/resume",
    operation_id="resumeTrigger",
    summary="Let a paused trigger go on",
    response_model=shapes.TriggerAnswer,
    responses=errors(400, 404, 409),
)
async def resume(
    db: Db, inside: WritingLive, *, now: Now, parts: ProcessParts, broadcast: str, trigger_id: str
) -> Response:
    """With whom it had not seen to yet, as its audience was when it was frozen."""
    key = await reading.key_of(db, inside.workspace_id, named(broadcast), trigger_id, now)
    row = await control.resume(db, key)
    parts.notifier.send("outbox")
    return json_response({"trigger": reading.in_short(row)})


@router.post(
    "/v1/broadcasts/{broadcast}/triggers/{trigger_id}/cancel",
    operation_id="cancelTrigger",
    summary="End a trigger",
    response_model=shapes.TriggerAnswer,
    responses=errors(400, 404, 409),
)
async def cancel(
    db: Db, inside: WritingLive, *, now: Now, parts: ProcessParts, broadcast: str, trigger_id: str
) -> Response:
    """Nobody further is seen to, and messages not yet handed over become undeliverable."""
    key = await reading.key_of(db, inside.workspace_id, named(broadcast), trigger_id, now)
    row = await control.cancel(db, key, now)
    parts.notifier.send("outbox")
    return json_response({"trigger": reading.in_short(row)})


@router.put(
    "/v1/broadcasts/{broadcast}/triggers/{trigger_id}/send_rate",
    operation_id="putTriggerSendRate",
    summary="Change how fast a trigger sends",
    response_model=shapes.TriggerAnswer,
    responses=errors(400, 404, 409, 422),
    openapi_extra=bodies.schema(shapes.RateBody),
)
async def set_rate(
    request: Request, db: Db, inside: WritingLive, *, now: Now, parts: ProcessParts, broadcast: str, trigger_id: str
) -> Response:
    """Recipients in a period at most, spread evenly; `null` for as fast as it goes. Later triggers are not concerned."""
    asked = _rate(await bodies.json_value(request, bodies.MANAGEMENT_LIMIT))
    key = await reading.key_of(db, inside.workspace_id, named(broadcast), trigger_id, now)
    row = await control.set_rate(db, key, asked)
    parts.notifier.send("outbox")
    return json_response({"trigger": reading.in_short(row)})


def _rate(raw: Any) -> SendRate | None:
    """The rate of a body: `{"send_rate": {"limit", "per"} | null}`; raises InvalidInput."""
    if not isinstance(raw, dict) or set(raw) != {"send_rate"}:
        message = 'Send {"send_rate": {"limit": 1000, "per": "minute"}}, or null for none.'
        raise InvalidInput([Problem(code="required", pointer="/send_rate", message=message)])
    if raw["send_rate"] is None:
        return None
    try:
        return SendRate.model_validate(raw["send_rate"])
    except ValidationError as error:
        raise InvalidInput(from_validation_error(error, raw["send_rate"], "/send_rate")) from None


__all__ = ["router"]
