"""What one revision of a workspace's definitions compiles to: which of them a fact concerns, and what each may look at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Any

from domain.blocks import WaitUntil, wait_keys
from domain.condition_keys import Keys
from domain.definitions import (
    BroadcastDefinition,
    CampaignDefinition,
    Definition,
    SegmentDefinition,
    SettingsDefinition,
    SnippetDefinition,
    read_definition,
)
from domain.definitions.campaign import LIVE_STATES
from domain.definitions.library import ARCHIVED
from domain.definitions.provider import ProviderDefinition
from domain.definitions.triggers import (
    DateTrigger,
    EventTrigger,
    FormTrigger,
    ObjectTrigger,
    RelationshipTrigger,
)
from domain.facts import Directory, Position
from ingest.defined import READS_OBJECTS, ArchivedSegment, Campaign, Entry, ManualSegment, Segment, trigger_keys
from ingest.touching import Coming, KeyIndex, Watcher, Watchers
from store.definitions import DefinitionRow


@dataclass(frozen=True)
class Compiled:
    """What one revision of a workspace's definitions compiles to."""

    rev: int
    segments: Mapping[int, Segment] = field(default_factory=dict)
    automations: Mapping[int, Campaign] = field(default_factory=dict)
    """Campaigns and broadcasts, which share one series of numbers."""
    others: Mapping[str, Sequence[Entry]] = field(default_factory=dict)
    settings: SettingsDefinition = field(
        default_factory=lambda: SettingsDefinition.model_validate({"kind": "settings", "key": "workspace"})
    )
    manual_segments: Mapping[int, ManualSegment] = field(default_factory=dict)
    archived_segments: Mapping[int, ArchivedSegment] = field(default_factory=dict)

    @cached_property
    def campaigns(self) -> Mapping[int, Campaign]:
        """What journeys go through."""
        return {number: one for number, one in self.automations.items() if one.is_campaign}

    @cached_property
    def broadcasts(self) -> Mapping[int, Campaign]:
        """What people are walked through by a call."""
        return {number: one for number, one in self.automations.items() if not one.is_campaign}

    @cached_property
    def segment_ids(self) -> Mapping[str, int]:
        """Segment ids by key, archived ones left out."""
        found = {segment.key: segment.id for segment in self.segments.values()}
        return found | {segment.key: segment.id for segment in self.manual_segments.values()}

    def archived_segment(self, ref: str | int | None) -> ArchivedSegment | None:
        """The archived segment behind a key or an id."""
        return next((s for s in self.archived_segments.values() if ref in (s.id, s.key)), None)

    @cached_property
    def directory(self) -> Directory:
        """What references of conditions mean."""
        ids = {(one.kind, one.key): one.id for one in self.automations.values()}
        ids |= {(kind, entry.key): entry.id for kind, entries in self.others.items() for entry in entries}
        return Directory(ids, {one.id: one.actions for one in self.automations.values()})

    @cached_property
    def ways(self) -> dict[tuple[str, str, str | None], ProviderDefinition | None]:
        """The providers found so far, by channel, kind of message and domain of the sender: kept by whoever looks for them."""
        return {}

    @cached_property
    def watched_records(self) -> frozenset[str]:
        """Which records besides attributes and events make a condition be asked again, in the words of `Keys.records`."""
        return frozenset(word for watcher in self._watching() for word in watcher.watches.records)

    @cached_property
    def plain_segments(self) -> tuple[Segment, ...]:
        """Segments whose conditions name no segments, oldest first."""
        return tuple(s for s in self.segments.values() if not s.nested)

    @cached_property
    def nested_segments(self) -> tuple[Segment, ...]:
        """Segments that are made of segments."""
        return tuple(s for s in self.segments.values() if s.nested)

    @cached_property
    def keys(self) -> Keys:
        """Everything that applying a fact may look at."""
        found = Keys()
        for segment in self.segments.values():
            found |= segment.condition.keys
        for campaign in self.campaigns.values():
            if campaign.state in LIVE_STATES:
                found |= campaign.keys
                if campaign.definition.filters is not None:
                    found |= campaign.definition.filters.keys
        for campaign in self.matching:
            found |= trigger_keys(campaign)
        return found

    @cached_property
    def watchers(self) -> Watchers:
        """Everything that applying a fact may ask, with what makes it ask."""
        return Watchers(self._watching(), self.segment_ids)

    def keys_touched(self, coming: Coming) -> Keys:
        """What applying these facts may look at: the part of `keys` that they can lead to."""
        return self.watchers.needs(coming)

    def _watching(self) -> Iterator[Watcher]:
        for segment in self.segments.values():
            yield Watcher(segment.condition.keys, segment.condition.keys, ("segment", segment.id))
        for manual in self.manual_segments.values():
            yield Watcher(Keys(), Keys(), ("segment", manual.id))
        for campaign in self.matching:
            keys = trigger_keys(campaign)
            filters = campaign.definition.filters
            looks = keys if filters is None else keys | filters.keys
            yield Watcher(keys, looks, ("trigger", campaign.id))
        yield from self._watching_filters()
        for campaign in self.campaigns.values():
            if campaign.state in LIVE_STATES:
                yield Watcher(campaign.exit_keys, campaign.exit_keys, ("trigger", campaign.id))
                for block in campaign.definition.workflow.blocks.values():
                    if isinstance(block, WaitUntil):
                        yield Watcher(wait_keys(block), wait_keys(block))

    def _watching_filters(self) -> Iterator[Watcher]:
        for campaign in self.campaigns.values():
            if campaign.enters and campaign.definition.filters is not None:
                # What waits for the filters is tried again when they may have come true.
                keys = campaign.definition.filters.keys
                yield Watcher(keys, keys, ("trigger", campaign.id))
        for campaign in self.by_event:
            trigger, filters = campaign.definition.trigger, campaign.definition.filters
            if isinstance(trigger, EventTrigger | FormTrigger) and filters is not None:
                yield Watcher(Keys(events=(trigger.match,)), filters.keys)

    @cached_property
    def retries(self) -> bool:
        """Whether occurrences may wait: for filters, or for a journey to end."""
        entering = [one.definition for one in self.campaigns.values() if one.enters]
        return any(one.filters is not None or isinstance(one.trigger, DateTrigger) for one in entering)

    @cached_property
    def keys_behind_segments(self) -> Keys:
        """What may be looked at as soon as somebody joins or leaves a segment quietly: all that is made of segments."""
        found = Keys()
        for keys in (
            *[segment.condition.keys for segment in self.nested_segments],
            *[trigger_keys(campaign) for campaign in self.matching],
        ):
            if keys.segments:
                found |= keys
        return found

    @cached_property
    def matching(self) -> tuple[Campaign, ...]:
        """Campaigns that people enter by matching, or by a date of theirs, or may still be in."""
        live = (c for c in self.campaigns.values() if c.state in LIVE_STATES)
        return tuple(c for c in live if c.definition.trigger.single)

    @cached_property
    def with_goal(self) -> tuple[Campaign, ...]:
        """Campaigns that count conversions; also those that have been stopped, since messages convert long after."""
        return tuple(c for c in self.automations.values() if c.started_at is not None and c.definition.goal is not None)

    @cached_property
    def by_event(self) -> tuple[Campaign, ...]:
        """Campaigns that people enter by an event."""
        running = (c for c in self.campaigns.values() if c.state == "running")
        return tuple(c for c in running if isinstance(c.definition.trigger, EventTrigger | FormTrigger))

    @cached_property
    def by_object(self) -> Mapping[int, tuple[Campaign, ...]]:
        """Campaigns that people enter by a change of an object, by the number of its type."""
        return self._by_type(ObjectTrigger)

    @cached_property
    def by_relationship(self) -> Mapping[int, tuple[Campaign, ...]]:
        """Campaigns that people enter by a relationship, by the number of the object's type."""
        return self._by_type(RelationshipTrigger)

    def _by_type(self, kind: type[ObjectTrigger | RelationshipTrigger]) -> Mapping[int, tuple[Campaign, ...]]:
        found: dict[int, tuple[Campaign, ...]] = {}
        for campaign in self.campaigns.values():
            trigger = campaign.definition.trigger
            if campaign.enters and isinstance(trigger, kind):
                number = self.directory.id_of("object_type", trigger.object_type)
                if number is not None:
                    found[number] = (*found.get(number, ()), campaign)
        return found

    @cached_property
    def snippets(self) -> Mapping[str, Any]:
        """The values of snippets by the names that templates know (MSG-15)."""
        snippets = (entry.definition for entry in self.others.get("snippet", ()))
        return {one.name: one.value for one in snippets if isinstance(one, SnippetDefinition)}

    @cached_property
    def shared_texts_read_objects(self) -> bool:
        """Whether a layout or a snippet lists objects, so that whatever is sent may have to."""
        shared = [entry.definition for kind in ("layout", "snippet") for entry in self.others.get(kind, ())]
        return any(READS_OBJECTS.search(template.source) for one in shared for template in one.templates())

    @cached_property
    def plain_index(self) -> KeyIndex:
        """What concerns which of `plain_segments`."""
        return KeyIndex([segment.condition.keys for segment in self.plain_segments], self.segment_ids)

    @cached_property
    def nested_index(self) -> KeyIndex:
        """What concerns which of `nested_segments`."""
        return KeyIndex([segment.condition.keys for segment in self.nested_segments], self.segment_ids)

    @cached_property
    def matching_index(self) -> KeyIndex:
        """What concerns which of `matching`."""
        return KeyIndex([trigger_keys(campaign) for campaign in self.matching], self.segment_ids)

    @cached_property
    def entry_index(self) -> KeyIndex:
        """Which events start which of `by_event`, conditions on their data apart."""
        triggers = [c.definition.trigger for c in self.by_event]
        matches = [Keys(events=(t.match,)) for t in triggers if isinstance(t, EventTrigger | FormTrigger)]
        return KeyIndex(matches, self.segment_ids)

    @cached_property
    def goal_events(self) -> Mapping[str, tuple[Campaign, ...]]:
        """The campaigns of `with_goal` whose goal is an event, by its name."""
        found: dict[str, tuple[Campaign, ...]] = {}
        for campaign in self.with_goal:
            if campaign.definition.goal is not None and (name := campaign.definition.goal.event) is not None:
                found[name.strip()] = (*found.get(name.strip(), ()), campaign)
        return found

    @cached_property
    def goal_segments(self) -> tuple[Campaign, ...]:
        """The campaigns of `with_goal` whose goal is to enter or leave a segment."""
        return tuple(c for c in self.with_goal if c.definition.goal is not None and c.definition.goal.event is None)


def compiled_from(rev: int, rows: Sequence[DefinitionRow]) -> Compiled:
    """What these rows compile to; what cannot be read is left out."""
    segments: dict[int, Segment] = {}
    automations: dict[int, Campaign] = {}
    others: dict[str, list[Entry]] = {}
    manual: dict[int, ManualSegment] = {}
    archived: dict[int, ArchivedSegment] = {}
    settings: SettingsDefinition | None = None
    for row, definition in _readable(rows):
        condition = definition.conditions if isinstance(definition, SegmentDefinition) else None
        if isinstance(definition, SegmentDefinition) and row.state == ARCHIVED:
            archived[row.definition_id] = ArchivedSegment(row.definition_id, row.key, row.name, condition is None)
        elif isinstance(definition, SegmentDefinition) and condition is None:
            manual[row.definition_id] = ManualSegment(row.definition_id, row.key, row.name)
        elif condition is not None:
            nested = bool(condition.keys.segments)
            segments[row.definition_id] = Segment(row.definition_id, row.key, row.name, condition, row.state, nested)
        elif isinstance(definition, CampaignDefinition | BroadcastDefinition):
            automations[row.definition_id] = Campaign(
                id=row.definition_id,
                key=row.key,
                name=row.name,
                state=row.state or "draft",
                version=row.version,
                definition=definition,
                actions=row.actions,
                removed_blocks=row.removed_blocks,
                started_at=row.started_at,
                goal_since=_position(row.goal_at, row.goal_seq),
                audience=row.audience,
                interval_since=row.interval_since,
                goal_changed=_position(row.goal_changed_at, row.goal_changed_seq),
            )
        elif isinstance(definition, SettingsDefinition):
            settings = definition
        else:
            others.setdefault(row.kind, []).append(Entry(row.definition_id, row.key, definition))
    found = Compiled(rev, segments, automations, others, manual_segments=manual, archived_segments=archived)
    return found if settings is None else replace(found, settings=settings)


def _position(at: datetime | None, seq: int | None) -> Position | None:
    return None if at is None or seq is None else Position(at, seq)


def _readable(rows: Sequence[DefinitionRow]) -> Iterator[tuple[DefinitionRow, Definition]]:
    for row in rows:
        definition, _ = read_definition(row.document)
        if definition is not None:
            yield row, definition


__all__ = ["Compiled", "compiled_from"]
