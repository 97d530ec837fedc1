"""Documents that the product makes for its users: checked like any other, under a key that nobody has yet."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from services import definition_checks as checks
from services import definition_writes as writes
from store import definitions as store
from store import workspaces
from store.database import Connection
from store.definitions import DefinitionRow
from store.workspaces import WorkspaceRow

MOST_KEY = 64
_NO_KEY = re.compile(r"[^a-z0-9]+")


async def make(
    conn: Connection,
    workspace: WorkspaceRow,
    document: Mapping[str, Any],
    *,
    named: str,
    rows: Sequence[DefinitionRow],
    now: datetime,
    key: str | None = None,
) -> DefinitionRow:
    """Store a new document under `key`, which nobody has, or one derived from the text `named`; raises InvalidInput.

    The caller holds the lock on definitions, under which it has read `rows`; `now` is the workspace's instant.
    """
    kind = document["kind"]
    if key is None:
        key = free_key(kind, named, {row.key for row in rows if row.kind == kind})
    checked = checks.check([("", {**document, "key": key})], rows, sandbox=workspace.sandbox)
    checked.refuse()
    ((definition, _),) = checked.definitions
    change = await writes.plan(conn, workspace.workspace_id, definition, None)
    written = await writes.write(conn, workspace, change, source=None, waits="continue", now=now)
    await workspaces.bump_definitions(conn, workspace.workspace_id)
    assert written.row is not None, "what was written has a row"
    return written.row


def free_key(kind: str, named: str, taken: set[str]) -> str:
    """A key that reads like the text and is not taken; the kind leads where the text begins with no letter."""
    plain = unicodedata.normalize("NFKD", named).encode("ascii", "ignore").decode().lower()
    stem = _NO_KEY.sub("-", plain).strip("-")
    if not stem[:1].isalpha():
        stem = f"{kind}-{stem}".strip("-")
    key, number = stem[:MOST_KEY].strip("-"), 1
    while key in taken:
        number += 1
        tail = f"-{number}"
        key = stem[: MOST_KEY - len(tail)].strip("-") + tail
    return key


async def locked(conn: Connection, workspace_id: int) -> list[DefinitionRow]:
    """Every document of the workspace, of which nobody writes any before this transaction ends."""
    await store.lock(conn, workspace_id)
    return await store.load_all(conn, workspace_id)


__all__ = ["free_key", "locked", "make"]
