"""Calls to the URLs of webhook campaigns: a journey each, or a sample for previews (CMP-09)."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from domain.definitions.library import ARCHIVED
from domain.errors import DomainError
from domain.ids import ulid
from domain.operations import StartByPayload
from ingest.accept import Acceptor
from store import definitions as store
from store import workspaces
from store.database import Database
from store.definitions import DefinitionRow
from store.workspaces import WorkspaceRow

MOST_TOKEN: Final = 100
_UNKNOWN: Final = "There is no campaign behind this URL."


@dataclass(frozen=True)
class Target:
    """The campaign behind a URL, in its workspace."""

    workspace: WorkspaceRow
    campaign: DefinitionRow


@dataclass(frozen=True)
class Received:
    """What became of a call: the journey that it begins, or that it is kept as a sample."""

    journey_id: str | None
    sample_stored: bool


async def target_of(db: Database, token: str) -> Target:
    """The campaign behind a URL's token, which is the caller's only credential.

    Raises DomainError `not_found` where there is none that may be called, `invalid_state` for one that is stopped.
    """
    row: DefinitionRow | None = None
    workspace: WorkspaceRow | None = None
    if len(token) <= MOST_TOKEN and "\x00" not in token:
        async with db.connection() as conn:
            row = await store.by_webhook(conn, token)
            workspace = None if row is None else await workspaces.get(conn, row.workspace_id)
    if row is None or workspace is None or row.state == ARCHIVED or row.document["trigger"]["type"] != "webhook":
        raise DomainError("not_found", _UNKNOWN)
    if row.state in ("stopping", "stopped"):
        raise DomainError("invalid_state", "The campaign is stopped and takes no calls.")
    return Target(workspace, row)


async def receive(db: Database, acceptor: Acceptor, target: Target, payload: Any, real_now: datetime) -> Received:
    """Accept one call with any JSON value; returns once what it begins is committed."""
    workspace, row = target.workspace, target.campaign
    if row.state == "draft":
        async with db.transaction() as conn:
            await store.set_sample(conn, workspace.workspace_id, row.definition_id, payload)
        return Received(None, sample_stored=True)
    journey_id = _made(workspace.now(real_now), real_now)
    entry = StartByPayload(campaign_id=row.definition_id, journey_id=journey_id, payload=payload)
    await acceptor.append(workspace.workspace_id, [entry], f"Webhook: {row.name}", real_now)
    return Received(journey_id, sample_stored=False)


def _made(now: datetime, real_now: datetime) -> str:
    """The id of a journey made now; of those of one instant of a sandbox the order is that of real time."""
    order = int(real_now.timestamp() * 1_000_000) % 2**48
    return ulid(int(now.timestamp() * 1_000), order.to_bytes(6, "big") + os.urandom(4))


__all__ = ["Received", "Target", "receive", "target_of"]
