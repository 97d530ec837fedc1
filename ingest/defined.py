"""One definition in the form that facts are applied with: a segment, a campaign, anything else."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from domain.blocks import DataBlock, WebhookBlock
from domain.condition_keys import OBJECTS, EventMatch, Keys
from domain.conditions import Condition
from domain.data_values import JavascriptValue, LiquidValue
from domain.definitions import CampaignDefinition, Definition
from domain.definitions.automation_shape import Automation
from domain.definitions.triggers import DateTrigger, SegmentTrigger, TriggerBase
from domain.facts import Position
from domain.patterns import literal_name

ENTERING_STATES = frozenset({"starting", "running"})
READS_OBJECTS = re.compile(r"\bobjects\b")
"""What a template says that lists objects."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A segment to be kept up to date; `nested` where its condition names other segments."""

    id: int
    key: str
    name: str
    condition: Condition
    state: str | None
    nested: bool


@dataclass(frozen=True, slots=True)
class ManualSegment:
    """A segment that people are put into and taken out of by hand (PPL-43)."""

    id: int
    key: str
    name: str


@dataclass(frozen=True, slots=True)
class ArchivedSegment:
    """A segment that is kept as it was and that nothing refers to (PPL-29)."""

    id: int
    key: str
    name: str
    manual: bool


@dataclass(frozen=True)
class Campaign:
    """A campaign as it stands now, a broadcast, or the one message of a transactional send; journeys begun before `goal_since` are older than its first goal, and never convert.

    `audience` is whom its latest start took in (CMP-21). `interval_since` is when people who could begin it
    once began to be looked at in intervals (CMP-24). `goal_changed` is where in the log, and when, its goal became this one.
    """

    id: int
    key: str
    name: str
    state: str
    version: int
    definition: Automation
    actions: Mapping[str, int]
    removed_blocks: Mapping[str, str | None]
    started_at: datetime | None
    goal_since: Position | None
    audience: str | None = None
    interval_since: datetime | None = None
    goal_changed: Position | None = None

    @cached_property
    def keys(self) -> Keys:
        """What planning a journey may look at: filters or trigger, goal, blocks."""
        keys = self.exit_keys | self.template_keys
        for block in self.definition.workflow.blocks.values():
            for condition in block.needs_conditions():
                keys |= condition.keys
        return keys

    @cached_property
    def template_keys(self) -> Keys:
        """What the templates of its blocks read besides the person (CMP-07)."""
        texts = [text for block in self.definition.workflow.blocks.values() for _, text in block.texts()]
        for block in self.definition.workflow.blocks.values():
            texts += [value.javascript for _, value in block.values() if isinstance(value, JavascriptValue)]
            texts += [value.liquid for _, value in block.values() if isinstance(value, LiquidValue)]
        return Keys(records=frozenset({OBJECTS})) if any(map(READS_OBJECTS.search, texts)) else Keys()

    @cached_property
    def exit_keys(self) -> Keys:
        """What can end a journey early."""
        keys = Keys()
        rechecked = self.rechecked
        if rechecked is not None and self.definition.exit in ("filters", "goal_or_filters"):
            keys |= rechecked.keys
        goal = self.definition.goal
        if goal is not None:
            if goal.event is not None:
                keys |= Keys(events=(EventMatch("event", literal_name(goal.event)),))
            if goal.segment is not None:
                keys |= Keys(segments=frozenset({goal.segment}))
        return keys

    @cached_property
    def writes(self) -> bool:
        """Whether one of its blocks changes people."""
        return any(
            isinstance(block, DataBlock) or (isinstance(block, WebhookBlock) and block.writes_to_people)
            for block in self.definition.workflow.blocks.values()
        )

    @cached_property
    def converting_calls(self) -> list[int]:
        """The actions of the webhooks that a conversion may be credited to (ACT-29)."""
        blocks = self.definition.workflow.blocks.items()
        tracked = [key for key, block in blocks if isinstance(block, WebhookBlock) and block.track_conversions]
        return [self.actions[key] for key in tracked if key in self.actions]

    @property
    def rechecked(self) -> Condition | None:
        """What has to keep holding under an exit rule with filters: the trigger's conditions, or the filters (CMP-16)."""
        trigger = self.definition.trigger
        return trigger.conditions if isinstance(trigger, SegmentTrigger) else self.definition.filters

    def has_no_goal_for(self, created_at: datetime, started_seq: int) -> bool:
        """Whether a journey began before there was any goal, so that it is no candidate for a conversion (CMP-26).

        A journey that a block of another one began has the position of an older fact, which is why instants come first.
        """
        return self.goal_since is not None and (created_at, started_seq) <= self.goal_since

    def is_older_than_goal(self, created_at: datetime, started_seq: int) -> bool:
        """Whether a journey began under another goal, so that it meets this one only by what comes after it (CMP-26)."""
        return self.goal_changed is not None and (created_at, started_seq) <= self.goal_changed

    @property
    def is_campaign(self) -> bool:
        """Whether journeys go through it; else people are walked through it when somebody asks for that."""
        return isinstance(self.definition, CampaignDefinition)

    @property
    def kind(self) -> str:
        """The kind of definition that it is."""
        return self.definition.kind

    @property
    def takes_current(self) -> bool:
        """Whether it is being started and lets in people who match already: the build does, or a fact that comes before."""
        return self.state == "starting" and self.audience == "current_and_future"

    @property
    def enters(self) -> bool:
        """Whether people may begin it now."""
        return self.state in ENTERING_STATES


@dataclass(frozen=True, slots=True)
class Entry:
    """One definition of another kind."""

    id: int
    key: str
    definition: Definition


def trigger_conditions(campaign: Campaign) -> Condition:
    """What somebody has to match to enter a campaign with a segment trigger."""
    trigger = campaign.definition.trigger
    assert isinstance(trigger, SegmentTrigger), "these campaigns are entered by matching conditions"
    return trigger.conditions


def trigger_keys(campaign: Campaign) -> Keys:
    """What decides whether and when somebody enters a campaign of `matching`."""
    trigger: TriggerBase = campaign.definition.trigger
    return trigger.keys if isinstance(trigger, DateTrigger) else trigger_conditions(campaign).keys


__all__ = [
    "ENTERING_STATES",
    "READS_OBJECTS",
    "ArchivedSegment",
    "Automation",
    "Campaign",
    "Entry",
    "ManualSegment",
    "Segment",
    "trigger_conditions",
    "trigger_keys",
]
