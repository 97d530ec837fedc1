"""What stands where in a campaign: its conditions, its references, its templates."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from domain.blocks import (
    EmailBlock,
    MessageBlock,
    SegmentUpdate,
    StepBlock,
    Target,
    TrueFalse,
    UpdatePerson,
    WaitUntil,
)
from domain.condition_rules import ConditionPlace
from domain.conditions import Condition
from domain.content import EmailMessage
from domain.data_values import LiquidValue
from domain.definitions.base import Template, Use, texts_below
from domain.definitions.condition_uses import uses_of
from domain.problems import pointer_of

if TYPE_CHECKING:
    from domain.definitions.campaign import CampaignDefinition

_NO_TEMPLATES = frozenset({"sender", "layout", "editor", "editor_document", "liquid_version", "headers"})


class PlacedCondition(NamedTuple):
    """One condition of a campaign: where it stands and what kind of place that is."""

    pointer: str
    condition: Condition
    place: ConditionPlace


def conditions(campaign: CampaignDefinition) -> Iterator[PlacedCondition]:
    """Every condition, in document order."""
    if campaign.trigger.type == "segment":
        yield PlacedCondition("/trigger/conditions", campaign.trigger.conditions, "trigger")
    if campaign.filters is not None:
        yield PlacedCondition("/filters", campaign.filters, "filters")
    for key, block in campaign.workflow.blocks.items():
        at = pointer_of(("workflow", "blocks", key))
        if isinstance(block, StepBlock) and block.conditions is not None:
            yield PlacedCondition(f"{at}/conditions", block.conditions, "block")
        elif isinstance(block, TrueFalse) and block.conditions is not None:
            yield PlacedCondition(f"{at}/conditions", block.conditions, "true_false")
        elif isinstance(block, WaitUntil):
            for index, path in enumerate(block.paths):
                if path.conditions is not None:
                    yield PlacedCondition(f"{at}/paths/{index}/conditions", path.conditions, "wait")


def segment_updates(campaign: CampaignDefinition) -> Iterator[Use]:
    """The segments that blocks put people into and take them out of."""
    for key, block in campaign.workflow.blocks.items():
        if isinstance(block, SegmentUpdate):
            yield Use("segment", block.segment, pointer_of(("workflow", "blocks", key, "segment")))


def uses(campaign: CampaignDefinition) -> Iterator[Use]:
    """Every reference to another document."""
    for placed in conditions(campaign):
        yield from uses_of(placed.condition, placed.pointer, campaign.key)
    goal = campaign.goal
    if goal is not None:
        for name, ref_or_none in (("enters_segment", goal.enters_segment), ("leaves_segment", goal.leaves_segment)):
            if ref_or_none is not None:
                yield Use("segment", ref_or_none, f"/goal/{name}")
    yield from segment_updates(campaign)
    for key, block in campaign.workflow.blocks.items():
        if isinstance(block, EmailBlock):
            at = pointer_of(("workflow", "blocks", key, "message"))
            if block.message.sender is not None:
                yield Use("sender", block.message.sender, f"{at}/sender")
            layout = block.message.layout_reference
            if layout is not None:
                yield Use("layout", layout, f"{at}/layout")


def templates(campaign: CampaignDefinition) -> Iterator[Template]:
    """Every Liquid template."""
    for key, block in campaign.workflow.blocks.items():
        at = ("workflow", "blocks", key)
        if isinstance(block, EmailBlock):
            yield from _of_message(block.message, (*at, "message"))
        elif isinstance(block, UpdatePerson):
            values = [((*at, "set", name), value) for name, value in (block.set_ or {}).items()]
            if isinstance(block.target, Target):
                name, value = block.target.identifier
                values.append(((*at, "target", name), value))
            for path, value in values:
                if isinstance(value, LiquidValue):
                    yield Template(pointer_of((*path, "liquid")), value.liquid)


def _of_message(message: EmailMessage, at: tuple[str | int, ...]) -> Iterator[Template]:
    for name, value in message.model_dump(mode="json", exclude_defaults=True).items():
        if name not in _NO_TEMPLATES:
            yield from texts_below(value, (*at, name))
    for index, header in enumerate(message.headers):
        yield Template(pointer_of((*at, "headers", index, "value")), header.value)


def sends(campaign: CampaignDefinition) -> bool:
    """Whether any message leaves by itself."""
    return any(
        isinstance(block, MessageBlock) and block.sending_state == "automatic"
        for block in campaign.workflow.blocks.values()
    )


def channels(campaign: CampaignDefinition) -> dict[str, str]:
    """The channels of messages that are not off, each with the pointer of its first block."""
    found: dict[str, str] = {}
    for key, block in campaign.workflow.blocks.items():
        if isinstance(block, MessageBlock) and block.sending_state != "off":
            found.setdefault(block.type, pointer_of(("workflow", "blocks", key, "type")))
    return found
