"""What a test may do to a mailbox: empty it, and have the capture provider misbehave by rules."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from domain.captured import FaultRule
from domain.documents import Document
from domain.errors import DomainError, NotFound
from store import mailbox as store
from store import workspaces
from store.database import Database
from store.reads import mailbox as reads

MOST = 100


class Faults(Document):
    """The rules, in order; `times` counts the uses a rule has left."""

    faults: Annotated[tuple[FaultRule, ...], Field(max_length=MOST)]


async def rules(db: Database, workspace_id: int) -> dict[str, Any]:
    """The rules that still have uses left, in order."""
    async with db.connection() as conn:
        found = await reads.faults(conn, workspace_id)
    return {"faults": [{**rule, "times": left} for rule, left in found]}


async def replace(db: Database, workspace_id: int, wanted: Faults) -> dict[str, Any]:
    """Put these rules in place of those that were there; raises DomainError `not_sandbox` outside a sandbox."""
    async with db.transaction() as conn:
        workspace = await workspaces.get(conn, workspace_id)
        if workspace is None:
            raise NotFound("workspace", workspace_id)
        if not workspace.sandbox:
            raise DomainError("not_sandbox", "Only in a sandbox can messages be made to fail.")
        await store.replace_faults(conn, workspace_id, wanted.faults)
    return await rules(db, workspace_id)


async def clear(db: Database, workspace_id: int) -> None:
    """Empty the mailbox."""
    async with db.transaction() as conn:
        await store.clear(conn, workspace_id)


__all__ = ["Faults", "clear", "replace", "rules"]
