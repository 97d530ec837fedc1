"""Answers under idempotency keys whose day is over: forgotten page by page (CHN-02)."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from store import idempotency
from store.database import Database

PAGE: Final = 2_000


async def expire_answers(db: Database, real_now: datetime) -> int:
    """Forget the answers that have expired; returns how many."""
    count, gone = 0, PAGE
    while gone == PAGE:
        async with db.transaction() as conn:
            gone = await idempotency.expire(conn, real_now, PAGE)
        count += gone
    return count


__all__ = ["expire_answers"]
