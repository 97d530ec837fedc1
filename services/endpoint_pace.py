"""How fast a host is called that has said it is too much: as fast as it took calls lately, and a little faster (ACT-31)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from channels.base import Outgoing
from channels.http_answers import TOO_MANY
from domain.web_addresses import host_of
from services.delivery_outcomes import HELD, Outcome
from store import endpoint_answers as store
from store.database import Connection, Database
from store.deliveries import DeliveryRow

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


async def turn_of(db: Database, row: DeliveryRow, outgoing: Outgoing, now: datetime) -> datetime | None:
    """When the endpoint of a delivery may be called, where that is later: what was held has its turn already (ACT-31)."""
    its_turn = row.held_until is not None and row.failure_message == HELD
    if outgoing.call is None or row.channel != "webhook" or its_turn or row.handed_over_at is not None:
        return None
    async with db.connection() as conn:
        return await turn(conn, row.workspace_id, host_of(outgoing.call.url), now)


async def note_answer(db: Database, outgoing: Outgoing, outcome: Outcome) -> None:
    """Count what the endpoint answered; in no transaction of the message, since others write the same row."""
    if outgoing.call is None or outgoing.channel != "webhook" or outcome.response is None:
        return
    host, status = host_of(outgoing.call.url), outcome.response.status
    async with db.connection() as conn:
        await note(conn, outgoing.workspace_id, host, status, outgoing.at)


async def note(conn: Connection, workspace_id: int, host: str, status: int, at: datetime) -> None:
    """Count the answer of a host."""
    succeeded, throttled = int(200 <= status < 300), int(status == TOO_MANY)
    if succeeded or throttled:
        await store.note(conn, workspace_id, host, at, succeeded=succeeded, throttled=throttled)


__all__ = ["gap_between", "note", "note_answer", "turn", "turn_of"]
