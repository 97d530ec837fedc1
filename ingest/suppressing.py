"""Identifiers that must not come back: looked up by a keyed hash, so that the list itself names nobody (PPL-12)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

from domain.operations import Identifier, Name
from ingest.claim import Fact
from store import suppressions
from store.database import Connection
from store.workspaces import WorkspaceRow

KINDS = frozenset({"id", "email"})


def hashed(workspace: WorkspaceRow, name: Name) -> bytes:
    """The form in which a suppressed identifier is kept."""
    text = f"suppressed/{name.kind}/{name.value_key}".encode()
    return hashlib.blake2b(text, digest_size=32, key=workspace.delivery_key).digest()


async def suppressed_names(conn: Connection, workspace: WorkspaceRow, facts: Sequence[Fact]) -> set[Name]:
    """The identifiers mentioned by some facts that are suppressed."""
    if not await suppressions.any_in(conn, workspace.workspace_id):
        return set()
    return await suppressed_among(conn, workspace, (name for fact in facts for name in fact.names))


async def suppressed_among(conn: Connection, workspace: WorkspaceRow, names: Iterable[Name]) -> set[Name]:
    """Which of these identifiers are suppressed."""
    hashes = {hashed(workspace, name): name for name in names if name.kind in KINDS}
    found = await suppressions.found(conn, workspace.workspace_id, list(hashes))
    return {hashes[value] for value in found}


def subject_of(operation: object) -> Identifier | None:
    """The one person an operation is about, where it has one."""
    subject = getattr(operation, "subject", None)
    return subject if isinstance(subject, Identifier) else None


__all__ = ["hashed", "subject_of", "suppressed_among", "suppressed_names"]
