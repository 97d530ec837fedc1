"""The claims of one trigger in these hands: what is about to be handed over is committed first, many at a time (SUB-20)."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Callable, Sequence
from datetime import datetime

import asyncpg

from ingest.apply import TRANSIENT
from ingest.catalog import Catalog
from services.deliveries import Prepared
from services.delivery_claims import Claims
from store import broadcast_claims as store
from store import broadcasts
from store.broadcasts import Key
from store.database import Database
from store.deliveries import DeliveryRow


class TakenOver(Exception):
    """Somebody else has the trigger in hand by now."""


class TriggerClaims:
    """Claims of one trigger; whoever takes them over keeps everybody else from handing over what was not claimed before."""

    def __init__(self, db: Database, key: Key, clock: Callable[[], datetime]) -> None:
        self.owner = secrets.token_urlsafe(9)
        self._db = db
        self._key = key
        self._clock = clock
        self._each = Claims(db)

    async def take_over(self, catalog: Catalog) -> bool:
        """Have the trigger in hand, so that no page of anybody else is still to come; False where it is gone."""
        async with self._db.transaction() as conn:
            trigger = await broadcasts.hold(conn, self._key)
            if trigger is not None:
                await store.take_over(conn, self._key, self.owner, catalog.now(self._clock()))
        return trigger is not None

    async def ahead(self, prepared: Sequence[Prepared], made_by: int) -> tuple[datetime, set[str]]:
        """Claim the next ones of a page, in the order of their places.

        Returns the instant, and which of them are not to be handed over, because somebody has changed them meanwhile.
        Raises TakenOver.
        """
        last = prepared[-1]
        now = last.catalog.now(self._clock())
        names = [one.row.delivery_id for one in prepared]
        async with self._db.connection() as conn:
            changed = await store.advance(
                conn,
                self._key,
                self.owner,
                position=place_of(last),
                now=now,
                delivery_ids=names,
                made=last.row.created_at,
                made_by=made_by,
            )
        if changed is None:
            raise TakenOver
        return now, changed

    async def claim(self, row: DeliveryRow, provider: str, now: datetime) -> bool:
        """Whether it may be handed over; it was claimed ahead, unless it goes another way than was noted for it."""
        return provider == row.provider or await self._each.claim(row, provider, now)

    async def step_back(self, position: int) -> None:
        """Nothing behind this place was handed over after all; where that cannot be noted, it is thought to have been."""
        with contextlib.suppress(*TRANSIENT, asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
            async with self._db.connection() as conn:
                await store.step_back(conn, self._key, self.owner, position)


def place_of(prepared: Prepared) -> int:
    """The place of a recipient in the audience."""
    return prepared.row.recipient_no or 0


__all__ = ["TakenOver", "TriggerClaims", "place_of"]
