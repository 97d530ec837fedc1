"""The Data In log: what came in, from where, and what became of it (API-40); events sent again (PPL-17)."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Response
from pydantic import Field

from api.deps import Db, Now, ProcessParts, Reading, WritingLive
from api.errors import json_response
from api.management.answers import errors
from api.management.parameters import Customer, NamedBy, Start
from api.management.schemas import Answer
from services.looking import data_in as looking
from services.looking.data_in import DEFAULT, MOST, DataInQuery, Status

router = APIRouter(tags=["Data in"])

Limit = Annotated[int, Query(ge=1, description=f"How many at most; {MOST} is the end.")]
OfStatus = Annotated[Status | None, Query(description="What became of a call.")]
OfOperation = Annotated[str | None, Query(max_length=64, description="The kind of operation, such as `identify`.")]
CallId = Annotated[str, Path(max_length=32)]


class DataIn(Answer):
    """One call: an accepted operation, or the beginning of what was refused."""

    id: str
    seq: int | None = Field(description="The place in the order of acceptance; null where the call was refused.")
    status: Status
    source: str
    op: str | None
    identifiers: list[dict[str, str]]
    cio_id: str | None = Field(description="The person it was about, once known.")
    received_at: int
    applied_at: int | None
    note: str | None
    body: Any = Field(None, description="The operation; of a refused call the first KB as text.")
    path: str | None = None
    http_status: int | None = None


class DataInPage(Answer):
    """One page, newest first."""

    data_in: list[DataIn]
    next: str


class DataInAnswer(Answer):
    """One call."""

    data_in: DataIn


@router.get(
    "/v1/data_in",
    operation_id="listDataIn",
    summary="What came in, and what became of it",
    response_model=DataInPage,
    responses=errors(),
)
async def listed(
    db: Db,
    inside: Reading,
    *,
    status: OfStatus = None,
    source: Annotated[str | None, Query(max_length=500, description="A source, or its label before the colon.")] = None,
    op: OfOperation = None,
    customer_id: Customer = None,
    id_type: NamedBy = "id",
    start: Start = None,
    limit: Limit = DEFAULT,
) -> Response:
    """Thirty days, newest first, refused calls among the others. What suppressed people sent is hidden."""
    query = DataInQuery(status, source, op, customer_id, id_type)
    return json_response(await looking.page(db, inside.workspace_id, query, start=start, limit=limit))


@router.get(
    "/v1/data_in/{call}",
    operation_id="getDataIn",
    summary="One call that came in",
    response_model=DataInAnswer,
    responses=errors(404),
)
async def get(db: Db, inside: Reading, call: CallId) -> Response:
    """By its `seq`, a refused one by its `id`."""
    return json_response(await looking.one(db, inside.workspace_id, call))


@router.post(
    "/v1/data_in/{call}/resend",
    operation_id="resendDataIn",
    summary="Have an event happen again, now",
    status_code=202,
    responses=errors(404, 422),
)
async def resend(db: Db, inside: WritingLive, parts: ProcessParts, now: Now, call: CallId) -> Response:
    """A new event with the same name and data: it counts, and it starts journeys. It has no id that would dedupe it."""
    event = await looking.event_again(db, inside.workspace_id, call)
    await parts.acceptor.append(inside.workspace_id, [event], f"Resend: {inside.caller.name}", now)
    return json_response({}, 202)


@router.get(
    "/admin/sources/{credential_id}/log",
    operation_id="listDataInOfSource",
    summary="What came in with one credential",
    response_model=DataInPage,
    responses=errors(404),
)
async def of_source(
    db: Db,
    inside: Reading,
    credential_id: Annotated[int, Path(ge=1, le=2**31 - 1)],
    *,
    status: OfStatus = None,
    op: OfOperation = None,
    start: Start = None,
    limit: Limit = DEFAULT,
) -> Response:
    """The same log for one source, found by the credential's present name."""
    source = await looking.source_of(db, inside.workspace_id, credential_id)
    query = DataInQuery(status, source, op)
    return json_response(await looking.page(db, inside.workspace_id, query, start=start, limit=limit))


__all__ = ["router"]
