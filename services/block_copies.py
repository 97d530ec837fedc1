"""Copying blocks into a campaign, from it or another one, of its workspace or another one of the deployment (ACT-39)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from pydantic import ValidationError

from domain.block_copies import BlockCopy, Copied, Crossing, copied
from domain.definitions import CampaignDefinition, read_definition
from domain.definitions.campaign import LIVE_STATES
from domain.definitions.library import ARCHIVED
from domain.errors import DomainError, InvalidInput, NotFound, Problem
from domain.problems import from_validation_error
from services import definition_checks as checks
from services import definition_writes as writes
from services import definitions, private_urls
from services.definitions import wire_problem
from store import definitions as store
from store import workspaces
from store.database import Connection, Database
from store.definitions import DefinitionRow
from store.workspaces import WorkspaceRow

_OF_THE_TRIGGER: Final = frozenset({"liquid_root", "root_not_allowed", "event_time_not_allowed"})
"""What is wrong with a block that asks for what another kind of trigger has: it is copied as it is, and said."""


@dataclass(frozen=True)
class _Place:
    """A campaign among the definitions of its workspace."""

    workspace: WorkspaceRow
    rows: Sequence[DefinitionRow]
    row: DefinitionRow
    campaign: CampaignDefinition


def read(body: Any) -> BlockCopy:
    """What a body asks for; raises InvalidInput."""
    try:
        return BlockCopy.model_validate(body)
    except ValidationError as error:
        raise InvalidInput(from_validation_error(error, body)) from None


async def copy_blocks(
    db: Database, workspace_id: int, ref: str | int, asked: BlockCopy, *, dry_run: bool = False, now: datetime
) -> dict[str, Any]:
    """Put copies of blocks into a campaign and save it, as writing its document would; answers with what became of it.

    Raises NotFound; InvalidInput with pointers into the request for what is not there, into the document that is to be
    saved for everything else; DomainError `locked` for a campaign that is archived. Who may read the other workspace is the
    caller's to know.
    """
    async with db.transaction() as conn:
        if not dry_run:
            await store.lock(conn, workspace_id)
        there = await _place(conn, workspace_id, ref)
        if there.row.state == ARCHIVED:
            raise DomainError("locked", f"The campaign '{there.row.key}' is archived: unarchive it first.")
        made = _made(asked, await _source(conn, there, asked), there)
        private = await private_urls.allowed_in(conn, there.workspace)
        checked = checks.check([("", made.document)], there.rows, sandbox=there.workspace.sandbox, private=private)
        await definitions.check_more(conn, there.workspace, checked, now)
        checked.tolerate(_is_of_the_trigger)
        checked.refuse()
        ((definition, row),) = checked.definitions
        change = await writes.plan(conn, workspace_id, definition, row)
        if not dry_run:
            here = there.workspace.now(now)
            change = await writes.write(conn, there.workspace, change, source=None, waits="continue", now=here)
            await workspaces.bump_definitions(conn, workspace_id)
        assert change.row is not None, "the campaign is there"
        return {
            "change": change.wire(),
            "status": await definitions.status(conn, change.row),
            "copied": dict(made.keys),
            "warnings": [wire_problem(warning) for warning in (*made.warnings, *checked.warnings)],
        }


def _made(asked: BlockCopy, here: _Place, there: _Place) -> Copied:
    crosses = here.workspace.workspace_id != there.workspace.workspace_id
    crossing = Crossing(checks.library_of(here.rows), checks.library_of(there.rows), there.workspace.sandbox)
    return copied(
        asked,
        here.campaign,
        here.row.actions,
        there.campaign,
        live=there.row.state in LIVE_STATES,
        # People may still stand at what is gone, and would be at the copy.
        taken=there.row.removed_blocks,
        crossing=crossing if crosses else None,
    )


async def _source(conn: Connection, there: _Place, asked: BlockCopy) -> _Place:
    """Where blocks are copied from; raises InvalidInput where that is not there."""
    named, workspace_id = asked.from_, asked.from_.workspace or there.workspace.workspace_id
    if workspace_id == there.workspace.workspace_id:
        known = there.workspace, there.rows
    else:
        workspace = await workspaces.get(conn, workspace_id)
        if workspace is None:
            raise _absent("/from/workspace", f"There is no workspace {workspace_id}.")
        known = workspace, await store.load_all(conn, workspace_id)
    found = _found(*known, named.campaign)
    if found is None:
        raise _absent("/from/campaign", f"There is no campaign {named.campaign!r}.")
    return found


async def _place(conn: Connection, workspace_id: int, ref: str | int) -> _Place:
    workspace = await definitions.workspace_of(conn, workspace_id)
    found = _found(workspace, await store.load_all(conn, workspace_id), ref)
    if found is None:
        raise NotFound("campaign", ref)
    return found


def _found(workspace: WorkspaceRow, rows: Sequence[DefinitionRow], ref: str | int) -> _Place | None:
    row = next((r for r in rows if r.kind == "campaign" and ref in (r.key, r.definition_id)), None)
    campaign = read_definition(row.document)[0] if row is not None else None
    if row is None or not isinstance(campaign, CampaignDefinition):
        return None
    return _Place(workspace, rows, row, campaign)


def _is_of_the_trigger(problem: Problem) -> bool:
    return problem.code in _OF_THE_TRIGGER and problem.pointer.startswith("/workflow/")


def _absent(pointer: str, message: str) -> InvalidInput:
    return InvalidInput([Problem(code="unknown_reference", pointer=pointer, message=message)])


__all__ = ["copy_blocks", "read"]
