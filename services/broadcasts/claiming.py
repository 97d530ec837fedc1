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

    async def ahead(self, prepared: Sequence[Prepared]) -> tuple[datetime, set[str]]:
        """Claim the next ones of a page, in the order of their places.

        Returns the instant, and the ids of deliveries that are not to be handed over after all. Raises TakenOver.
        """
        first, last = place_of(prepared[0]), place_of(prepared[-1])
        now = prepared[0].catalog.now(self._clock())
        async with self._db.connection() as conn:
            others = await store.advance(conn, self._key, self.owner, first=first, last=last, now=now)
        if others is None:
            raise TakenOver
        return now, others

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
