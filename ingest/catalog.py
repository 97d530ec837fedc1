"""The definitions of a workspace in the form that facts are applied with, as fresh as the transaction that asks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from domain.condition_keys import OBJECTS, Keys
from domain.definitions import SettingsDefinition
from domain.errors import NotFound
from domain.facts import Directory
from ingest.compiled import Compiled, compiled_from
from ingest.defined import ArchivedSegment, Campaign, Entry, ManualSegment, Segment, trigger_conditions, trigger_keys
from store import definitions as store
from store import workspaces
from store.database import Connection
from store.workspaces import WorkspaceRow


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
    def automations(self) -> Mapping[int, Campaign]:
        """Campaigns and broadcasts by id."""
        return self.compiled.automations

    @property
    def broadcasts(self) -> Mapping[int, Campaign]:
        """Broadcasts by id."""
        return self.compiled.broadcasts

    @property
    def transactional(self) -> Sequence[Entry]:
        """Transactional messages, oldest first."""
        return self.compiled.others.get("transactional", ())

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
    def snippets(self) -> Mapping[str, Any]:
        """The values of snippets by the names that templates know."""
        return self.compiled.snippets

    @property
    def domains(self) -> Sequence[Entry]:
        """Sending domains and tracking hosts, oldest first."""
        return self.compiled.others.get("domain", ())

    @property
    def providers(self) -> Sequence[Entry]:
        """Providers, oldest first."""
        return self.compiled.others.get("provider", ())

    def keys_for(self, campaign_id: int) -> Keys:
        """What planning a journey of the campaign may look at; everything, where one of its blocks changes people."""
        campaign = self.campaigns.get(campaign_id)
        if campaign is None:
            return Keys()
        shared = frozenset({OBJECTS}) if self.compiled.shared_texts_read_objects else frozenset()
        keys = campaign.keys | Keys(records=shared)
        return self.compiled.keys | keys if campaign.writes else keys

    def writes(self, campaign_id: int) -> bool:
        """Whether blocks of the campaign change people, so that planning one of its journeys may settle things."""
        campaign = self.campaigns.get(campaign_id)
        return campaign is not None and campaign.writes

    def find(self, kind: str, ref: str | int) -> Entry | None:
        """A document of another kind than segments and automations by key or id."""
        return next((e for e in self.compiled.others.get(kind, ()) if ref in (e.key, e.id)), None)


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
            compiled = compiled_from(workspace.definitions_rev, await store.load_all(conn, workspace_id))
            self._compiled[workspace_id] = compiled
        return Catalog(workspace, compiled)


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
    "trigger_keys",
]
