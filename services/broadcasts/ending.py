"""The end of a trigger, whatever it comes of: the next one of its broadcast has its turn (CHN-22)."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from services.broadcasts.forgetting import forgotten
from services.due_sends import BROADCAST
from store import broadcasts, deliveries, outbox
from store.broadcasts import TriggerRow
from store.database import Connection

End = Literal["finished", "failed", "cancelled"]


async def end(conn: Connection, trigger: TriggerRow, state: End, now: datetime) -> None:
    """End a trigger whose lock the caller holds, and wake the one that waited behind it."""
    trigger.state, trigger.ended_at, trigger.next_at = state, now, None
    trigger.audience = forgotten(trigger.audience)
    await broadcasts.save(conn, trigger)
    await deliveries.ask_no_more(conn, trigger.workspace_id, BROADCAST, trigger.ref)
    following = await broadcasts.first_open(conn, trigger.workspace_id, trigger.broadcast_id)
    if following is not None:
        await outbox.ask_broadcast(conn, trigger.workspace_id, trigger.broadcast_id, following, "its turn has come")


__all__ = ["End", "end"]
