"""Making a delivery: consent, then rendering, then the row as it will be stored (CMP-29)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, NamedTuple

from domain import consent
from domain.addresses import Address
from domain.blocks import EmailBlock
from domain.content import EmailMessage
from domain.definitions.layout import LayoutDefinition
from domain.definitions.sender import SenderDefinition
from domain.definitions.settings import Redirect
from domain.deliveries import Event, apply, delivery_id, journey_subject, microseconds
from ingest.catalog import Campaign, Catalog, Entry
from ingest.unit import Person
from rendering.context import CampaignNames, MessageNames, message_context
from rendering.email import Layout, RenderedEmail, SenderIdentity, Surroundings, render_email
from rendering.errors import RenderError
from rendering.links import unsubscribe_url
from store.deliveries import DeliveryRow
from store.journeys import JourneyRow

LAYOUTLESS_EDITORS = frozenset({"drag_and_drop", "design_studio"})


class Made(NamedTuple):
    """A delivery before it is stored: its row, its content, and the message where one came about."""

    row: DeliveryRow
    rendered: Mapping[str, Any]
    email: RenderedEmail | None


def derived_id(catalog: Catalog, journey: JourneyRow, action_id: int) -> str:
    """The id that the delivery of a block of a journey has, whether it exists yet or not."""
    return delivery_id(catalog.workspace.delivery_key, journey_subject(journey.journey_id, action_id))


def context_of(
    campaign: Campaign,
    person: Person | None,
    journey: JourneyRow,
    *,
    message: MessageNames | None = None,
    delivery: str | None = None,
    unsubscribe: str | None = None,
) -> dict[str, Any]:
    """What templates of a journey can read."""
    return message_context(
        customer=person.profile if person is not None else {},
        event=journey.trigger.get("event"),
        journey=journey.attributes,
        journey_id=journey.journey_id,
        campaign=CampaignNames(campaign.id, campaign.key, campaign.name, campaign.definition.trigger.type),
        message=message,
        delivery_id=delivery,
        unsubscribe_url=unsubscribe,
    )


def make_email(
    catalog: Catalog,
    campaign: Campaign,
    block_key: str,
    person: Person | None,
    journey: JourneyRow,
    *,
    now: datetime,
    link_base_url: str,
) -> Made:
    """The delivery of an email block to the journey's person as things stand now."""
    block = campaign.definition.workflow.blocks[block_key]
    assert isinstance(block, EmailBlock), "only email blocks ask for the delivery of an email"
    action_id = campaign.actions[block_key]
    row = _blank(catalog, campaign, block_key, journey, now)
    refused = consent.refusal(
        "email",
        consent.effective(block.subscription, campaign.definition.subscription),
        person.profile if person is not None else None,
        catalog.settings.sending,
    )
    if refused is not None:
        return Made(_after(row, "undeliverable", now, refused), _no_content(None, refused), None)
    context = context_of(
        campaign,
        person,
        journey,
        message=MessageNames(action_id, block.label(block_key), "email_action"),
        delivery=row.delivery_id,
        unsubscribe=unsubscribe_url(link_base_url, row.delivery_id),
    )
    drafted = block.sending_state == "draft"
    if drafted:
        row = _after(replace(row, status="drafted", draft=True), "drafted", now)
    try:
        email = render_email(block.message, _surroundings(catalog, block), context, now)
    except RenderError as error:
        without = replace(row, failure_message=str(error)) if drafted else _after(row, "failed", now, str(error))
        return Made(without, _no_content(error.field, error.message), None)
    email = _redirected(email, catalog.settings.sending)
    return Made(replace(row, recipient=email.recipient.mailbox, subject=email.subject), email.stored(), email)


def _blank(catalog: Catalog, campaign: Campaign, block_key: str, journey: JourneyRow, now: datetime) -> DeliveryRow:
    action_id = campaign.actions[block_key]
    event = journey.trigger.get("event") or {}
    return DeliveryRow(
        workspace_id=catalog.workspace_id,
        delivery_id=derived_id(catalog, journey, action_id),
        channel="email",
        status="queued",
        created_at=now,
        person_id=journey.person_id,
        journey_id=journey.journey_id,
        campaign_id=campaign.id,
        action_id=action_id,
        block=block_key,
        trigger_event_id=event.get("id"),
        metrics={"created": microseconds(now)},
    )


def _after(row: DeliveryRow, event: Event, now: datetime, failure: str | None = None) -> DeliveryRow:
    change = apply(row.status, row.metrics, event, now, row.channel)  # type: ignore[arg-type]
    return replace(row, status=change.status, metrics=change.metrics, failure_message=failure)


def _no_content(field: str | None, message: str) -> dict[str, Any]:
    return {"channel": "email", "fields": {}, "headers": [], "errors": [{"field": field or "", "message": message}]}


def _redirected(email: RenderedEmail, sending: consent.Sending) -> RenderedEmail:
    """The message to the test address instead, without copies, where the workspace says so (OUT-26)."""
    if not isinstance(sending, Redirect):
        return email
    return replace(email, recipient=Address(sending.test_address, email.recipient.name), bcc=())


def _surroundings(catalog: Catalog, block: EmailBlock) -> Surroundings:
    message = block.message
    layout = None
    if message.editor not in LAYOUTLESS_EDITORS and message.layout is not None:
        own = message.layout_reference
        found = _chosen(catalog, "layout", own) if own is not None else _usual(catalog.layouts)
        if found is not None and isinstance(found.definition, LayoutDefinition):
            layout = Layout(found.id, found.definition.name, found.definition.body)
    return Surroundings(_sender(catalog, message), layout, catalog.settings.url_parameters)


def _sender(catalog: Catalog, message: EmailMessage) -> SenderIdentity | None:
    """The message's own sender, else the workspace's default, else the oldest."""
    if message.from_ is not None:
        return None
    if message.sender is not None:
        entry: Entry | None = _chosen(catalog, "sender", message.sender)
    else:
        entry = _usual(catalog.senders) or next(iter(catalog.senders), None)
    if entry is None or not isinstance(entry.definition, SenderDefinition):
        return None
    return SenderIdentity(entry.definition.email, entry.definition.name)


def _usual(entries: Sequence[Entry]) -> Entry | None:
    """The one that says it is the default; of several, the oldest."""
    return next((entry for entry in entries if getattr(entry.definition, "default", False)), None)


def _chosen(catalog: Catalog, kind: str, ref: str | int) -> Entry:
    entry = catalog.find(kind, ref)
    if entry is None:
        raise RenderError(f"There is no {kind} {ref!r}", kind)
    return entry


__all__ = ["Made", "context_of", "derived_id", "make_email"]
