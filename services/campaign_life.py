"""Putting a campaign away and bringing it back (CMP-20)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from domain.definitions.library import ARCHIVED, Library
from services import definition_checks as checks
from services import journeys, schedules, segment_life
from services.campaigns import PAGES_AT_ONCE, STOPPABLE, Found, answered, find, unfit
from store import definitions as store
from store import schedules as schedule_store
from store import workspaces
from store.database import Connection, Database

ARCHIVABLE: Final = (*STOPPABLE, "stopped")


async def archive(db: Database, workspace_id: int, ref: str | int, real_now: datetime) -> dict[str, Any]:
    """Put a campaign away: nobody enters, journeys end, drafts are deleted, the document changes no more.

    Answers with its status. Raises NotFound, DomainError `invalid_state` for a draft or one that is archived.
    """
    async with db.transaction() as conn:
        found = await find(conn, workspace_id, ref)
        row, now = found.row, found.workspace.now(real_now)
        if row.state not in ARCHIVABLE:
            raise unfit("archive", row, "running or stopped")
        await store.set_state(conn, workspace_id, "campaign", row.definition_id, ARCHIVED)
        await schedule_store.drop(conn, workspace_id, row.definition_id)
        ending = await journeys.end_all_of_campaign(conn, found.workspace, row.definition_id, "archived", now)
        await workspaces.bump_definitions(conn, workspace_id)
    await journeys.end_all(
        db, found.workspace, row.definition_id, "archived", now, pages=PAGES_AT_ONCE, up_to=ending.up_to
    )
    return await answered(db, replace(row, state=ARCHIVED), ending.task_id)


async def unarchive(db: Database, workspace_id: int, ref: str | int, real_now: datetime) -> dict[str, Any]:
    """Bring a campaign back as stopped, and with it the archived segments that it uses, which are built anew.

    Raises NotFound, DomainError `invalid_state` for one that is not archived.
    """
    async with db.transaction() as conn:
        found = await find(conn, workspace_id, ref)
        row, now = found.row, found.workspace.now(real_now)
        if row.state != ARCHIVED:
            raise unfit("unarchive", row, ARCHIVED)
        await _revive_segments(conn, found, now)
        await store.set_state(conn, workspace_id, "campaign", row.definition_id, "stopped")
        await schedules.arm_again(conn, row, now)
        await workspaces.bump_definitions(conn, workspace_id)
    return await answered(db, replace(row, state="stopped"), None)


async def _revive_segments(conn: Connection, found: Found, now: datetime) -> None:
    """Bring back the archived segments that the campaign uses, those that they are made of first."""
    library = checks.library_of(found.rows)
    back: dict[str, None] = dict.fromkeys(_archived_below(library, "campaign", found.row.key, set()))
    rows = list(found.rows)
    for key in back:
        rows = await segment_life.revive(conn, found.workspace, rows, key, now)


def _archived_below(library: Library, kind: str, ref: str | int, seen: set[str]) -> Iterator[str]:
    entry = library.find(kind, ref)
    for use in entry.uses if entry is not None else ():
        below = library.find(use.kind, use.ref) if use.kind == "segment" else None
        if below is not None and below.archived and below.key not in seen:
            seen.add(below.key)
            yield from _archived_below(library, "segment", below.key, seen)
            yield below.key


__all__ = ["ARCHIVABLE", "archive", "unarchive"]
