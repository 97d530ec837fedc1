"""The row and the content that every delivery of a journey's block begins with, whoever fills them (SUB-20)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from domain.deliveries import delivery_id, journey_subject, microseconds
from domain.drafts import ATTRIBUTES
from ingest.catalog import Campaign, Catalog
from services.passages import Passage
from store.deliveries import DeliveryRow
from store.journeys import JourneyRow
from telemetry import tracing


def derived_id(catalog: Catalog, journey: JourneyRow, action_id: int) -> str:
    """The id that the delivery of a block of a journey has, whether it exists yet or not."""
    if isinstance(journey, Passage):
        return journey.delivery_of(catalog, action_id)
    return delivery_id(catalog.workspace.delivery_key, journey_subject(journey.journey_id, action_id))


def new_row(catalog: Catalog, campaign: Campaign, block_key: str, journey: JourneyRow, now: datetime) -> DeliveryRow:
    """A delivery of the block as it is before anything was done about it, on no channel yet."""
    action_id = campaign.actions[block_key]
    event = journey.trigger.get("event") or {}
    row = DeliveryRow(
        workspace_id=catalog.workspace_id,
        delivery_id=derived_id(catalog, journey, action_id),
        channel="",
        status="queued",
        created_at=now,
        person_id=journey.person_id or None,
        journey_id=journey.journey_id,
        campaign_id=campaign.id,
        action_id=action_id,
        block=block_key,
        trigger_event_id=event.get("id"),
        metrics={"created": microseconds(now)},
        traceparent=tracing.current(),
    )
    if isinstance(journey, Passage):
        row.journey_id, row.trigger_no, row.recipient_no = None, journey.trigger_no, journey.recipient_no
        if journey.trigger_no is not None:
            # The trigger is traced, not each of its many messages.
            row.traceparent = None
        if journey.transactional_id is not None:
            row.campaign_id = row.action_id = row.block = None
            row.transactional_id = journey.transactional_id
    return row


def keeping(document: Mapping[str, Any], journey: JourneyRow) -> dict[str, Any]:
    """The document with what its journey knows, by which it can be rendered again when the journey is over."""
    return {**document, ATTRIBUTES: journey.attributes} if journey.attributes else dict(document)


__all__ = ["derived_id", "keeping", "new_row"]
