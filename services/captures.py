"""The mailbox as the capture provider and the management API use it."""

from __future__ import annotations

from collections.abc import Sequence

from domain.captured import CapturedMail, FaultRule, Taken
from store import mailbox as store
from store.database import Database


class CaptureMailbox:
    """Where captured messages go: a transaction for each, committed before the provider answers."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def take(self, mail: CapturedMail) -> Taken:
        """Keep one hand-over and say what became of it."""
        async with self._db.transaction() as conn:
            return await store.take(conn, mail)


async def clear(db: Database, workspace_id: int) -> None:
    """Empty the mailbox."""
    async with db.transaction() as conn:
        await store.clear(conn, workspace_id)


async def faults(db: Database, workspace_id: int) -> list[FaultRule]:
    """The fault rules in order."""
    async with db.connection() as conn:
        return await store.faults(conn, workspace_id)


async def replace_faults(db: Database, workspace_id: int, rules: Sequence[FaultRule]) -> None:
    """Put these rules in place of those that were there."""
    async with db.transaction() as conn:
        await store.replace_faults(conn, workspace_id, rules)


__all__ = ["CaptureMailbox", "clear", "faults", "replace_faults"]
