"""What templates, scripts and paths of a journey can read (MSG-02, ACT-21)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from domain import consent
from domain.blocks import DeliveringBlock, MessageBlock
from domain.journey_attributes import present
from ingest.belongings import thing_of
from ingest.catalog import Campaign, Catalog
from ingest.person import Thing
from ingest.unit import Person
from rendering.context import NOBODY, CampaignNames, MessageNames, message_context, with_content
from rendering.missing import BLANK
from rendering.snippets import Snippets
from rendering.tags import URL_PARAMETERS
from store.journeys import JourneyRow


def variables_of(
    catalog: Catalog,
    campaign: Campaign,
    person: Person | None,
    journey: JourneyRow,
    *,
    message: MessageNames | None = None,
    delivery: str | None = None,
    unsubscribe: str | None = None,
    view: str | None = None,
) -> dict[str, Any]:
    """The variables at a block of a journey; where nobody travels, `customer` says nothing to every question (CMP-09)."""
    trigger = campaign.definition.trigger
    thing = thing_of(person, journey) if person is not None else None
    context = message_context(
        customer=_customer(person, thing) if trigger.has_person else NOBODY,
        event=journey.trigger.get("event"),
        trigger=journey.trigger.get("data"),
        journey=present(journey.attributes),
        journey_id=journey.journey_id,
        campaign=CampaignNames(campaign.id, campaign.key, campaign.name, trigger.type),
        objects=(person.objects if person is not None else None) or {},
        thing=thing,
        message=message,
        delivery_id=delivery,
        unsubscribe_url=unsubscribe,
        view_url=view,
        snippets=Snippets(catalog.snippets),
    )
    if catalog.settings.url_parameters:
        context[URL_PARAMETERS] = catalog.settings.url_parameters
    if getattr(campaign.definition, "lenient", False):
        context[BLANK] = True
    return context


def saying(context: dict[str, Any], campaign: Campaign, block: DeliveringBlock, content: Any) -> dict[str, Any]:
    """The variables with what is known of the message that a block sends, once it is chosen (MSG-04)."""
    own = block.subscription if isinstance(block, MessageBlock) else "inherit"
    everyone = consent.effective(own, campaign.definition.subscription) == "everyone"
    return with_content(context, content, to_everyone=everyone)


def _customer(person: Person | None, thing: Thing | None) -> Mapping[str, Any]:
    """The person, with what is said now of their relationship to the object that triggered the journey (CMP-07)."""
    if person is None:
        return {}
    if thing is None or thing.relationship is None:
        return person.profile
    return {**person.profile, "_relationship": thing.relationship}


__all__ = ["saying", "variables_of"]
