"""How the parts of a campaign fit together (CMP-02, CMP-13, CMP-14, CMP-16, CMP-21)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from domain.blocks import EmailBlock
from domain.condition_rules import allowed_lookups, check_condition, check_where
from domain.definitions import campaign_parts
from domain.definitions.automation_shape import Automation
from domain.definitions.condition_uses import check_uses
from domain.errors import Problem, Referent
from domain.journeys import FrequencyEvery
from domain.lookups import Lookup
from domain.problems import pointer_of
from domain.subjects.cohort import Cohort
from domain.workflow_graph import check_graph

if TYPE_CHECKING:
    from domain.definitions.base import Surroundings
    from domain.definitions.broadcast import BroadcastDefinition
    from domain.definitions.campaign import CampaignDefinition


NOT_IN_BROADCASTS = frozenset({"time_delay", "random_delay", "time_window", "wait_until", "llm"})
"""Blocks that take their time, which nobody has in a broadcast."""


def check(campaign: CampaignDefinition, around: Surroundings) -> Iterator[Problem]:
    """Everything wrong between the parts; what only a start demands is marked so."""
    yield from _conditions(campaign)
    yield from _frequency(campaign)
    yield from _goal(campaign)
    yield from _audience(campaign)
    yield from _nobody(campaign)
    yield from _workflow(campaign, around)


def check_broadcast(broadcast: BroadcastDefinition, around: Surroundings) -> Iterator[Problem]:
    """The same of a broadcast, which nobody begins and nobody waits in (CHN-15)."""
    if broadcast.audience is not None:
        yield from check_condition(broadcast.audience, "recipients", pointer="/recipients", trigger_type="broadcast")
    yield from _conditions(broadcast)
    for key, block in broadcast.workflow.blocks.items():
        if block.type in NOT_IN_BROADCASTS:
            message = f"Recipients of a broadcast are seen to at once: it has no {block.type}."
            yield Problem(
                code="block_not_allowed", pointer=pointer_of(("workflow", "blocks", key, "type")), message=message
            )
        if getattr(block, "waits", False):
            message = "Recipients of a broadcast wait for nothing: leave out what waits for the answer."
            field = "response" if getattr(block, "response", None) is not None else "wait"
            yield Problem(
                code="not_applicable", pointer=pointer_of(("workflow", "blocks", key, field)), message=message
            )
    yield from _workflow(broadcast, around)


def _workflow(campaign: Automation, around: Surroundings) -> Iterator[Problem]:
    """What holds for every workflow, whatever begins it."""
    yield from check_graph(campaign.workflow, "/workflow", campaign.trigger.type)
    yield from _renames(campaign)
    yield from _values(campaign)
    yield from _by_hand(campaign, around)
    yield from check_uses(campaign_parts.uses(campaign), around)
    yield from _cohorts(campaign)
    yield from _asked_for(campaign, around)
    yield from _senders(campaign, around)


def _conditions(campaign: Automation) -> Iterator[Problem]:
    """What conditions and comparisons ask that cannot be asked where they stand."""
    trigger_type = campaign.trigger.type
    for placed in campaign_parts.conditions(campaign):
        if placed.place == "filters" and not campaign.trigger.filtered:
            message = "A segment trigger has no filters: put these conditions into the trigger."
            if trigger_type == "webhook":
                message = "Calls of a webhook have no filters: begin the workflow with a branch."
            yield Problem(code="filters_not_allowed", pointer="/filters", message=message)
            continue
        yield from check_condition(
            placed.condition,
            placed.place,
            pointer=placed.pointer,
            trigger_type=trigger_type,
            in_workflow=placed.place in {"block", "true_false", "branch", "wait"},
        )
    for pointer, where, place in campaign_parts.wheres(campaign):
        yield from check_where(where, place, pointer=pointer, trigger_type=trigger_type)


def _frequency(campaign: CampaignDefinition) -> Iterator[Problem]:
    frequency, modes = campaign.frequency, campaign.trigger.modes
    if frequency is None:
        return
    if frequency.mode not in modes:
        possible = f"possible are {', '.join(modes)}" if modes else "leave it out"
        message = f"A {campaign.trigger.type} trigger does not begin journeys '{frequency.mode}': {possible}."
        yield Problem(code="frequency_not_allowed", pointer="/frequency/mode", message=message)
    elif isinstance(frequency, FrequencyEvery) and frequency.min_wait is not None and not campaign.trigger.rechecked:
        message = "Only segment triggers have a minimum wait; for events use once_per with a period."
        yield Problem(code="frequency_not_allowed", pointer="/frequency/min_wait", message=message)
    spans = {"period": getattr(frequency, "period", None), "interval": getattr(frequency, "interval", None)}
    for name, span in spans.items():
        if span is not None and not span.seconds:
            message = f"The {name} is at least one second long."
            yield Problem(code="range", pointer=f"/frequency/{name}", message=message)


def _goal(campaign: CampaignDefinition) -> Iterator[Problem]:
    if not campaign.trigger.has_person:
        if campaign.goal is not None:
            message = "Nobody travels this campaign, so nobody can reach a goal."
            yield Problem(code="not_applicable", pointer="/goal", message=message)
    elif campaign.goal is None and campaign.exit in {"goal", "goal_or_filters"}:
        yield Problem(code="goal_required", pointer="/exit", message="To exit on a goal there must be a goal.")


def _audience(campaign: CampaignDefinition) -> Iterator[Problem]:
    if campaign.start_audience == "current_and_future" and not campaign.trigger.takes_current:
        yield audience_not_applicable(campaign, "/start_audience")


def audience_not_applicable(campaign: CampaignDefinition, pointer: str) -> Problem:
    """Why nobody can be taken in who matches already when the campaign starts."""
    if campaign.trigger.type == "date":
        message = "A date trigger takes in whoever has the date, whenever it was set: leave the audience out."
    else:
        message = "Only what happens after the start counts, so there are no current people to take in."
    return Problem(code="audience_not_applicable", pointer=pointer, message=message)


def _nobody(campaign: CampaignDefinition) -> Iterator[Problem]:
    """What cannot stand where no person travels (ACT-01)."""
    if campaign.trigger.has_person:
        return
    for key, block in campaign.workflow.blocks.items():
        at = ("workflow", "blocks", key)
        why = block.needs_person()
        if why is None:
            continue
        if block.person_at:
            yield Problem(code="target_required", pointer=pointer_of((*at, *block.person_at)), message=why)
        else:
            yield Problem(code="block_not_allowed", pointer=pointer_of((*at, "type")), message=why)


def _renames(campaign: Automation) -> Iterator[Problem]:
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


def _values(campaign: Automation) -> Iterator[Problem]:
    """Values that start from what the trigger does not provide."""
    for key, block in campaign.workflow.blocks.items():
        readable = allowed_lookups("block", campaign.trigger.type) | block.provides
        for path, value in block.values():
            at = ("workflow", "blocks", key, *path)
            if isinstance(value, Lookup) and value.root not in readable:
                message = f"There is no '{value.root}' to read in a block of this campaign."
                yield Problem(code="root_not_allowed", pointer=pointer_of((*at, "from")), message=message)


def _by_hand(campaign: Automation, around: Surroundings) -> Iterator[Problem]:
    for use in campaign_parts.segment_updates(campaign):
        if around.segment_has_conditions(use.ref):
            message = f"The segment {use.ref!r} has conditions; a block can only change who is in a manual one."
            yield Problem(code="segment_not_manual", pointer=use.pointer, message=message)


def _cohorts(campaign: Automation) -> Iterator[Problem]:
    """Conditions on the path taken at a block that is none of the workflow's."""
    for placed in campaign_parts.conditions(campaign):
        for leaf in placed.condition.leaves:
            if isinstance(leaf.body, Cohort) and leaf.body.block not in campaign.workflow.blocks:
                message = f"There is no block '{leaf.body.block}'."
                yield Problem(code="unknown_block", pointer=f"{placed.pointer}{leaf.pointer}/block", message=message)


def _asked_for(campaign: Automation, around: Surroundings) -> Iterator[Problem]:
    """Blocks that are gone although conditions elsewhere ask for their messages, and would never again find one."""
    blocks = campaign.workflow.blocks
    for kind, key, block in around.blocks_asked_for(campaign.key, campaign.kind):
        if block not in blocks:
            message = f"The {kind} '{key}' asks for messages of the block '{block}', which therefore stays."
            referents = (Referent(kind=kind, key=key),)
            yield Problem(code="in_use", pointer="/workflow/blocks", message=message, referents=referents)


def _senders(campaign: Automation, around: Surroundings) -> Iterator[Problem]:
    """Emails from a telephone number, and text messages from an address."""
    phones = {sender.key: getattr(sender, "phone", None) is not None for sender in around.others("sender", "")}
    for key, block in campaign.workflow.blocks.items():
        for path, kind, ref in block.references():
            if kind != "sender" or ref not in phones or phones[str(ref)] != (block.type == "email"):
                continue
            message = f"The sender '{ref}' has no {'email address' if phones[str(ref)] else 'phone number'}."
            yield Problem(
                code="not_applicable", pointer=pointer_of(("workflow", "blocks", key, *path)), message=message
            )


def senderless(campaign: Automation) -> Iterator[Problem]:
    """The warning that an email names nobody to come from, for a workspace without senders."""
    for key, block in campaign.workflow.blocks.items():
        message = block.message if isinstance(block, EmailBlock) else None
        if message is not None and message.sender is None and message.from_ is None:
            at = pointer_of(("workflow", "blocks", key, "message", "sender"))
            said = "There is no sender in the workspace yet: name one here or make one before starting."
            yield Problem(code="required", pointer=at, message=said)
