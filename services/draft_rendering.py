"""A delivery held to be changed, and rendered again as things stand now (CMP-28)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from pydantic import BaseModel

from domain.blocks import DeliveringBlock, MessageBlock
from domain.blocks.base import ActionBlock
from domain.condition_keys import Keys
from domain.drafts import ATTRIBUTES, EDITS, FIELDS
from domain.languages import choose
from ingest.belongings import read_for_templates
from ingest.catalog import Campaign, Catalog
from ingest.key_needs import need_of
from ingest.unit import Person, Unit
from rendering.context import MessageNames
from rendering.errors import RenderError
from rendering.links import unsubscribe_url, view_url
from services.delivery_making import languages_of, nothing_kept, refusal
from services.delivery_sources import source_of
from services.messages import MESSAGE_KINDS, Making
from services.variables import saying, variables_of
from store import deliveries as store
from store import journeys
from store.deliveries import DeliveryRow
from store.journeys import NOBODY, JourneyRow

_NAMES: Mapping[str, tuple[str, ...]] = {"recipient": ("to", "channel"), "body": ("body", "text", "message")}
"""What a field is called in the contents of channels that do not call it as emails do."""
_WHOLE: Mapping[str, Any] = {"layout": None, "title": None, "preheader": None, "url_parameters": {}}
"""What is not put around a body that was edited as a whole."""


@dataclass
class HeldDelivery:
    """One delivery, its person locked and then its row; what is None is gone.

    `key` is what the block is called now. `document` is what was rendered, with what the shape does not show.
    """

    unit: Unit
    row: DeliveryRow
    document: dict[str, Any]
    person: Person | None
    journey: JourneyRow | None
    campaign: Campaign | None
    key: str | None

    @property
    def catalog(self) -> Catalog:
        """The workspace."""
        return self.unit.catalog

    @property
    def block(self) -> ActionBlock | None:
        """The block it was made by, as it is now."""
        if self.campaign is None or self.key is None:
            return None
        block = self.campaign.definition.workflow.blocks[self.key]
        return block if isinstance(block, ActionBlock) and block.type == self.row.channel else None

    @property
    def to_be_delivered(self) -> bool:
        """Whether it is handed over; else it is an action, and carried out."""
        return self.row.channel in MESSAGE_KINDS

    @property
    def edits(self) -> dict[str, str]:
        """What was edited by hand."""
        return dict(self.document.get(EDITS) or {}) if self.row.edited else {}

    def travelled(self) -> JourneyRow | None:
        """The journey with the attributes that it has, or that it had when the delivery was made."""
        if self.journey is None or self.journey.active:
            return self.journey
        return replace(self.journey, attributes=dict(self.document.get(ATTRIBUTES) or {}))

    def refusal(self) -> str | None:
        """Why the person must not get it now."""
        block = self.block
        if self.campaign is None or not isinstance(block, DeliveringBlock):
            return None
        return refusal(self.catalog, self.campaign, block, self.person)


@dataclass(frozen=True)
class Again:
    """A delivery rendered anew: its row and document, and what failed."""

    row: DeliveryRow
    document: dict[str, Any]
    failure: RenderError | None = None


async def hold(unit: Unit, delivery_id: str, keys: Keys | None = None) -> HeldDelivery | None:
    """Lock a delivery's person and the delivery; None where there is none. With `keys`, what they mention is read as well."""
    conn, workspace_id = unit.conn, unit.catalog.workspace_id
    row = await store.get(conn, workspace_id, delivery_id)
    person: Person | None = None
    while row is not None and row.person_id is not None:
        owner = row.person_id
        if owner not in unit.people:
            await unit.add([owner], need_of(keys or Keys()))
        person = unit.people.get(owner)
        row = await store.get(conn, workspace_id, delivery_id)
        # Whoever was merged meanwhile has handed the delivery on.
        if row is not None and row.person_id == owner:
            break
    journey = await _journey(unit, row, person) if row is not None else None
    if row is not None and row.person_id is None and journey is not None:
        person = unit.seat_nobody()
    row = await store.get(conn, workspace_id, delivery_id, for_update=True) if row is not None else None
    if row is None:
        return None
    campaign, key, journey = await source_of(conn, unit.catalog, row, journey=journey)
    if campaign is not None and person is not None and journey is not None:
        await read_for_templates(conn, unit.catalog, campaign, person, journey)
    document = await store.content_of(conn, row) or {}
    return HeldDelivery(unit, row, document, person, journey, campaign, key)


async def _journey(unit: Unit, row: DeliveryRow, person: Person | None) -> JourneyRow | None:
    if row.journey_id is None:
        return None
    if person is not None:
        here = next((journey for journey in person.journeys if journey.journey_id == row.journey_id), None)
        return here or await journeys.get(unit.conn, row.workspace_id, row.journey_id)
    found = await journeys.hold_payload(unit.conn, row.workspace_id, row.journey_id)
    return found if found is not None and found.person_id == NOBODY else None


def render_again(
    held: HeldDelivery,
    now: datetime,
    link_base_url: str,
    *,
    edits: Mapping[str, str] | None = None,
    link_tracking: bool | None = None,
) -> Again | None:
    """The delivery by the block and the data of now, `edits` in place of what the block says; None where these are gone."""
    row, campaign, journey, block = held.row, held.campaign, held.travelled(), held.block
    if campaign is None or journey is None or held.key is None or not isinstance(block, DeliveringBlock):
        return None
    if row.holdout or (isinstance(block, MessageBlock) and content_of(block, row.variant) is None):
        # What is only measured says nothing.
        return None
    kept: dict[str, Any] = {ATTRIBUTES: journey.attributes} if journey.attributes else {}
    if edits:
        kept[EDITS] = dict(edits)
    hidden = bool(getattr(campaign.definition, "hidden", False))
    edited = replace(row, edited=bool(edits), failure_message=None, forgotten=hidden)
    context = variables_of(
        held.catalog,
        campaign,
        held.person,
        journey,
        message=MessageNames(campaign.actions[held.key], block.label(held.key), MESSAGE_KINDS[row.channel].word),
        delivery=row.delivery_id,
        unsubscribe=unsubscribe_url(link_base_url, row.delivery_id),
        view=view_url(link_base_url, row.delivery_id) if row.channel == "email" else None,
    )
    said, language = choose(content_of(block, row.variant), languages_of(held.catalog, held.person, journey))
    edited = replace(edited, language=language)
    block, content = with_edits(block, said, edits or {})
    if link_tracking is not None and content is not None and "link_tracking" in type(content).model_fields:
        content = content.model_copy(update={"link_tracking": link_tracking})
    if edits and "recipient" in edits:
        context = _readdressed(context, edits["recipient"])
    context = saying(context, campaign, block, content)
    try:
        message = MESSAGE_KINDS[row.channel].render(Making(held.catalog, block, content, context, now))
    except RenderError as error:
        errors = [{"field": error.field or "", "message": error.message}]
        document = {"channel": row.channel, "fields": {}, "headers": [], "errors": errors, **kept}
        return Again(replace(edited, failure_message=str(error)), document, error)
    if hidden:
        return Again(replace(edited, recipient=message.to, subject=None), nothing_kept(row))
    shown = replace(edited, recipient=message.to, subject=message.headline)
    return Again(shown, {**message.stored(), **kept})


def content_of(block: DeliveringBlock, variant: str | None) -> BaseModel | None:
    """What the block says, in the arm of its test that was drawn; None where it is no message that says anything."""
    content = block.arm_called(variant).content if isinstance(block, MessageBlock) else getattr(block, "message", None)
    return content if isinstance(content, BaseModel) else None


def editable(block: DeliveringBlock, content: BaseModel | None) -> dict[str, str]:
    """What can be edited of a draft that says so, each with what the content calls it."""
    if content is None:
        request = getattr(block, "request", None)
        return {"body": "body"} if isinstance(request, BaseModel) and "body" in type(request).model_fields else {}
    known = type(content).model_fields
    names = {field: _NAMES.get(field, (usual,)) for field, usual in FIELDS.items()}
    found = {field: next((name for name in some if name in known), None) for field, some in names.items()}
    return {field: name for field, name in found.items() if name is not None}


def with_edits(
    block: DeliveringBlock, content: BaseModel | None, edits: Mapping[str, str]
) -> tuple[DeliveringBlock, BaseModel | None]:
    """The block and what it says, with what was edited by hand in it."""
    names = editable(block, content)
    changes: dict[str, Any] = {names[field]: text for field, text in edits.items() if field in names}
    if not changes:
        return block, content
    if content is None:
        request = getattr(block, "request").model_copy(update=changes)  # noqa: B009 - only some blocks have one
        return block.model_copy(update={"request": request}), None
    if "body" in changes:
        known = type(content).model_fields
        changes = {name: value for name, value in _WHOLE.items() if name in known} | changes
    return block, content.model_copy(update=changes)


def _readdressed(context: Mapping[str, Any], recipient: str) -> dict[str, Any]:
    """The variables, in which the recipient named by the event is the edited one (CMP-31)."""
    event = context.get("event")
    if not isinstance(event, Mapping) or "recipient" not in event:
        return dict(context)
    return {**context, "event": {**event, "recipient": recipient}}


__all__ = ["Again", "HeldDelivery", "content_of", "editable", "hold", "render_again", "with_edits"]
