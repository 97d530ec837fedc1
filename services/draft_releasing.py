"""Letting go of a draft, or of a delivery that did not come about: consent and content as of now, then the ordinary way out."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from domain import consent
from domain.deliveries import Event, apply
from domain.drafts import RETRIED_FROM
from domain.errors import DomainError
from ingest.records import RECIPIENT
from rendering.errors import SenderNotOurs
from services.delivery_figures import reached
from services.delivery_making import trapped
from services.draft_rendering import HeldDelivery, render_again
from services.messages import MESSAGE_KINDS
from services.transactional.attempts import over
from store import deliveries as store
from store import drafts
from store.deliveries import DeliveryRow

BLOCK_GONE = "The block it was made by is gone"


def is_draft(row: DeliveryRow) -> bool:
    """Whether it waits for somebody to send it."""
    return row.draft and row.status == "drafted"


def can_be_retried(row: DeliveryRow) -> bool:
    """Whether it did not come about, so that it can be tried again by hand."""
    return not row.draft and row.status in RETRIED_FROM


async def let_go(
    held: HeldDelivery, now: datetime, link_base_url: str, *, link_tracking: bool | None = None
) -> DeliveryRow:
    """Send a draft, or try again what did not come about, as things stand now; handing it over is asked for at once.

    Neither trigger nor filters nor exit are looked at. Raises DomainError `invalid_state` where nothing is left to render.
    """
    if not held.to_be_delivered:
        return await _queued(held, now)
    if held.row.holdout:
        return await _trapped(held, now)
    gone = "There is nothing to make it of any more: its campaign or block is gone."
    again = render_again(held, now, link_base_url, edits=held.edits, link_tracking=link_tracking)
    if again is None and (not held.row.draft or not _is_whole(held)):
        raise DomainError("invalid_state", gone)
    row, document = (held.row, held.document) if again is None else (again.row, again.document)
    failure = None if again is None or again.failure is None else str(again.failure)
    failed: Event = "undeliverable" if again is not None and isinstance(again.failure, SenderNotOurs) else "failed"
    refused = _refusal(held)
    if refused is not None:
        # What it would have said is kept as it was.
        return await _settled(held, held.row, None, event="undeliverable", failure=refused, now=now)
    if failure is not None:
        return await _settled(held, row, document, event=failed, failure=failure, now=now)
    return await _settled(held, row, document, event="queued", failure=None, now=now)


async def _queued(held: HeldDelivery, now: datetime) -> DeliveryRow:
    """Have an action carried out by those who may take their time."""
    row = _fresh(held.row, now)
    await store.save(held.unit.conn, row)
    await drafts.ask(held.unit.conn, row.workspace_id, [(row.delivery_id, now)])
    return row


async def _trapped(held: HeldDelivery, now: datetime) -> DeliveryRow:
    """Count a holdout as sent, where its person could have got a message; nothing is made, and nothing leaves (ACT-19)."""
    refused = _refusal(held)
    if refused is not None:
        return await _settled(held, held.row, None, event="undeliverable", failure=refused, now=now)
    row = trapped(_fresh(held.row, now), now)
    await store.save(held.unit.conn, row)
    await drafts.ask_no_more(held.unit.conn, row.workspace_id, row.delivery_id)
    await reached(held.unit, row, [name for name in row.metrics if name not in held.row.metrics], RECIPIENT)
    return row


async def _settled(
    held: HeldDelivery,
    row: DeliveryRow,
    document: dict[str, Any] | None,
    *,
    event: Event,
    failure: str | None,
    now: datetime,
) -> DeliveryRow:
    conn = held.unit.conn
    row = _fresh(row, now)
    change = apply(row.status, row.metrics, event, now, row.channel)  # type: ignore[arg-type]
    waits = now if event == "queued" else None
    row = replace(row, status=change.status, metrics=change.metrics, failure_message=failure, held_until=waits)
    await store.save(conn, row)
    if document is not None:
        await drafts.write(conn, row, document)
    if waits is not None:
        await store.schedule(conn, row, waits)
    await drafts.ask_no_more(conn, row.workspace_id, row.delivery_id)
    await reached(held.unit, row, change.reached, *([RECIPIENT] if held.row.draft else []))
    await over(held.unit, row)
    return row


def _fresh(row: DeliveryRow, now: datetime) -> DeliveryRow:
    """The delivery as one that nobody has tried to hand over since."""
    change = apply(row.status, row.metrics, "queued", now, row.channel)  # type: ignore[arg-type]
    return replace(
        row,
        status=change.status,
        draft=False,
        failure_message=None,
        handed_over_at=None,
        held_until=None,
        provider_ref=None,
        ambiguous=False,
    )


def _refusal(held: HeldDelivery) -> str | None:
    """Why it must not go out now."""
    if held.block is not None:
        return held.refusal()
    if held.row.channel not in consent.GLOBAL_CHANNELS:
        return None
    profile = held.person.profile if held.person is not None else None
    return consent.refusal(held.row.channel, "subscribed", profile, held.catalog.settings.sending)


def _is_whole(held: HeldDelivery) -> bool:
    """Whether the draft holds a message that can be sent as it is."""
    try:
        MESSAGE_KINDS[held.row.channel].restored(held.document)
    except (ValueError, LookupError):
        return False
    return True


__all__ = ["BLOCK_GONE", "can_be_retried", "is_draft", "let_go"]
