"""Storing a document that the App API has changed a part of: checked and written as any other (APP-04)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from domain.errors import InvalidInput
from services import definition_checks as checks
from services import definition_writes as writes
from services import definitions, private_urls
from services.contents_written import Writing
from store import workspaces
from store.database import Connection
from store.definitions import DefinitionRow
from store.workspaces import WorkspaceRow


async def save(
    conn: Connection,
    workspace: WorkspaceRow,
    rows: Sequence[DefinitionRow],
    document: Mapping[str, Any],
    writing: Writing,
    *,
    real_now: datetime,
) -> DefinitionRow:
    """The stored row of the document with these changes; the caller holds the lock under which it has read `rows`.

    Raises InvalidInput with everything wrong, where that can be said by pointers into the request, and `locked`.
    """
    private = await private_urls.allowed_in(conn, workspace)
    checked = checks.check([("", dict(document))], rows, sandbox=workspace.sandbox, private=private)
    await definitions.check_more(conn, workspace, checked, real_now)
    try:
        checked.refuse()
    except InvalidInput as refusal:
        found = [writing.in_request(problem) for problem in refusal.problems]
        raise InvalidInput([*writing.problems, *found]) from None
    if writing.problems:
        raise InvalidInput(writing.problems)
    ((definition, stored),) = checked.definitions
    change = await writes.plan(conn, workspace.workspace_id, definition, stored)
    now = workspace.now(real_now)
    written = await writes.write(conn, workspace, change, source=None, waits="continue", now=now)
    if change.action != "unchanged":
        await workspaces.bump_definitions(conn, workspace.workspace_id)
    assert written.row is not None, "what was written is stored"
    return written.row


__all__ = ["save"]
