"""Sender identities (APP-17)."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from api.app_api.references import named
from api.deps import Db, Reading
from api.errors import json_response
from api.management.answers import errors
from api.management.parameters import Size, Start
from api.management.schemas import Answer
from services import senders
from services.senders import Order

router = APIRouter(tags=["Messages"])


class SenderIdentity(Answer):
    """Who messages come from, with the key of its definition."""

    id: int
    key: str
    deduplicate_id: str
    name: str
    email: str
    address: str
    template_type: str
    auto_generated: bool
    hidden: bool
    phone: str | None = None


class SenderIdentities(Answer):
    """One page; `next` is empty after the last one."""

    sender_identities: list[SenderIdentity]
    next: str


class OneSender(Answer):
    """One sender."""

    sender_identity: SenderIdentity


class SenderUses(Answer):
    """What names a sender, by ids."""

    campaigns: list[int]
    sent_newsletters: list[int]
    draft_newsletters: list[int]
    broadcasts: list[int]
    transactional: list[int]


@router.get(
    "/v1/sender_identities",
    operation_id="listSenderIdentities",
    summary="List senders",
    response_model=SenderIdentities,
    responses=errors(),
)
async def listed(
    db: Db,
    inside: Reading,
    *,
    start: Start = None,
    limit: Size = 50,
    sort: Order = "asc",
    hidden: Annotated[bool | None, Query(description="Only those that are hidden, or only those that are not.")] = None,
) -> Response:
    """By id."""
    answer = await senders.page(db, inside.workspace_id, start=start, limit=limit, order=sort, hidden=hidden)
    return json_response(answer)


@router.get(
    "/v1/sender_identities/{sender}",
    operation_id="getSenderIdentity",
    summary="One sender",
    response_model=OneSender,
    responses=errors(404),
)
async def one(db: Db, inside: Reading, sender: str) -> Response:
    """Named by its id, or by the key of its definition."""
    return json_response(await senders.get(db, inside.workspace_id, named(sender)))


@router.get(
    "/v1/sender_identities/{sender}/used_by",
    operation_id="getSenderIdentityUses",
    summary="What names a sender",
    response_model=SenderUses,
    responses=errors(404),
)
async def used_by(db: Db, inside: Reading, sender: str) -> Response:
    """Campaigns, broadcasts and transactional messages, each by its id."""
    return json_response(await senders.used_by(db, inside.workspace_id, named(sender)))


__all__ = ["router"]
