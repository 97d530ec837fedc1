"""Deleting a definition: everything that goes with one of its kind, in the transaction that it goes in."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from services import definition_writes as writes
from services import journeys, object_types, tasks
from services.broadcasts import ends
from store import collections, domain_checks, schedules
from store import definitions as store
from store.database import Connection
from store.definitions import DefinitionRow
from store.workspaces import WorkspaceRow

_MEMBERS: Final = {"segment": "segment", "campaign": "trigger"}
"""Which memberships go with a definition, in a task: there may be as many as people."""


async def remove(conn: Connection, workspace: WorkspaceRow, row: DefinitionRow, now: datetime) -> None:
    """Remove a definition with everything of it; what there may be much of goes in tasks. `now` is the workspace's instant.

    The caller holds the lock on definitions, has seen that nothing refers to it, and raises the workspace's number.
    Journeys of a campaign end by a task; one that is planned before it comes finds its campaign gone and ends itself.
    Raises DomainError `invalid_state` for a broadcast with triggers that are not over.
    """
    workspace_id, number = row.workspace_id, row.definition_id
    if row.kind == "campaign":
        await journeys.end_all_of_campaign(conn, workspace, number, "deleted", now)
        await schedules.drop(conn, workspace_id, number)
    await store.delete(conn, workspace_id, row.kind, number)
    if row.kind == "settings":
        await writes.follow_identifiers(conn, workspace_id, row.document, {}, now)
    elif row.kind == "collection":
        await collections.delete(conn, workspace_id, number)
    elif row.kind == "broadcast":
        await ends.end(conn, row, now)
    elif row.kind == "domain":
        await domain_checks.forget(conn, workspace_id, number)
    elif row.kind == "object_type":
        await object_types.retire(conn, workspace_id, number, now)
    members = _MEMBERS.get(row.kind)
    if members is not None:
        payload = {"kind": members, "ref_id": number}
        await tasks.create(conn, workspace_id, "purge_memberships", payload, now=now)


__all__ = ["remove"]
