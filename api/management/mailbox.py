"""The mailbox: exactly what would have left, as a list and as it went over the wire, and rules for failing."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response

from api import bodies
from api.deps import Db, Reading, ReadingSensitive, Writing
from api.errors import json_response
from api.management import shapes
from api.management.answers import errors
from api.management.parameters import Customer, Limit, NamedBy, Start, UnixTime
from services.looking import faults
from services.looking import mailbox as looking
from services.looking.mailbox import Channel

router = APIRouter(tags=["Sandbox"])
SourceKey = Annotated[
    str | None,
    Query(max_length=64, description="The key of what it comes of; `uncategorized` for sends without a template."),
]
PREFIX = "/v1/mailbox"


@router.get(
    PREFIX,
    operation_id="listMailbox",
    summary="Exactly what would have left the platform",
    response_model=shapes.Mailbox,
    responses=errors(),
)
async def list_mailbox(
    db: Db,
    inside: ReadingSensitive,
    *,
    to: Annotated[str | None, Query(max_length=512, description="An address; case-insensitive, exact.")] = None,
    channel: Annotated[Channel | None, Query()] = None,
    include: Annotated[Literal["refused"] | None, Query(description="Adds refused attempts.")] = None,
    customer: Customer = None,
    id_type: NamedBy = "id",
    since: UnixTime = None,
    until: UnixTime = None,
    campaign: SourceKey = None,
    broadcast: SourceKey = None,
    transactional: SourceKey = None,
    start: Start = None,
    limit: Limit = 50,
) -> Response:
    """Oldest first; `since` and `until` include the second they name."""
    query = looking.MailboxQuery(
        to=to,
        channel=channel,
        include=include,
        customer=customer,
        id_type=id_type,
        since=since,
        until=until,
        campaign=campaign,
        broadcast=broadcast,
        transactional=transactional,
    )
    return json_response(await looking.page(db, inside.workspace_id, query, start=start, limit=limit))


@router.delete(PREFIX, operation_id="clearMailbox", summary="Empty the mailbox", status_code=204, responses=errors())
async def clear_mailbox(db: Db, inside: Writing) -> Response:
    """Captured messages are gone; deliveries stay."""
    await faults.clear(db, inside.workspace_id)
    return Response(status_code=204)


@router.get(
    f"{PREFIX}/faults",
    operation_id="getFaults",
    summary="Rules by which the capture provider misbehaves",
    response_model=faults.Faults,
    responses=errors(),
)
async def get_faults(db: Db, inside: Reading) -> Response:
    """Rules in order, each with the uses it has left; used-up ones are gone."""
    return json_response(await faults.rules(db, inside.workspace_id))


@router.put(
    f"{PREFIX}/faults",
    operation_id="putFaults",
    summary="Replace the fault rules",
    response_model=faults.Faults,
    responses=errors(409, 422),
    openapi_extra=bodies.schema(faults.Faults),
)
async def put_faults(request: Request, db: Db, inside: Writing) -> Response:
    """The first rule that fits a hand-off and has uses left decides its outcome. In a sandbox only."""
    wanted = await bodies.model(request, faults.Faults)
    return json_response(await faults.replace(db, inside.workspace_id, wanted))


@router.get(
    f"{PREFIX}/{{captured_id}}/raw",
    operation_id="getRawMessage",
    summary="The message as it would have gone over the wire",
    response_class=Response,
    responses={**errors(404), 200: {"content": {"message/rfc822": {}}, "description": "MIME source."}},
)
async def get_raw(db: Db, inside: ReadingSensitive, captured_id: str) -> Response:
    """MIME source of an email."""
    source, kind = await looking.raw(db, inside.workspace_id, captured_id)
    return Response(source, 200, {"X-Content-Type-Options": "nosniff"}, kind)


__all__ = ["router"]
