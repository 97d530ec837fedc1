"""Transactional messages, as calls that send them may look them up (APP-08)."""

from __future__ import annotations

from fastapi import APIRouter, Response
from pydantic import Field

from api.app_api.references import named
from api.deps import Db, Reading
from api.errors import json_response
from api.management.answers import errors
from api.management.schemas import Answer
from services.looking import transactional as looking

router = APIRouter(tags=["Transactional"])


class TransactionalMessage(Answer):
    """A template with its settings; what is sent without one has the id 1 and no key."""

    id: int
    key: str | None
    name: str
    description: str
    channel: str | None
    trigger_name: str | None = Field(description="What calls may name it by, beside its id.")
    created_at: int
    updated_at: int
    send_to_unsubscribed: bool
    link_tracking: bool
    open_tracking: bool
    hide_message_body: bool
    queue_drafts: bool


class TransactionalAnswer(Answer):
    """One template."""

    message: TransactionalMessage


class TransactionalMessages(Answer):
    """Every template, oldest first."""

    messages: list[TransactionalMessage]


@router.get(
    "/v1/transactional",
    operation_id="listTransactional",
    summary="List transactional messages",
    response_model=TransactionalMessages,
    responses=errors(),
)
async def list_transactional(db: Db, inside: Reading) -> Response:
    """Oldest first; the first one stands for what was sent without a template, where anything was."""
    return json_response(await looking.list_all(db, inside.workspace_id))


@router.get(
    "/v1/transactional/{transactional}",
    operation_id="getTransactional",
    summary="One transactional message",
    response_model=TransactionalAnswer,
    responses=errors(404),
)
async def get_transactional(db: Db, inside: Reading, transactional: str) -> Response:
    """Its settings, without what it says."""
    return json_response(await looking.one(db, inside.workspace_id, named(transactional)))


__all__ = ["router"]
