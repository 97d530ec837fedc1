"""Taking a call that triggers a broadcast: its turn, what it says, its place in the queue (CHN-16, CHN-21, CHN-22)."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from domain.broadcasts.calls import TriggerCall, read_call
from domain.broadcasts.faults import CallRefused, Fault
from domain.definitions import BroadcastDefinition, read_definition
from domain.errors import DomainError
from services.broadcasts import checking
from services.definitions import workspace_of
from store import broadcast_triggers, outbox, workspaces
from store import definitions as store
from store.broadcast_triggers import Turn
from store.database import Connection, Database
from store.definitions import DefinitionRow

WINDOW: Final = timedelta(seconds=10)
"""How long after a trigger that was accepted the next one of the same broadcast is."""
MOST_OPEN: Final = 5
"""How many triggers of a broadcast may wait or be under way at once."""
RUNNING: Final = "running"


class TooSoon(DomainError):
    """A trigger whose turn has not come; `retry_after` is when to ask again, in seconds of the workspace's clock."""

    def __init__(self, message: str, retry_after: int) -> None:
        super().__init__("rate_limited", message)
        self.retry_after = retry_after


class TriggerRefused(DomainError):
    """A trigger that was refused for what it says; it has a number under which its errors can be read."""

    def __init__(self, broadcast_id: int, trigger_no: int, faults: Sequence[Fault]) -> None:
        super().__init__(faults[0].code, faults[0].detail)
        self.broadcast_id = broadcast_id
        self.trigger_no = trigger_no
        self.faults = faults


async def trigger(
    db: Database, workspace_id: int, ref: str | int, read: Callable[[], Awaitable[Any]], clock: Callable[[], datetime]
) -> int:
    """Put a trigger of a broadcast into its queue; returns its number. `read` gives the body, or raises CallRefused.

    `clock` gives the real present instant, at which it is taken: a body may be long on its way.

    Raises DomainError `not_found`, TooSoon before anything is read, TriggerRefused with all that is wrong.
    """
    async with db.connection() as conn:
        workspace = await workspace_of(conn, workspace_id)
        row = await store.get(conn, workspace_id, "broadcast", ref)
        if row is None:
            raise DomainError("not_found", f"broadcast with id {ref} does not exist")
        if row.state == RUNNING:
            _refuse_early(await broadcast_triggers.turn(conn, workspace_id, row.definition_id), workspace.now(clock()))
    definition, _ = read_definition(row.document)
    assert isinstance(definition, BroadcastDefinition), "what is stored can be read"
    faults: Sequence[Fault] = [_inactive(row)] if row.state != RUNNING else ()
    if not faults:
        try:
            call = read_call(await read())
        except CallRefused as refusal:
            faults = refusal.faults
        else:
            faults = await checking.faults_of(db, workspace_id, definition, call)
            if not faults:
                return await _take(db, row, definition, call, clock)
    raise await _refused(db, row, faults, clock)


async def _take(
    db: Database, row: DefinitionRow, definition: BroadcastDefinition, call: TriggerCall, clock: Callable[[], datetime]
) -> int:
    """Give it the next number, at which others that came at the same time wait, and look once more whether it may."""
    workspace_id, broadcast_id = row.workspace_id, row.definition_id
    async with db.transaction() as conn:
        state = await broadcast_triggers.hold(conn, workspace_id, broadcast_id)
        number = await _number(conn, row)
        now = (await workspace_of(conn, workspace_id)).now(clock())
        if state == RUNNING:
            _refuse_early(await broadcast_triggers.turn(conn, workspace_id, broadcast_id), now)
            rate = definition.send_rate
            await broadcast_triggers.insert_queued(
                conn,
                workspace_id,
                broadcast_id,
                number,
                audience=call.audience,
                data=call.data,
                send_rate=None if rate is None else {"limit": rate.limit, "per": rate.per},
                now=now,
            )
            await outbox.ask_broadcast(conn, workspace_id, broadcast_id, number, "triggered")
            return number
    raise await _refused(db, row, [_inactive(replace(row, state=state or "deleted"))], clock)


async def _refused(
    db: Database, row: DefinitionRow, faults: Sequence[Fault], clock: Callable[[], datetime]
) -> TriggerRefused:
    """Keep a trigger that was refused, so that its errors can be read; it takes nobody's turn."""
    async with db.transaction() as conn:
        now = (await workspace_of(conn, row.workspace_id)).now(clock())
        number = await _number(conn, row)
        lines = [line for fault in faults for line in fault.reported]
        await broadcast_triggers.insert_refused(
            conn, row.workspace_id, row.definition_id, number, errors=lines, now=now
        )
    where = f"; the errors of trigger {row.definition_id}-{number} say which"
    told = [fault._replace(detail=fault.detail + where) if fault.lines else fault for fault in faults]
    return TriggerRefused(row.definition_id, number, told)


async def _number(conn: Connection, row: DefinitionRow) -> int:
    """The next number of a trigger; nobody else takes one before this transaction ends."""
    return await workspaces.next_id(conn, row.workspace_id, f"trigger/{row.definition_id}")


def _refuse_early(turn: Turn, now: datetime) -> None:
    if turn.last is not None and now < turn.last + WINDOW:
        left = min(turn.last + WINDOW - now, WINDOW)
        message = f"rate limited to 1 request per {int(WINDOW.total_seconds())}s"
        raise TooSoon(message, max(math.ceil(left.total_seconds()), 1))
    if turn.open >= MOST_OPEN:
        message = f"at most {MOST_OPEN} triggers of a broadcast may be queued; wait until one of them has been sent"
        raise TooSoon(message, int(WINDOW.total_seconds()))


def _inactive(row: DefinitionRow) -> Fault:
    return Fault("not_applicable", "", f"broadcast with id {row.definition_id} is not active", f"It is {row.state}.")


__all__ = ["MOST_OPEN", "WINDOW", "TooSoon", "TriggerRefused", "trigger"]
