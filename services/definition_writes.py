"""What applying a document does: the row it becomes, the change that is answered, the work that follows."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal

from domain.definitions import (
    AutomationDefinition,
    BroadcastDefinition,
    CampaignDefinition,
    Definition,
    DomainDefinition,
    ObjectTypeDefinition,
    ProviderDefinition,
    SegmentDefinition,
    SettingsDefinition,
    read_definition,
)
from domain.definitions.campaign import LIVE_STATES
from domain.definitions.edits import (
    WorkflowEdit,
    changes_goal,
    content_edits,
    interval_since,
    moves_entries,
    raises_version,
    workflow_edit,
)
from domain.definitions.transactional import UNCATEGORIZED, TransactionalDefinition
from domain.diff import DiffEntry, diff
from domain.values import same
from services import domains, layout_drafts, object_types, schedules, tasks
from store import definitions as store
from store import drafts, log, provider_turns, workspaces
from store import tasks as task_store
from store.database import Connection
from store.definitions import DefinitionRow
from store.workspaces import WorkspaceRow

Action = Literal["create", "update", "unchanged"]
EMAIL_OR_ID = "email_or_id"
RemovedWaits = Literal["continue", "exit"]
_COUNTERS = {"broadcast": ("campaign", 1), "transactional": ("transactional", UNCATEGORIZED + 1)}
"""Kinds whose ids are not counted from 1 by themselves: broadcasts count with campaigns (CHN-15)."""
TOKEN_BYTES = 24
"""How long the secret in the URL of a webhook campaign is."""


@dataclass(frozen=True)
class Change:
    """One document on its way into the database."""

    definition: Definition
    row: DefinitionRow | None
    document: dict[str, Any]
    action: Action
    diff: Sequence[DiffEntry] = ()
    edit: WorkflowEdit = field(default_factory=WorkflowEdit)
    rebuilds: bool = False
    waiting: int = 0
    redrafted: Sequence[int] = ()
    """The actions whose drafts are rendered again."""
    drafts: int = 0

    @property
    def number(self) -> int | None:
        """The id, once there is one."""
        return self.row.definition_id if self.row is not None else None

    def wire(self) -> dict[str, Any]:
        """The change as it is answered, with secrets hidden."""
        revision = 1 if self.row is None else self.row.revision
        answer: dict[str, Any] = {"kind": self.definition.kind, "key": self.definition.key}
        if self.number is not None:
            answer["id"] = self.number
        answer |= {"action": self.action, "revision": revision}
        if self.action == "update":
            answer["diff"] = [entry.masked(self.definition.secrets).wire() for entry in self.diff]
        effects = self._effects()
        return answer | ({"effects": effects} if effects else {})

    def _effects(self) -> dict[str, Any]:
        if self.action != "unchanged" and isinstance(self.definition, SegmentDefinition):
            return {"segment_rebuild": self.rebuilds}
        if self.action == "update" and isinstance(self.definition, TransactionalDefinition):
            return {"drafts_rerendered": self.drafts}
        if self.action == "update" and isinstance(self.definition, AutomationDefinition):
            return {
                "blocks_added": list(self.edit.fresh),
                "blocks_removed": sorted(self.edit.removed),
                "waiting_reevaluated": self.waiting,
                "drafts_rerendered": self.drafts,
            }
        return {}


async def plan(conn: Connection, workspace_id: int, definition: Definition, row: DefinitionRow | None) -> Change:
    """What applying the document would do; reads only."""
    document = definition.wire()
    if row is not None and isinstance(definition, ObjectTypeDefinition):
        document["object_type_id"] = row.definition_id
    if row is None:
        edit = workflow_edit(None, definition, {}) if isinstance(definition, AutomationDefinition) else WorkflowEdit()
        return Change(definition, None, document, "create", (), edit, _is_built(definition))
    if same(document, row.document):
        return Change(definition, row, document, "unchanged")
    before, _ = read_definition(row.document)
    change = Change(definition, row, document, "update", diff(row.document, document))
    if isinstance(definition, SegmentDefinition):
        differs = not isinstance(before, SegmentDefinition) or before.conditions != definition.conditions
        return replace(change, rebuilds=differs and _is_built(definition))
    if isinstance(definition, AutomationDefinition):
        known = before if isinstance(before, AutomationDefinition) else None
        edit = workflow_edit(known, definition, row.actions)
        waiting = await store.standing_at(conn, workspace_id, row.definition_id, edit.touched) if edit.touched else 0
        rebuilds = _moves_entries(known, definition, row)
        change = replace(change, edit=edit, waiting=waiting, rebuilds=rebuilds)
        return change if known is None else await _with_drafts(conn, workspace_id, change, known, definition)
    if isinstance(definition, TransactionalDefinition):
        chosen = drafts.Chosen(transactional_id=row.definition_id)
        return replace(change, drafts=await drafts.count(conn, workspace_id, chosen))
    return change


def _moves_entries(before: AutomationDefinition | None, after: AutomationDefinition, row: DefinitionRow) -> bool:
    """Whether everybody is looked at anew for when they enter a campaign; nobody enters a broadcast."""
    if not isinstance(before, CampaignDefinition) or not isinstance(after, CampaignDefinition):
        return False
    return row.state in LIVE_STATES and moves_entries(before, after)


async def _with_drafts(
    conn: Connection, workspace_id: int, change: Change, before: AutomationDefinition, after: AutomationDefinition
) -> Change:
    """The change with the drafts that it has rendered again (CMP-28)."""
    redrafted = content_edits(before, after, change.edit)
    if not redrafted or change.row is None or change.row.first_started is None:
        return change
    count = await drafts.count(conn, workspace_id, drafts.Chosen(campaign_id=change.number, action_ids=redrafted))
    return replace(change, redrafted=redrafted if count else (), drafts=count)


def _is_built(definition: Definition) -> bool:
    """Whether everybody is looked at to find out who is in it."""
    return isinstance(definition, SegmentDefinition) and definition.conditions is not None


async def write(
    conn: Connection, workspace: WorkspaceRow, change: Change, *, source: str | None, waits: RemovedWaits, now: datetime
) -> Change:
    """Carry the change out, the tasks that follow from it included; `now` is the workspace's instant."""
    if change.action == "unchanged":
        return change
    row = await _created(conn, workspace, change, source, now) if change.row is None else _updated(change, source, now)
    row = replace(row, actions=await _numbered(conn, workspace.workspace_id, change.edit))
    if isinstance(change.definition, SegmentDefinition) and (change.rebuilds or change.row is None):
        # Who is put into a segment by hand needs no looking for.
        row = replace(row, state="building" if change.rebuilds else "ready")
    if isinstance(change.definition, AutomationDefinition) and change.definition.goal and row.goal_seq is None:
        # Whoever entered before the first goal is no candidate for it (CMP-26).
        seq = 0 if row.first_started is None else await log.last_seq(conn, row.workspace_id)
        row = replace(row, goal_seq=seq, goal_at=now if seq else None)
    if change.row is not None and row.first_started is not None and _has_another_goal(change):
        row = replace(row, goal_changed_at=now, goal_changed_seq=await log.last_seq(conn, row.workspace_id))
    if isinstance(change.definition, CampaignDefinition) and not change.definition.trigger.has_person:
        # It stays the campaign's own, whatever becomes of the document.
        row = replace(row, webhook_token=row.webhook_token or secrets.token_urlsafe(TOKEN_BYTES))
    if change.row is None:
        await store.insert(conn, row)
    else:
        await store.update(conn, row, source=source)
    await layout_drafts.follow(conn, change.row, row, now)
    if isinstance(change.definition, SettingsDefinition):
        before = {} if change.row is None else change.row.document
        await follow_identifiers(conn, workspace.workspace_id, before, change.document, now)
    elif isinstance(change.definition, SegmentDefinition):
        if change.rebuilds:
            payload = {"segment_id": row.definition_id}
            await tasks.create(conn, workspace.workspace_id, "segment_build", payload, now=now)
    elif isinstance(change.definition, CampaignDefinition):
        known = None if change.row is None else schedules.schedule_of(change.row.document)
        await schedules.arm(conn, row, known, change.definition.schedule)
        await _follow_up(conn, change, row, waits, now)
    elif isinstance(change.definition, BroadcastDefinition):
        await _follow_up(conn, change, row, waits, now)
    await _redrafted(conn, change, row, now)
    await _reconfigured(conn, change, row, now)
    return replace(change, row=row)


async def _redrafted(conn: Connection, change: Change, row: DefinitionRow, now: datetime) -> None:
    """Drafts of a transactional message follow it (CHN-10)."""
    if isinstance(change.definition, TransactionalDefinition) and change.drafts:
        payload = {"transactional_id": row.definition_id}
        await tasks.create(conn, row.workspace_id, "rerender_drafts", payload, total=change.drafts, now=now)


async def _reconfigured(conn: Connection, change: Change, row: DefinitionRow, now: datetime) -> None:
    """What is known of the outside is known no more where it was defined anew."""
    if isinstance(change.definition, DomainDefinition) and change.row is not None:
        await domains.follow(conn, row, change.row.document)
    elif isinstance(change.definition, ProviderDefinition):
        # What was wrong with a server that is left in peace may be mended now.
        await provider_turns.hasten(conn, row.workspace_id, row.key, now)


def _has_another_goal(change: Change) -> bool:
    before = None if change.row is None else read_definition(change.row.document)[0]
    after = change.definition
    if not isinstance(before, AutomationDefinition) or not isinstance(after, AutomationDefinition):
        return False
    return changes_goal(before, after)


async def follow_identifiers(
    conn: Connection, workspace_id: int, before: Mapping[str, Any], after: Mapping[str, Any], now: datetime
) -> None:
    """Where other things name people than before, everybody is looked at, and facts wait until that is done (PPL-02).

    `before` and `after` are settings documents, empty ones where there are none.
    """
    if before.get("identifiers", EMAIL_OR_ID) != after.get("identifiers", EMAIL_OR_ID):
        await tasks.create(conn, workspace_id, "identifiers", {}, priority="high", now=now)


async def _created(
    conn: Connection, workspace: WorkspaceRow, change: Change, source: str | None, now: datetime
) -> DefinitionRow:
    definition, document = change.definition, change.document
    if isinstance(definition, ObjectTypeDefinition):
        number = await object_types.number_for(conn, workspace.workspace_id, definition)
        document = {**document, "object_type_id": number}
    else:
        counter, first = _COUNTERS.get(definition.kind, (definition.kind, 1))
        number = await workspaces.next_id(conn, workspace.workspace_id, counter, first)
    return DefinitionRow(
        workspace_id=workspace.workspace_id,
        kind=definition.kind,
        definition_id=number,
        key=definition.key,
        name=definition.name or definition.key,
        document=document,
        revision=1,
        version=1,
        state=definition.initial_state,
        source=source,
        created_at=now,
        updated_at=now,
    )


def _updated(change: Change, source: str | None, now: datetime) -> DefinitionRow:
    row, definition = change.row, change.definition
    assert row is not None, "only what is stored is updated"
    grows = False
    if isinstance(definition, AutomationDefinition):
        before, _ = read_definition(row.document)
        grows = not isinstance(before, AutomationDefinition) or raises_version(before, definition)
        if (
            isinstance(before, CampaignDefinition)
            and isinstance(definition, CampaignDefinition)
            and row.first_started is not None
        ):
            row = replace(row, interval_since=interval_since(before, definition, row.interval_since, now))
    return replace(
        row,
        name=definition.name or definition.key,
        document=change.document,
        revision=row.revision + 1,
        version=row.version + grows,
        source=row.source if source is None else source,
        removed_blocks=change.edit.successors(row.removed_blocks),
        schedule_problems=None,
        updated_at=now,
    )


async def _numbered(conn: Connection, workspace_id: int, edit: WorkflowEdit) -> dict[str, int]:
    """The action ids of all blocks; a new key gets a number that was never given out before."""
    actions = dict(edit.kept)
    for key in edit.fresh:
        actions[key] = await workspaces.next_id(conn, workspace_id, "action")
    return actions


async def _follow_up(conn: Connection, change: Change, row: DefinitionRow, waits: RemovedWaits, now: datetime) -> None:
    workspace_id, campaign_id, edit = row.workspace_id, row.definition_id, change.edit
    if change.action == "create" or row.first_started is None:
        return
    for old, new in edit.renamed.items():
        await store.rename_block(conn, workspace_id, campaign_id, old, new)
    if edit.to_replan:
        payload = {"campaign_id": campaign_id, "blocks": edit.to_replan, "removed_waits": waits}
        await tasks.create(conn, workspace_id, "replan", payload, total=change.waiting, now=now)
    if change.redrafted:
        payload = {"campaign_id": campaign_id, "action_ids": list(change.redrafted)}
        await tasks.create(conn, workspace_id, "rerender_drafts", payload, total=change.drafts, now=now)
    definition = change.definition
    if change.rebuilds and isinstance(definition, CampaignDefinition) and definition.trigger.single:
        # One that is being restarted may still have to forget who matched before, which is then this one's to do.
        anew = await task_store.is_open(conn, workspace_id, "trigger_build", {"campaign_id": campaign_id, "anew": True})
        payload = {"campaign_id": campaign_id, "anew": anew}
        await tasks.create(conn, workspace_id, "trigger_build", payload, now=now)
