"""A broadcast's life: started so that it takes triggers, stopped, put away, brought back, copied (CHN-15)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from domain.definitions.library import ARCHIVED
from domain.errors import DomainError, InvalidInput
from services import campaign_copy, campaigns, definitions
from services import definition_checks as checks
from services.broadcasts import ends
from services.campaigns import Found
from services.definitions import wire_problem
from services.private_urls import saved
from store import definitions as store
from store import workspaces
from store.database import Connection, Database
from store.definitions import DefinitionRow

KIND: Final = "broadcast"
STARTABLE: Final = ("draft", "stopped")
ARCHIVABLE: Final = ("running", "stopped")


async def start(db: Database, workspace_id: int, ref: str | int, real_now: datetime) -> dict[str, Any]:
    """Let it take triggers; answers with its status and, under `problems`, what is odd.

    Raises NotFound, DomainError `invalid_state`, InvalidInput with everything that a start demands.
    """
    async with db.transaction() as conn:
        found = await find(conn, workspace_id, ref)
        row = found.row
        if row.state not in STARTABLE:
            raise _unfit("start", row, "draft or stopped")
        checked = checks.check([("", row.document)], found.rows, sandbox=found.workspace.sandbox, private=saved)
        if checked.errors:
            raise InvalidInput(checked.errors)
        now = found.workspace.now(real_now)
        await store.set_started(conn, workspace_id, row.definition_id, "running", now)
        await workspaces.bump_definitions(conn, workspace_id)
    begun = replace(row, state="running", started_at=now, first_started=row.first_started or now)
    return await _answered(db, begun) | {"problems": [wire_problem(warning) for warning in checked.warnings]}


async def stop(db: Database, workspace_id: int, ref: str | int) -> dict[str, Any]:
    """Let it take no more triggers; those in its queue run to their end. Raises NotFound, DomainError `invalid_state`."""
    async with db.transaction() as conn:
        found = await find(conn, workspace_id, ref)
        if found.row.state != "running":
            raise _unfit("stop", found.row, "running")
        row = await _set_state(conn, found.row, "stopped")
    return await _answered(db, row)


async def archive(db: Database, workspace_id: int, ref: str | int, real_now: datetime) -> dict[str, Any]:
    """Put it away: it takes no triggers, its drafts are deleted, the document changes no more.

    Raises NotFound, DomainError `invalid_state` for a draft, for one that is archived, and while triggers are not over.
    """
    async with db.transaction() as conn:
        found = await find(conn, workspace_id, ref)
        if found.row.state not in ARCHIVABLE:
            raise _unfit("archive", found.row, "running or stopped")
        row = await _set_state(conn, found.row, ARCHIVED)
        task_id = await ends.end(conn, row, found.workspace.now(real_now))
    return await _answered(db, row) | {"task_id": task_id}


async def unarchive(db: Database, workspace_id: int, ref: str | int) -> dict[str, Any]:
    """Bring it back as stopped; a start looks whether all that it uses is there. Raises NotFound, `invalid_state`."""
    async with db.transaction() as conn:
        found = await find(conn, workspace_id, ref)
        if found.row.state != ARCHIVED:
            raise _unfit("unarchive", found.row, ARCHIVED)
        row = await _set_state(conn, found.row, "stopped")
    return await _answered(db, row)


async def duplicate(db: Database, workspace_id: int, ref: str | int, body: Any, real_now: datetime) -> dict[str, Any]:
    """Make a draft with the same recipients and blocks, of which no trigger is known.

    `body` is `{"key", "name"}` as received. Raises NotFound, InvalidInput, DomainError `invalid_state` for an archived one.
    """
    asked = campaign_copy.read(body)
    async with db.transaction() as conn:
        return await campaign_copy.copy(conn, await find(conn, workspace_id, ref), asked, real_now)


async def find(conn: Connection, workspace_id: int, ref: str | int) -> Found:
    """The broadcast, whose state nobody else changes before this transaction ends; raises NotFound."""
    return await campaigns.find(conn, workspace_id, ref, KIND)


async def _set_state(conn: Connection, row: DefinitionRow, state: str) -> DefinitionRow:
    await store.set_state(conn, row.workspace_id, KIND, row.definition_id, state)
    await workspaces.bump_definitions(conn, row.workspace_id)
    return replace(row, state=state)


async def _answered(db: Database, row: DefinitionRow) -> dict[str, Any]:
    async with db.connection() as conn:
        return await definitions.status(conn, row)


def _unfit(verb: str, row: DefinitionRow, state: str) -> DomainError:
    return DomainError("invalid_state", f"The broadcast is {row.state}; {verb} needs it to be {state}.")


__all__ = ["archive", "duplicate", "find", "start", "stop", "unarchive"]
