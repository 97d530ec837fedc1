"""What the clock asks for of sends and broadcasts: each is handed to those who carry it (CHN-09, CHN-22)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from domain.sends import SEND_AT
from services.due import DueWork
from store import broadcasts, deliveries, outbox
from store.database import Database
from store.notify import Notifier
from telemetry import tracing

BROADCAST: Final = "broadcast"
"""The kind of `due` row that asks for the next turn of a trigger; its `ref` is `<broadcast>/<number>`."""


class DueSends:
    """Works on rows of both kinds."""

    def __init__(self, db: Database, notifier: Notifier) -> None:
        self._db = db
        self._notifier = notifier

    @property
    def workers(self) -> Mapping[str, DueWork]:
        """Who works on rows of which kind."""
        return {SEND_AT: self.send, BROADCAST: self.turn}

    async def send(self, workspace_id: int, ref: str, _clock: Callable[[], datetime]) -> None:
        """Have a delivery sent whose instant has come."""
        async with self._db.transaction() as conn:
            row = await deliveries.get(conn, workspace_id, ref, for_update=True)
            await deliveries.ask_no_more(conn, workspace_id, SEND_AT, ref)
            if row is not None and row.status == "queued" and row.transactional_id is not None:
                row.held_until = None
                await deliveries.save(conn, row)
                with tracing.following(None, row.traceparent, "send due", workspace=workspace_id, delivery=ref):
                    await outbox.ask_sends(conn, workspace_id, [(ref, row.transactional_id)])
        self._notifier.send("outbox")

    async def turn(self, workspace_id: int, ref: str, _clock: Callable[[], datetime]) -> None:
        """Wake a trigger whose turn has come."""
        broadcast_id, trigger_no = (int(part) for part in ref.split("/"))
        async with self._db.transaction() as conn:
            await deliveries.ask_no_more(conn, workspace_id, BROADCAST, ref)
            await broadcasts.turn_has_come(conn, workspace_id, broadcast_id, trigger_no)
            await outbox.ask_broadcast(conn, workspace_id, broadcast_id, trigger_no, "its turn has come")
        self._notifier.send("outbox")


__all__ = ["BROADCAST", "SEND_AT", "DueSends"]
