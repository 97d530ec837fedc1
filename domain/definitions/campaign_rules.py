"""How the parts of a campaign fit together (CMP-02, CMP-13, CMP-14, CMP-16, CMP-21)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from domain.blocks import EmailBlock, Target, UpdatePerson
from domain.condition_rules import check_condition, check_where
from domain.data_values import JavascriptValue
from domain.definitions import campaign_parts
from domain.definitions.condition_uses import check_uses
from domain.errors import Problem
from domain.journeys import FrequencyEvery, FrequencyOnce, FrequencyOncePer
from domain.problems import pointer_of
from domain.workflow_graph import check_graph

if TYPE_CHECKING:
    from domain.definitions.base import Surroundings
    from domain.definitions.campaign import CampaignDefinition


def check(campaign: CampaignDefinition, around: Surroundings) -> Iterator[Problem]:
    """Everything wrong between the parts; what only a start demands is marked so."""
    trigger_type = campaign.trigger.type
    for placed in campaign_parts.conditions(campaign):
        if placed.place == "filters" and trigger_type == "segment":
            message = "A segment trigger has no filters: put these conditions into the trigger."
            yield Problem(code="filters_not_allowed", pointer="/filters", message=message)
            continue
        yield from check_condition(
            placed.condition,
            placed.place,
            pointer=placed.pointer,
            trigger_type=trigger_type,
            in_workflow=placed.place in {"block", "true_false", "wait"},
        )
    if campaign.trigger.type == "event" and campaign.trigger.where is not None:
        yield from check_where(
            campaign.trigger.where, "trigger_where", pointer="/trigger/where", trigger_type=trigger_type
        )
    yield from _frequency(campaign)
    yield from _goal(campaign)
    yield from _audience(campaign)
    yield from check_graph(campaign.workflow, "/workflow", trigger_type)
    yield from _renames(campaign)
    yield from _javascript(campaign)
    yield from _by_hand(campaign, around)
    yield from check_uses(campaign_parts.uses(campaign), around)
    yield from _asked_for(campaign, around)


def _frequency(campaign: CampaignDefinition) -> Iterator[Problem]:
    frequency = campaign.frequency
    if campaign.trigger.type == "segment":
        if isinstance(frequency, FrequencyOncePer):
            message = "A segment trigger lets people in once or at every match."
            yield Problem(code="frequency_not_allowed", pointer="/frequency/mode", message=message)
    elif isinstance(frequency, FrequencyEvery) and frequency.min_wait is not None:
        message = "Only segment triggers have a minimum wait; for events use once_per with a period."
        yield Problem(code="frequency_not_allowed", pointer="/frequency/min_wait", message=message)
    if isinstance(frequency, FrequencyOnce | FrequencyEvery):
        return
    if not frequency.period.seconds:
        message = "A period is at least one second long."
        yield Problem(code="range", pointer="/frequency/period", message=message)


def _goal(campaign: CampaignDefinition) -> Iterator[Problem]:
    goal = campaign.goal
    if goal is None:
        if campaign.exit in {"goal", "goal_or_filters"}:
            yield Problem(code="goal_required", pointer="/exit", message="To exit on a goal there must be a goal.")
    elif goal.where is not None:
        yield from check_where(goal.where, "goal_where", pointer="/goal/where", trigger_type=campaign.trigger.type)


def _audience(campaign: CampaignDefinition) -> Iterator[Problem]:
    if campaign.start_audience == "future":
        return
    if campaign.trigger.type == "event":
        message = "Only events after the start count, so there are no current people to take in."
        yield Problem(code="audience_not_applicable", pointer="/start_audience", message=message)
    else:
        message = "Taking in the people who match already is not in this version; use future."
        yield Problem(code="not_applicable", pointer="/start_audience", message=message)


def _renames(campaign: CampaignDefinition) -> Iterator[Problem]:
    blocks = campaign.workflow.blocks
    taken: dict[str, str] = {}
    for key, block in blocks.items():
        old = block.renamed_from
        if old is None:
            continue
        at = pointer_of(("workflow", "blocks", key, "renamed_from"))
        if old in blocks:
            message = f"The block '{old}' is still there, so it has not become '{key}'."
            yield Problem(code="duplicate", pointer=at, message=message)
        elif old in taken:
            message = f"'{taken[old]}' is renamed from '{old}' already."
            yield Problem(code="duplicate", pointer=at, message=message)
        taken.setdefault(old, key)


def _javascript(campaign: CampaignDefinition) -> Iterator[Problem]:
    for key, block in campaign.workflow.blocks.items():
        if not isinstance(block, UpdatePerson):
            continue
        values = [(("set", name), value) for name, value in (block.set_ or {}).items()]
        if isinstance(block.target, Target):
            name, value = block.target.identifier
            values.append((("target", name), value))
        for path, value in values:
            if isinstance(value, JavascriptValue):
                at = pointer_of(("workflow", "blocks", key, *path, "javascript"))
                message = "Values in JavaScript are not in this version; use from or liquid."
                yield Problem(code="not_applicable", pointer=at, message=message)


def _by_hand(campaign: CampaignDefinition, around: Surroundings) -> Iterator[Problem]:
    for use in campaign_parts.segment_updates(campaign):
        if around.segment_has_conditions(use.ref):
            message = f"The segment {use.ref!r} has conditions; a block can only change who is in a manual one."
            yield Problem(code="segment_not_manual", pointer=use.pointer, message=message)


def _asked_for(campaign: CampaignDefinition, around: Surroundings) -> Iterator[Problem]:
    """Blocks that are gone although conditions elsewhere ask for their messages, and would never again find one."""
    blocks = campaign.workflow.blocks
    for kind, key, block in around.blocks_asked_for(campaign.key):
        if block not in blocks:
            message = f"The {kind} '{key}' asks for messages of the block '{block}', which therefore stays."
            yield Problem(code="in_use", pointer="/workflow/blocks", message=message)


def senderless(campaign: CampaignDefinition) -> Iterator[Problem]:
    """The warning that an email names nobody to come from, for a workspace without senders."""
    for key, block in campaign.workflow.blocks.items():
        if isinstance(block, EmailBlock) and block.message.sender is None and block.message.from_ is None:
            at = pointer_of(("workflow", "blocks", key, "message", "sender"))
            message = "There is no sender in the workspace yet: name one here or make one before starting."
            yield Problem(code="required", pointer=at, message=message)
