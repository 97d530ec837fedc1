"""How fast a host is called that has said it is too much: as fast as it took calls lately, and a little faster (ACT-31)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from channels.http_answers import TOO_MANY
from store import endpoint_answers as store
from store.database import Connection

HEADROOM: Final = 1.1
LEAST_PER_SECOND: Final = 1.0
SECONDS: Final = store.SPAN.total_seconds()


def gap_between(succeeded: int) -> timedelta:
    """The time from one call to the next for a host that took so many within ten minutes."""
    return timedelta(seconds=1 / max(LEAST_PER_SECOND, succeeded / SECONDS * HEADROOM))


async def turn(conn: Connection, workspace_id: int, host: str, now: datetime) -> datetime | None:
    """When a call may be made, where that is later than now; whoever is told an instant has it for themselves."""
    lately = await store.recent(conn, workspace_id, host, now)
    if not lately.throttled:
        return None
    at = await store.take_turn(conn, workspace_id, host, now, gap_between(lately.succeeded))
    return at if at > now else None


async def note(conn: Connection, workspace_id: int, host: str, status: int, at: datetime) -> None:
    """Count the answer of a host."""
    succeeded, throttled = int(200 <= status < 300), int(status == TOO_MANY)
    if succeeded or throttled:
        await store.note(conn, workspace_id, host, at, succeeded=succeeded, throttled=throttled)


__all__ = ["gap_between", "note", "turn"]
