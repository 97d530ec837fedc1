"""Switching the sending behaviour of several blocks at once: an ordinary edit of the document (CMP-27)."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from domain.blocks.base import ActionBlock, SendingState
from domain.definitions import CampaignDefinition, read_definition
from domain.definitions.library import ARCHIVED
from domain.errors import DomainError, InvalidInput, Problem
from services import campaigns, private_urls
from services import definition_checks as checks
from services import definition_writes as writes
from services.definitions import status
from store import workspaces
from store.database import Database


async def switch(
    db: Database,
    workspace_id: int,
    ref: str | int,
    to: SendingState,
    blocks: Sequence[str] | None,
    *,
    real_now: datetime,
) -> dict[str, Any]:
    """Have these blocks, or all that send or change something, behave so from now on; answers with the status.

    Drafts stay drafts. Raises NotFound, DomainError `locked` for an archived campaign, InvalidInput.
    """
    async with db.transaction() as conn:
        found = await campaigns.find(conn, workspace_id, ref)
        workspace, rows, row = found.workspace, found.rows, found.row
        if row.state == ARCHIVED:
            raise DomainError("locked", f"The campaign '{row.key}' is archived: unarchive it first.")
        document = _switched(row.document, to, blocks)
        private = await private_urls.allowed_in(conn, workspace)
        checked = checks.check([("", document)], rows, sandbox=workspace.sandbox, private=private)
        checked.refuse()
        for definition, stored in checked.definitions:
            change = await writes.plan(conn, workspace_id, definition, stored)
            now = workspace.now(real_now)
            written = await writes.write(conn, workspace, change, source=None, waits="continue", now=now)
            if change.action != "unchanged":
                await workspaces.bump_definitions(conn, workspace_id)
            row = written.row or row
        return await status(conn, row)


def _switched(document: Mapping[str, Any], to: SendingState, named: Sequence[str] | None) -> dict[str, Any]:
    campaign, _ = read_definition(document)
    assert isinstance(campaign, CampaignDefinition), "what is stored can be read"
    blocks = campaign.workflow.blocks
    problems = []
    for index, key in enumerate(named or ()):
        if key not in blocks:
            code, message = "unknown_block", f"There is no block '{key}'."
        elif not isinstance(blocks[key], ActionBlock):
            code, message = "not_applicable", f"The block '{key}' neither sends nor changes anything."
        else:
            continue
        problems.append(Problem(code=code, pointer=f"/blocks/{index}", message=message))
    if problems:
        raise InvalidInput(problems)
    switched = copy.deepcopy(dict(document))
    for key, block in blocks.items():
        if isinstance(block, ActionBlock) and (named is None or key in named):
            written = switched["workflow"]["blocks"][key]
            written["sending_state"] = to
            # A variation that has a behaviour of its own would go on as it did.
            written.get("ab_test", {}).pop("sending_state", None)
    return switched


__all__ = ["switch"]
