"""What waits for its person for thirty days, and ids that repeats are known by: deleted when their time is over (PPL-09)."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Final

from ingest.anonymous import KEPT
from store import expiry as store
from store.database import Connection, Database

logger = logging.getLogger("sojourn.expiry")

PAGE: Final = 5_000
REFUSALS_KEPT: Final = timedelta(days=30)
"""How long it is known why people did not begin a journey (CMP-34)."""
GRACE: Final = timedelta(days=1)
"""How long an id is kept beyond its time, for facts that were received within it and are applied late."""


async def expire(db: Database, now: datetime) -> dict[str, int]:
    """Delete what has expired by the clock of its workspace, page by page; returns how many of each. `now` is real time."""
    gone = {
        "anonymous_facts": await _all(db, lambda conn: store.anonymous_facts(conn, now, KEPT, PAGE)),
        "dedupe_keys": await _all(db, lambda conn: store.dedupe_keys(conn, now, GRACE, PAGE)),
        "entry_retries": await _all(db, lambda conn: store.entry_retries(conn, now, GRACE, PAGE)),
        "entry_refusals": await _all(db, lambda conn: store.entry_refusals(conn, now, REFUSALS_KEPT, PAGE)),
    }
    if any(gone.values()):
        logger.info("What had expired is deleted.", extra=gone)
    return gone


async def _all(db: Database, delete: Callable[[Connection], Awaitable[int]]) -> int:
    total, page = 0, PAGE
    while page == PAGE:
        async with db.transaction() as conn:
            page = await delete(conn)
        total += page
    return total


__all__ = ["expire"]
