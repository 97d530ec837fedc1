"""What templates, scripts and paths of a journey can read (MSG-02, ACT-21)."""

from __future__ import annotations

from typing import Any

from ingest.catalog import Campaign
from ingest.unit import Person
from rendering.context import NOBODY, CampaignNames, MessageNames, message_context
from store.journeys import JourneyRow


def variables_of(
    campaign: Campaign,
    person: Person | None,
    journey: JourneyRow,
    *,
    message: MessageNames | None = None,
    delivery: str | None = None,
    unsubscribe: str | None = None,
) -> dict[str, Any]:
    """The variables at a block of a journey; where nobody travels, `customer` says nothing to every question (CMP-09)."""
    travels = campaign.definition.trigger.has_person
    return message_context(
        customer=person.profile if travels and person is not None else {} if travels else NOBODY,
        event=journey.trigger.get("event"),
        trigger=journey.trigger.get("data"),
        journey=journey.attributes,
        journey_id=journey.journey_id,
        campaign=CampaignNames(campaign.id, campaign.key, campaign.name, campaign.definition.trigger.type),
        message=message,
        delivery_id=delivery,
        unsubscribe_url=unsubscribe,
    )


__all__ = ["variables_of"]
