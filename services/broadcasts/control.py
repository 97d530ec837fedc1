"""What can be done to a trigger while it is under way: pause, resume, cancel, another rate (CHN-15).

Whoever calls these sends the notice `outbox` afterwards, so that who waits goes on at once.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime

from domain.definitions.broadcast import SendRate
from domain.errors import DomainError, NotFound
from services.broadcasts.ending import end
from services.due_sends import BROADCAST
from store import broadcasts as store
from store import deliveries, outbox, workspaces
from store.broadcasts import Key, TriggerRow
from store.database import Connection, Database


async def pause(db: Database, key: Key) -> TriggerRow:
    """See to nobody further; what has been made already is handed over. Raises NotFound, DomainError `invalid_state`."""
    async with _held(db, key) as (conn, trigger):
        if trigger.paused:
            raise DomainError("invalid_state", "The trigger is paused already.")
        trigger.paused = True
        await _wait_for_nothing(conn, trigger)
        await store.save(conn, trigger, "paused", "next_at")
    return trigger


async def resume(db: Database, key: Key) -> TriggerRow:
    """Go on where it stands, at its rate from now on. Raises NotFound, DomainError `invalid_state`."""
    async with _held(db, key) as (conn, trigger):
        if not trigger.paused:
            raise DomainError("invalid_state", "The trigger is not paused.")
        trigger.paused = False
        _count_anew(trigger)
        await store.save(conn, trigger, "paused", "rate_since", "rate_sent")
        await _wake(conn, trigger, "resumed")
    return trigger


async def cancel(db: Database, key: Key, real_now: datetime) -> TriggerRow:
    """End it: nobody further is seen to, and what no provider can have yet becomes undeliverable.

    Raises NotFound, DomainError `invalid_state`.
    """
    async with _held(db, key) as (conn, trigger):
        workspace = await workspaces.get(conn, trigger.workspace_id)
        if workspace is None:
            raise NotFound("trigger", trigger.trigger_no)
        await end(conn, trigger, "cancelled", workspace.now(real_now))
        await _wake(conn, trigger, "cancelled")
    return trigger


async def set_rate(db: Database, key: Key, rate: SendRate | None) -> TriggerRow:
    """Another rate from now on, none for as fast as it goes. Raises NotFound, DomainError `invalid_state`."""
    async with _held(db, key) as (conn, trigger):
        trigger.send_rate = None if rate is None else {"limit": rate.limit, "per": rate.per}
        _count_anew(trigger)
        await _wait_for_nothing(conn, trigger)
        await store.save(conn, trigger, "send_rate", "rate_since", "rate_sent", "next_at")
        await _wake(conn, trigger, "another rate")
    return trigger


@asynccontextmanager
async def _held(db: Database, key: Key) -> AsyncIterator[tuple[Connection, TriggerRow]]:
    """A trigger that is under way, locked."""
    async with db.transaction() as conn:
        trigger = await store.hold(conn, key)
        if trigger is None:
            raise NotFound("trigger", key[2])
        if not trigger.open:
            raise DomainError("invalid_state", f"The trigger is over: it is {trigger.state}.")
        yield conn, trigger


def _count_anew(trigger: TriggerRow) -> None:
    """Let its rate count from when it goes on, so that nothing is made up for."""
    trigger.rate_since, trigger.rate_sent = None, 0


async def _wait_for_nothing(conn: Connection, trigger: TriggerRow) -> None:
    trigger.next_at = None
    await deliveries.ask_no_more(conn, trigger.workspace_id, BROADCAST, trigger.ref)


async def _wake(conn: Connection, trigger: TriggerRow, why: str) -> None:
    await outbox.ask_broadcast(conn, *trigger.key, why)


__all__ = ["cancel", "pause", "resume", "set_rate"]
