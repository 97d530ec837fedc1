"""What stands where in a campaign: its conditions, its references, its templates."""

from __future__ import annotations

from collections.abc import Iterator

from domain.blocks import DeliveringBlock, SegmentUpdate
from domain.data_values import JavascriptValue, LiquidValue
from domain.definitions.automation_shape import Automation
from domain.definitions.condition_uses import uses_of
from domain.definitions.triggers.base import PlacedCondition, PlacedWhere
from domain.problems import pointer_of
from domain.uses import Template, Use


def conditions(campaign: Automation) -> Iterator[PlacedCondition]:
    """Every condition, in document order."""
    for placed in campaign.trigger.placed():
        yield placed._replace(pointer=f"/trigger{placed.pointer}")
    if campaign.filters is not None:
        yield PlacedCondition("/filters", campaign.filters, "filters")
    for key, block in campaign.workflow.blocks.items():
        for field, place, condition in block.placed_conditions():
            yield PlacedCondition(pointer_of(("workflow", "blocks", key, *field)), condition, place)


def wheres(campaign: Automation) -> Iterator[PlacedWhere]:
    """Every set of comparisons on a record of its own, in document order."""
    for placed in campaign.trigger.wheres():
        yield placed._replace(pointer=f"/trigger{placed.pointer}")
    if campaign.goal is not None and campaign.goal.where is not None:
        yield PlacedWhere("/goal/where", campaign.goal.where, "goal_where")
    for key, block in campaign.workflow.blocks.items():
        for field, place, where in block.wheres():
            yield PlacedWhere(pointer_of(("workflow", "blocks", key, *field)), where, place)


def segment_updates(campaign: Automation) -> Iterator[Use]:
    """The segments that blocks put people into and take them out of."""
    for key, block in campaign.workflow.blocks.items():
        if isinstance(block, SegmentUpdate):
            yield Use("segment", block.segment, pointer_of(("workflow", "blocks", key, "segment")))


def uses(campaign: Automation) -> Iterator[Use]:
    """Every reference to another document."""
    for use in campaign.trigger.uses():
        yield use._replace(pointer=f"/trigger{use.pointer}")
    for placed in conditions(campaign):
        yield from uses_of(placed.condition, placed.pointer, campaign.key, campaign.kind)
    goal = campaign.goal
    if goal is not None:
        for name, ref_or_none in (("enters_segment", goal.enters_segment), ("leaves_segment", goal.leaves_segment)):
            if ref_or_none is not None:
                yield Use("segment", ref_or_none, f"/goal/{name}")
    for key, block in campaign.workflow.blocks.items():
        for path, kind, ref in block.references():
            yield Use(kind, ref, pointer_of(("workflow", "blocks", key, *path)))


def templates(campaign: Automation) -> Iterator[Template]:
    """Every Liquid template."""
    for key, block in campaign.workflow.blocks.items():
        at = ("workflow", "blocks", key)
        for path, text in block.texts():
            yield Template(pointer_of((*at, *path)), text)
        for path, value in block.values():
            if isinstance(value, LiquidValue):
                yield Template(pointer_of((*at, *path, "liquid")), value.liquid)


def scripts(campaign: Automation) -> Iterator[Template]:
    """Every JavaScript body."""
    for key, block in campaign.workflow.blocks.items():
        for path, value in block.values():
            if isinstance(value, JavascriptValue):
                yield Template(pointer_of(("workflow", "blocks", key, *path, "javascript")), value.javascript)


def addresses(campaign: Automation) -> Iterator[tuple[str, str]]:
    """Every address that a block calls, templates as they are, each with its pointer."""
    for key, block in campaign.workflow.blocks.items():
        for path, url in block.addresses():
            yield pointer_of(("workflow", "blocks", key, *path)), url


def sends(campaign: Automation) -> bool:
    """Whether any message leaves by itself."""
    return any(
        isinstance(block, DeliveringBlock) and "automatic" in block.leaving
        for block in campaign.workflow.blocks.values()
    )


def channels(campaign: Automation) -> dict[str, str]:
    """The channels of messages that are not off, each with the pointer of its first block."""
    found: dict[str, str] = {}
    for key, block in campaign.workflow.blocks.items():
        if isinstance(block, DeliveringBlock) and block.leaving - {"off"}:
            found.setdefault(block.type, pointer_of(("workflow", "blocks", key, "type")))
    return found
