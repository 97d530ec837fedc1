"""Triggering broadcasts and looking how that goes (APP-03, CHN-16 to CHN-21)."""

from __future__ import annotations

import functools
import logging
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response, Security

from api import app_errors, bodies
from api.app_api import broadcast_shapes as shapes
from api.app_api.references import named
from api.deps import Db, InWorkspace, Now, ProcessParts, Reading, member
from api.errors import json_response
from api.management.answers import errors
from api.management.parameters import Size, Start
from api.management.schemas import Errors
from clock import system_now
from domain.broadcasts.faults import NOT_JSON, CallRefused, Fault
from domain.errors import DomainError
from ingest.parse import parse_json
from services.broadcasts import reading, triggering

logger = logging.getLogger("sojourn.api")

router = APIRouter(tags=["Broadcasts"])

LIMIT = bodies.MANAGEMENT_LIMIT
"""How large a body may be: 10 MB (CHN-16)."""
TOO_MANY: dict[int | str, dict[str, Any]] = {
    429: {"model": Errors, "description": "Its turn has not come; `Retry-After` says when, in seconds of the clock."}
}
Sending = Annotated[InWorkspace, Security(member, scopes=["send"])]
DESCRIBED = bodies.schema(shapes.TriggerBody, required=False)


@router.post(
    "/v1/campaigns/{broadcast}/triggers",
    operation_id="triggerBroadcast",
    summary="Trigger a broadcast",
    response_model=shapes.Triggered,
    responses=errors(404, 413, 422) | TOO_MANY,
    openapi_extra=DESCRIBED,
)
@router.post("/v1/api/campaigns/{broadcast}/triggers", include_in_schema=False)
async def trigger(
    request: Request, db: Db, inside: Sending, *, now: Now, parts: ProcessParts, broadcast: str
) -> Response:
    """At most one audience; without any, the recipients of the broadcast itself. Answers when it stands in the queue.

    One in ten seconds, and five that are not over, may be asked for of one broadcast. A trigger that is refused with 422
    has a number, too, under which its errors can be read.
    """
    try:
        number = await triggering.trigger(
            db, inside.workspace_id, named(broadcast), functools.partial(_read, request), system_now
        )
    except triggering.TooSoon as refusal:
        headers = {"Retry-After": str(refusal.retry_after)}
        return app_errors.refusal(429, app_errors.referenced(refusal.message), refusal.code, headers)
    except triggering.TriggerRefused as refusal:
        return _refused(refusal)
    except DomainError as error:
        if error.code != "invalid_json":
            raise
        detail = reading.referenced("bad request", now)
        logger.info("A trigger was refused: %s", error.message, extra={"detail": detail})
        return _answer([Fault("invalid_json", "", detail, error.message)], 400)
    parts.notifier.send("outbox")
    return json_response({"id": number})


@router.get(
    "/v1/campaigns/{broadcast}/triggers/{trigger_id}",
    operation_id="getTrigger",
    summary="How a trigger of a broadcast stands",
    response_model=shapes.TriggerStatus,
    responses=errors(400, 404),
)
async def get_trigger(db: Db, inside: Reading, now: Now, broadcast: str, trigger_id: str) -> Response:
    """`trigger_id` is its number, or the `id` that is answered here. `processed_at` is 0 until the audience is known."""
    return json_response(await reading.trigger(db, inside.workspace_id, named(broadcast), trigger_id, now))


@router.get(
    "/v1/campaigns/{broadcast}/triggers/{trigger_id}/errors",
    operation_id="getTriggerErrors",
    summary="The error report of a trigger",
    response_model=shapes.TriggerErrors,
    responses=errors(400, 404),
)
async def get_errors(
    db: Db, inside: Reading, now: Now, broadcast: str, trigger_id: str, *, start: Start = None, limit: Size = 50
) -> Response:
    """`next` is where to go on, 0 after the last line."""
    answer = await reading.errors(
        db, inside.workspace_id, named(broadcast), trigger_id, start=start, limit=limit, real_now=now
    )
    return json_response(answer)


@router.get(
    "/v1/broadcasts",
    operation_id="listBroadcasts",
    summary="All broadcasts",
    response_model=shapes.Broadcasts,
    responses=errors(),
)
async def listed(db: Db, inside: Reading) -> Response:
    """Oldest first, archived ones too."""
    return json_response(await reading.broadcasts(db, inside.workspace_id))


@router.get(
    "/v1/broadcasts/{broadcast}",
    operation_id="getBroadcast",
    summary="One broadcast",
    response_model=shapes.OneBroadcast,
    responses=errors(400, 404),
)
async def one(db: Db, inside: Reading, broadcast: str) -> Response:
    """By key or id; `lifecycle` is its exact state."""
    return json_response(await reading.broadcast(db, inside.workspace_id, named(broadcast)))


@router.get(
    "/v1/broadcasts/{broadcast}/triggers",
    operation_id="listTriggers",
    summary="The triggers of a broadcast",
    response_model=shapes.Triggers,
    responses=errors(400, 404),
)
async def triggers(db: Db, inside: Reading, broadcast: str, *, start: Start = None, limit: Size = 50) -> Response:
    """Newest first."""
    return json_response(await reading.triggers(db, inside.workspace_id, named(broadcast), start=start, limit=limit))


async def _read(request: Request) -> Any:
    """The body; none at all is one that says nothing. Raises CallRefused where it does not say that it is JSON."""
    body = await bodies.read_body(request, LIMIT)
    if bodies.media_type(request) != "application/json" and body.strip():
        raise CallRefused([Fault("type", "", NOT_JSON)])
    return parse_json(body) if body.strip() else {}


def _refused(refusal: triggering.TriggerRefused) -> Response:
    about = {"trigger_id": f"{refusal.broadcast_id}-{refusal.trigger_no}"}
    return _answer(refusal.faults, 422, about)


def _answer(faults: Sequence[Fault], status: int, about: Mapping[str, Any] | None = None) -> Response:
    """A refusal in which `detail` is what the vendor says, and `message` says more where there is more to say."""
    entries: list[dict[str, Any]] = []
    for fault in faults:
        entry: dict[str, Any] = {
            "pointer": fault.pointer,
            "code": fault.code,
            "message": fault.message or fault.detail,
            "detail": fault.detail,
            "status": str(status),
        }
        if fault.pointer:
            entry["source"] = {"pointer": fault.pointer}
        if about:
            entry["meta"] = dict(about)
        entries.append(entry)
    details = dict.fromkeys(fault.detail for fault in faults)
    return json_response({"errors": entries, "meta": {"error": "; ".join(details)}}, status)


__all__ = ["router"]
