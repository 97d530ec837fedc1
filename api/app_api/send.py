"""Transactional sends: one message to one person for each call (CHN-02, APP-02)."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Header, Request, Response

from api import bodies
from api.app_api.send_errors import errors
from api.app_api.send_shapes import Accepted, EmailBody, NumberedBody, PushBody, SendBody
from api.deps import InWorkspace, Sending
from api.deps import parts as parts_of
from api.errors import json_response
from clock import system_now
from domain.sending.call import CHANNELS
from services.transactional.taking import Asking, Taking

MOST_BYTES: Final = 6 * 1024 * 1024
"""How large a call may be with its attachments (CHN-02)."""
IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        description="A call repeated with the same key within 24 hours gets the same answer, and sends nothing.",
    ),
]
router = APIRouter(tags=["Sending"])


def _described(endpoint: str, shape: type[SendBody], summary: str) -> dict[str, Any]:
    return {
        "operation_id": f"send_{endpoint}",
        "summary": summary,
        "response_model": Accepted,
        "responses": errors(),
        "openapi_extra": bodies.schema(shape),
    }


@router.post("/v1/send/email", **_described("email", EmailBody, "Send a transactional email"))
async def send_email(request: Request, inside: Sending, key: IdempotencyKey = None) -> Response:
    """Stored when it is answered; rendered and sent right after, or at `send_at`."""
    return await _take("email", request, inside, key)


@router.post("/v1/send/push", **_described("push", PushBody, "Send a transactional push notification"))
async def send_push(request: Request, inside: Sending, key: IdempotencyKey = None) -> Response:
    """To all devices of the person, unless `to` says otherwise."""
    return await _take("push", request, inside, key)


@router.post("/v1/send/sms", **_described("sms", NumberedBody, "Send a transactional text message"))
async def send_sms(request: Request, inside: Sending, key: IdempotencyKey = None) -> Response:
    """Of a template: a call cannot say what it says."""
    return await _take("sms", request, inside, key)


@router.post("/v1/send/whatsapp", **_described("whatsapp", NumberedBody, "Send a transactional WhatsApp message"))
async def send_whatsapp(request: Request, inside: Sending, key: IdempotencyKey = None) -> Response:
    """Of a template: a call cannot say what it says."""
    return await _take("whatsapp", request, inside, key)


@router.post("/v1/send/in_app", **_described("in_app", SendBody, "Send a transactional in-app message"))
async def send_in_app(request: Request, inside: Sending, key: IdempotencyKey = None) -> Response:
    """Of a template: a call cannot say what it says."""
    return await _take("in_app", request, inside, key)


@router.post(
    "/v1/send/inbox_message", **_described("inbox_message", SendBody, "Send a message to the inbox of a person")
)
async def send_inbox_message(request: Request, inside: Sending, key: IdempotencyKey = None) -> Response:
    """Of a template: a call cannot say what it says."""
    return await _take("inbox_message", request, inside, key)


async def _take(endpoint: str, request: Request, inside: InWorkspace, key: str | None) -> Response:
    # Asked for here, and not as dependencies, each of which would wait for a thread.
    parts, now = parts_of(request), system_now()
    assert parts.sends is not None, "every process that answers calls takes sends"
    taking = Taking(parts.db, parts.catalogs, parts.sends)
    catalog = await taking.ready(inside.workspace_id)
    body = await bodies.read_body(request, MOST_BYTES)
    asking = Asking(inside.workspace_id, CHANNELS[endpoint], f"App API: {inside.caller.name}", key)
    return json_response(await taking.take(catalog, asking, body, now))


__all__ = ["router"]
