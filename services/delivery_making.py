"""Making a delivery: the arm, then consent, then the trap of holdouts, then rendering, then the row to be stored (CMP-29)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from domain import consent
from domain.blocks import DeliveringBlock, MessageBlock
from domain.blocks.message import Arm
from domain.deliveries import Event, apply
from domain.languages import choose
from ingest.catalog import Campaign, Catalog
from ingest.unit import Person
from rendering.context import MessageNames
from rendering.errors import RenderError, SenderNotOurs
from rendering.links import unsubscribe_url, view_url
from services.delivery_rows import keeping, new_row
from services.messages import MESSAGE_KINDS, Making, Rendered
from services.passages import Passage
from services.variables import saying, variables_of
from store.deliveries import DeliveryRow, changed
from store.journeys import JourneyRow


class Made(NamedTuple):
    """A delivery before it is stored: its row, its content, and the message where one came about."""

    row: DeliveryRow
    rendered: Mapping[str, Any]
    message: Rendered | None


def make_message(
    catalog: Catalog,
    campaign: Campaign,
    block_key: str,
    person: Person | None,
    journey: JourneyRow,
    *,
    now: datetime,
    link_base_url: str,
) -> Made:
    """The delivery of a block to the journey's person as things stand now."""
    block = campaign.definition.workflow.blocks[block_key]
    assert isinstance(block, DeliveringBlock), "only such blocks ask for a delivery"
    kind = MESSAGE_KINDS[block.type]
    action_id = campaign.actions[block_key]
    arm = arm_of(block, journey.journey_id, block_key)
    row = changed(
        new_row(catalog, campaign, block_key, journey, now),
        channel=kind.channel,
        variant=arm.variant,
        holdout=arm.holdout,
    )
    refused = refusal(catalog, campaign, block, person)
    if refused is not None:
        return Made(_after(row, "undeliverable", now, refused), _no_content(row, None, refused), None)
    drafted = arm.sending_state == "draft"
    if drafted:
        row = _after(changed(row, status="drafted", draft=True), "drafted", now)
    if arm.holdout:
        return Made(row if drafted else trapped(row, now), nothing_kept(row), None)
    context = variables_of(
        catalog,
        campaign,
        person,
        journey,
        message=MessageNames(action_id, block.label(block_key), kind.word),
        delivery=row.delivery_id,
        unsubscribe=unsubscribe_url(link_base_url, row.delivery_id),
        view=view_url(link_base_url, row.delivery_id) if row.channel == "email" else None,
    )
    content, language = choose(arm.content, languages_of(catalog, person, journey))
    if language is not None:
        row = changed(row, language=language)
    context = saying(context, campaign, block, content)
    try:
        message = kind.render(Making(catalog, block, content, context, now))
    except RenderError as error:
        event: Event = "undeliverable" if isinstance(error, SenderNotOurs) else "failed"
        without = changed(row, failure_message=str(error)) if drafted else _after(row, event, now, str(error))
        return Made(without, keeping(_no_content(row, error.field, error.message), journey), None)
    row = changed(row, recipient=message.to, subject=message.headline)
    return Made(row, keeping(message.stored(), journey), message)


def languages_of(catalog: Catalog, person: Person | None, journey: JourneyRow) -> list[object]:
    """The languages in which a message is wanted: what the call asked for, then the person's own (MSG-31)."""
    wanted: list[object] = list(journey.languages) if isinstance(journey, Passage) else []
    attribute = catalog.settings.language_attribute
    if attribute is not None and person is not None:
        wanted.append(person.profile.get(attribute))
    return wanted


def arm_of(block: DeliveringBlock, journey_id: str, key: str) -> Arm:
    """What a journey gets at the block of that key; what is no message to a person has no arms."""
    if isinstance(block, MessageBlock):
        return block.arm_of(journey_id, key)
    return Arm(None, getattr(block, "message", None), block.sending_state, holdout=False)


def trapped(row: DeliveryRow, now: datetime) -> DeliveryRow:
    """A holdout as one that was sent and delivered, so that it can be compared; it has gone nowhere (ACT-19)."""
    return _after(_after(row, "sent", now), "delivered", now)


def refusal(catalog: Catalog, campaign: Campaign, block: DeliveringBlock, person: Person | None) -> str | None:
    """Why the person must not get it, None where they may; what is addressed to nobody's person is nobody's choice."""
    if not isinstance(block, MessageBlock):
        return consent.SWITCHED_OFF if catalog.settings.sending == "never" else None
    return consent.refusal(
        block.type,
        consent.effective(block.subscription, campaign.definition.subscription),
        person.attributes if person is not None else None,
        catalog.settings.sending,
    )


def _after(row: DeliveryRow, event: Event, now: datetime, failure: str | None = None) -> DeliveryRow:
    change = apply(row.status, row.metrics, event, now, row.channel)  # type: ignore[arg-type]
    return changed(row, status=change.status, metrics=change.metrics, failure_message=failure)


def nothing_kept(row: DeliveryRow) -> dict[str, Any]:
    """The document of a delivery that says nothing, or of which nothing is kept (CHN-11)."""
    return {"channel": row.channel, "fields": {}, "headers": [], "errors": []}


def _no_content(row: DeliveryRow, field: str | None, message: str) -> dict[str, Any]:
    return {**nothing_kept(row), "errors": [{"field": field or "", "message": message}]}


__all__ = ["Made", "arm_of", "languages_of", "make_message", "nothing_kept", "refusal", "trapped"]
