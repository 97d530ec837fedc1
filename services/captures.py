"""The mailbox as the capture provider sees it."""

from __future__ import annotations

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

    async def take_call(self, mail: CapturedMail, url: str) -> FaultRule:
        """Keep one call and say how it is answered."""
        async with self._db.transaction() as conn:
            return await store.take_call(conn, mail, url)


__all__ = ["CaptureMailbox"]
