"""Claims of deliveries that are about to be handed over: those that come while one is being written are written together."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Final, Protocol

from store import delivery_batches as store
from store.database import Database
from store.deliveries import DeliveryRow
from store.delivery_batches import Claim

MOST: Final = 200
"""How many one statement writes."""


class Claiming(Protocol):
    """Notes of deliveries that they are being handed over."""

    async def claim(self, row: DeliveryRow, provider: str, now: datetime) -> bool:
        """Note that this attempt is being handed over; False where somebody else has taken it up in the meantime."""


class Claims:
    """Writes `handed_over_at` of many deliveries by one statement, which has ended before any of them is handed over."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._waiting: dict[int, list[_Waiting]] = {}
        self._writing: asyncio.Task[None] | None = None

    async def claim(self, row: DeliveryRow, provider: str, now: datetime) -> bool:
        """Note that this attempt is being handed over; False where somebody else has taken it up in the meantime."""
        claimed: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        claim = Claim(row.delivery_id, row.attempts, row.handed_over_at, now, provider)
        self._waiting.setdefault(row.workspace_id, []).append((claim, claimed))
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write())
        return await claimed

    async def _write(self) -> None:
        while self._waiting:
            workspace_id = next(iter(self._waiting))
            waiting = self._waiting.pop(workspace_id)
            batch, rest = waiting[:MOST], waiting[MOST:]
            if rest:
                # Behind those of other workspaces.
                self._waiting[workspace_id] = rest
            try:
                async with self._db.connection() as conn:
                    taken = await store.claim(conn, workspace_id, [claim for claim, _ in batch])
            except Exception as error:  # noqa: BLE001 - each of those who wait hears of it
                for _, claimed in batch:
                    if not claimed.done():
                        claimed.set_exception(error)
                continue
            for claim, claimed in batch:
                if not claimed.done():
                    claimed.set_result(claim.delivery_id in taken)


_Waiting = tuple[Claim, asyncio.Future[bool]]

__all__ = ["Claiming", "Claims"]
