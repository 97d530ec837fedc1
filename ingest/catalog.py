"""The definitions of a workspace in the form that facts are applied with, as fresh as the transaction that asks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property

from domain.blocks import DataBlock, WaitUntil, wait_keys
from domain.condition_keys import EventMatch, Keys
from domain.conditions import Condition
from domain.definitions import CampaignDefinition, Definition, SegmentDefinition, SettingsDefinition, read_definition
from domain.definitions.campaign import LIVE_STATES
from domain.definitions.library import ARCHIVED
from domain.definitions.triggers import DateTrigger, EventTrigger, FormTrigger, SegmentTrigger, TriggerBase
from domain.errors import NotFound
from domain.facts import Directory
from domain.patterns import literal_name
from ingest.touching import Coming, KeyIndex, Watcher, Watchers
from store import definitions as store
from store import workspaces
from store.database import Connection
from store.workspaces import WorkspaceRow

ENTERING_STATES = frozenset({"starting", "running"})


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
    """A campaign as it stands now; journeys begun up to `goal_seq` in the log are older than its goal."""

    id: int
    key: str
    name: str
    state: str
    version: int
    definition: CampaignDefinition
    actions: Mapping[str, int]
    removed_blocks: Mapping[str, str | None]
    started_at: datetime | None
    goal_seq: int

    @cached_property
    def keys(self) -> Keys:
        """What planning a journey may look at: filters or trigger, goal, blocks."""
        keys = self.exit_keys
        for block in self.definition.workflow.blocks.values():
            for condition in block.needs_conditions():
                keys |= condition.keys
        return keys

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
        return any(isinstance(block, DataBlock) for block in self.definition.workflow.blocks.values())

    @property
    def rechecked(self) -> Condition | None:
        """What has to keep holding under an exit rule with filters: the trigger's conditions, or the filters (CMP-16)."""
        trigger = self.definition.trigger
        return trigger.conditions if isinstance(trigger, SegmentTrigger) else self.definition.filters

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


@dataclass(frozen=True)
class Compiled:
    """What one revision of a workspace's definitions compiles to."""

    rev: int
    segments: Mapping[int, Segment] = field(default_factory=dict)
    campaigns: Mapping[int, Campaign] = field(default_factory=dict)
    others: Mapping[str, Sequence[Entry]] = field(default_factory=dict)
    settings: SettingsDefinition = field(
        default_factory=lambda: SettingsDefinition.model_validate({"kind": "settings", "key": "workspace"})
    )
    manual_segments: Mapping[int, ManualSegment] = field(default_factory=dict)
    archived_segments: Mapping[int, ArchivedSegment] = field(default_factory=dict)

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
        ids = {("campaign", campaign.key): campaign.id for campaign in self.campaigns.values()}
        ids |= {(kind, entry.key): entry.id for kind, entries in self.others.items() for entry in entries}
        return Directory(ids, {campaign.id: campaign.actions for campaign in self.campaigns.values()})

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
            yield Watcher(keys, keys, ("trigger", campaign.id))
        for campaign in self.by_event:
            trigger, filters = campaign.definition.trigger, campaign.definition.filters
            if isinstance(trigger, EventTrigger | FormTrigger) and filters is not None:
                yield Watcher(Keys(events=(trigger.match,)), filters.keys)
        for campaign in self.campaigns.values():
            if campaign.state in LIVE_STATES:
                yield Watcher(campaign.exit_keys, campaign.exit_keys, ("trigger", campaign.id))
                for block in campaign.definition.workflow.blocks.values():
                    if isinstance(block, WaitUntil):
                        yield Watcher(wait_keys(block), wait_keys(block))

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
        return tuple(c for c in self.campaigns.values() if c.started_at is not None and c.definition.goal is not None)

    @cached_property
    def by_event(self) -> tuple[Campaign, ...]:
        """Campaigns that people enter by an event."""
        running = (c for c in self.campaigns.values() if c.state == "running")
        return tuple(c for c in running if isinstance(c.definition.trigger, EventTrigger | FormTrigger))

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


@dataclass(frozen=True)
class Catalog:
    """One workspace as a transaction sees it: its row (clock included) and its compiled definitions."""

    workspace: WorkspaceRow
    compiled: Compiled

    @property
    def workspace_id(self) -> int:
        """The workspace."""
        return self.workspace.workspace_id

    def now(self, real_now: datetime) -> datetime:
        """The workspace's present instant."""
        return self.workspace.now(real_now)

    @property
    def segments(self) -> Mapping[int, Segment]:
        """Segments by id."""
        return self.compiled.segments

    @property
    def segment_ids(self) -> Mapping[str, int]:
        """Segment ids by key."""
        return self.compiled.segment_ids

    @property
    def directory(self) -> Directory:
        """What references of conditions mean."""
        return self.compiled.directory

    @property
    def campaigns(self) -> Mapping[int, Campaign]:
        """Campaigns by id."""
        return self.compiled.campaigns

    @property
    def settings(self) -> SettingsDefinition:
        """The settings document, or what it would be by default."""
        return self.compiled.settings

    @property
    def senders(self) -> Sequence[Entry]:
        """Senders, oldest first."""
        return self.compiled.others.get("sender", ())

    @property
    def layouts(self) -> Sequence[Entry]:
        """Layouts, oldest first."""
        return self.compiled.others.get("layout", ())

    @property
    def providers(self) -> Sequence[Entry]:
        """Providers, oldest first."""
        return self.compiled.others.get("provider", ())

    def keys_for(self, campaign_id: int) -> Keys:
        """What planning a journey of the campaign may look at; everything, where one of its blocks changes people."""
        campaign = self.campaigns.get(campaign_id)
        if campaign is None:
            return Keys()
        return self.compiled.keys | campaign.keys if campaign.writes else campaign.keys

    def writes(self, campaign_id: int) -> bool:
        """Whether blocks of the campaign change people, so that planning one of its journeys may settle things."""
        campaign = self.campaigns.get(campaign_id)
        return campaign is not None and campaign.writes

    def find(self, kind: str, ref: str | int) -> Entry | None:
        """A sender, layout or provider by key or id."""
        return next((e for e in self.compiled.others.get(kind, ()) if ref in (e.key, e.id)), None)


def trigger_conditions(campaign: Campaign) -> Condition:
    """What somebody has to match to enter a campaign with a segment trigger."""
    trigger = campaign.definition.trigger
    assert isinstance(trigger, SegmentTrigger), "these campaigns are entered by matching conditions"
    return trigger.conditions


def trigger_keys(campaign: Campaign) -> Keys:
    """What decides whether and when somebody enters a campaign of `matching`."""
    trigger: TriggerBase = campaign.definition.trigger
    return trigger.keys if isinstance(trigger, DateTrigger) else trigger_conditions(campaign).keys


class Catalogs:
    """The compiled definitions of all workspaces in this process; each use compares the revision first."""

    def __init__(self) -> None:
        self._compiled: dict[int, Compiled] = {}

    async def get(self, conn: Connection, workspace_id: int) -> Catalog:
        """The workspace as this transaction sees it; raises NotFound."""
        workspace = await workspaces.get(conn, workspace_id)
        if workspace is None:
            self._compiled.pop(workspace_id, None)
            raise NotFound("workspace", workspace_id)
        compiled = self._compiled.get(workspace_id)
        if compiled is None or compiled.rev != workspace.definitions_rev:
            compiled = _compile(workspace.definitions_rev, await store.load_all(conn, workspace_id))
            self._compiled[workspace_id] = compiled
        return Catalog(workspace, compiled)


def _compile(rev: int, rows: Sequence[store.DefinitionRow]) -> Compiled:
    segments: dict[int, Segment] = {}
    campaigns: dict[int, Campaign] = {}
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
        elif isinstance(definition, CampaignDefinition):
            campaigns[row.definition_id] = Campaign(
                id=row.definition_id,
                key=row.key,
                name=row.name,
                state=row.state or "draft",
                version=row.version,
                definition=definition,
                actions=row.actions,
                removed_blocks=row.removed_blocks,
                started_at=row.started_at,
                goal_seq=row.goal_seq or 0,
            )
        elif isinstance(definition, SettingsDefinition):
            settings = definition
        else:
            others.setdefault(row.kind, []).append(Entry(row.definition_id, row.key, definition))
    found = Compiled(rev, segments, campaigns, others, manual_segments=manual, archived_segments=archived)
    return found if settings is None else replace(found, settings=settings)


def _readable(rows: Sequence[store.DefinitionRow]) -> Iterator[tuple[store.DefinitionRow, Definition]]:
    for row in rows:
        definition, _ = read_definition(row.document)
        if definition is not None:
            yield row, definition


__all__ = [
    "ArchivedSegment",
    "Campaign",
    "Catalog",
    "Catalogs",
    "Compiled",
    "Entry",
    "ManualSegment",
    "Segment",
    "trigger_conditions",
]
