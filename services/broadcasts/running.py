"""Running a trigger of a broadcast: its audience, then pages of it, until everybody was seen to (CHN-15, CHN-22)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from domain.errors import DomainError
from domain.sends import BroadcastRef, BroadcastTurn
from ingest.apply import TRANSIENT
from ingest.catalog import Catalogs
from services.broadcasts import audience
from services.broadcasts.audience import Audiences, NotWanted
from services.broadcasts.claiming import TakenOver, TriggerClaims
from services.broadcasts.details import details_of
from services.broadcasts.ending import end
from services.broadcasts.handing import Hands
from services.broadcasts.pages import GONE, PAGE, Page, Pages, Rest
from services.broadcasts.recording import Recorder
from services.deliveries import Deliverer
from services.precedence import Precedence
from store import broadcast_claims, deliveries, delivery_batches
from store import broadcasts as store
from store.broadcasts import PROCESSING, QUEUED, SENDING, Key, TriggerRow
from store.database import Database
from store.locks import SharedLocks
from store.notify import Notifier

logger = logging.getLogger("sojourn.broadcasts")

TURN_SECONDS: Final = 10.0
"""After so long the workflow hears how far it is."""
NAP: Final = 1.0
"""How long a rest may be without a look at whether the process is to end."""
RECOVERED_AT_ONCE: Final = 8
LATER: Final = timedelta(minutes=1)
BUSY: Final = BroadcastTurn(state="busy", more=True, details="Another worker is at it.")


class BroadcastRunner:
    """Takes the turns of triggers; any number of processes may."""

    def __init__(
        self,
        db: Database,
        catalogs: Catalogs,
        notifier: Notifier,
        deliverer: Deliverer,
        clock: Callable[[], datetime],
        *,
        link_base_url: str,
        allow_private_urls: bool = False,
        page: int = PAGE,
        precedence: Precedence | None = None,
    ) -> None:
        """`clock` gives the real present instant, `page` how many recipients a transaction sees to.

        What is urgent by `precedence` goes before every piece of this work.
        """
        self._precedence = precedence or Precedence()
        self._db = db
        self._catalogs = catalogs
        self._notifier = notifier
        self._deliverer = deliverer
        self._clock = clock
        self._locks = SharedLocks(db)
        self._recorder = Recorder(db, catalogs, notifier, clock)
        self._audiences = Audiences(db, catalogs, clock, allow_private_urls=allow_private_urls)
        self._pages = Pages(
            db, catalogs, notifier, clock, link_base_url=link_base_url, size=page, precedence=self._precedence
        )

    async def run(self, trigger: BroadcastRef, stopping: Callable[[], bool]) -> BroadcastTurn:
        """See to recipients until the trigger is over, has to wait, some seconds have passed, or the process is to end.

        What the lock is for is only that nobody works beside another: nothing would be sent twice without it.
        """
        key = (trigger.workspace_id, trigger.broadcast_id, trigger.trigger_no)
        if not await self._locks.hold(trigger.workflow_id):
            await asyncio.sleep(NAP)
            return BUSY
        try:
            row = await self._turn(key, stopping)
        except TakenOver:
            row = BUSY
        finally:
            await self._locks.release(trigger.workflow_id)
        self._notifier.send("outbox")
        return row

    async def _turn(self, key: Key, stopping: Callable[[], bool]) -> BroadcastTurn:
        in_time = _InTime(asyncio.get_running_loop().time() + TURN_SECONDS, stopping)
        worked = False
        while True:
            async with self._db.connection() as conn:
                trigger = await store.get(conn, key)
            if trigger is None:
                return BroadcastTurn(state="gone", over=True)
            if trigger.state == "cancelled":
                await self._give_up(trigger)
            if not trigger.open:
                return _told(trigger, over=True)
            if worked and not in_time.left:
                return _told(trigger, more=True)
            worked = True
            if trigger.state == QUEUED and not await self._begin(key):
                return _told(trigger)
            if trigger.state == PROCESSING:
                await self._resolve(trigger, stopping)
            if trigger.state == SENDING and await self._send(trigger, in_time):
                return _told(await self._now(trigger))

    async def _now(self, trigger: TriggerRow) -> TriggerRow:
        async with self._db.connection() as conn:
            return await store.get(conn, trigger.key) or trigger

    async def _begin(self, key: Key) -> bool:
        """Begin to look for the audience; False where others come first or it is paused."""
        async with self._db.transaction() as conn:
            catalog = await self._catalogs.get(conn, key[0])
            trigger = await store.hold(conn, key)
            if trigger is None or trigger.state != QUEUED:
                return True
            broadcast = catalog.broadcasts.get(key[1])
            if broadcast is None or broadcast.state in GONE:
                await end(conn, trigger, "cancelled", catalog.now(self._clock()))
                return True
            if trigger.paused or await store.is_behind(conn, key):
                return False
            audience.begin(trigger, broadcast)
            await store.save(conn, trigger, "state", "progress")
            return True

    async def _resolve(self, trigger: TriggerRow, stopping: Callable[[], bool]) -> None:
        try:
            await self._audiences.step(trigger, stopping)
        except NotWanted:
            logger.info("A trigger was ended while its audience was looked for.", extra={"trigger": trigger.ref})

    async def _send(self, trigger: TriggerRow, in_time: _InTime) -> bool:
        """Pages while there is time; whether it has to wait for somebody to wake it."""
        key = trigger.key
        claims = await self._take_over(key)
        if claims is None:
            return False
        handed = await self._recover(key)
        known = False
        async with Hands(
            self._deliverer, claims, self._recorder, self._clock, handed, precedence=self._precedence
        ) as hands:
            while True:
                came = await self._pages.make(key, hands.handed, claims.owner)
                if isinstance(came, Page):
                    await hands.take(came)
                    known = known or await self._know_growth()
                elif isinstance(came, Rest):
                    await asyncio.sleep(min(came.seconds, NAP))
                if came in ("seen", "waits", "over") or not in_time.left:
                    break
        await self._conclude(key, claims, hands.handed, seen=came == "seen")
        return came == "waits"

    async def _know_growth(self) -> bool:
        async with self._db.connection() as conn:
            await delivery_batches.know_growth(conn)
        return True

    async def _conclude(self, key: Key, claims: TriggerClaims, handed: int, *, seen: bool) -> None:
        """Note up to where everything was handed over; where that is all, the trigger is finished."""
        async with self._db.transaction() as conn:
            trigger = await store.hold(conn, key)
            if not await broadcast_claims.is_owner(conn, key, claims.owner):
                raise TakenOver
            await broadcast_claims.let_go(conn, key)
            if trigger is None or trigger.state != SENDING:
                return
            trigger.progress = {**trigger.progress, "handed": handed}
            await store.save(conn, trigger, "progress")
            if seen:
                catalog = await self._catalogs.get(conn, key[0])
                await end(conn, trigger, "finished", catalog.now(self._clock()))

    async def _take_over(self, key: Key) -> TriggerClaims | None:
        """Have the pages of a trigger in hand from now on; None where it is gone."""
        claims = TriggerClaims(self._db, key, self._clock)
        async with self._db.connection() as conn:
            catalog = await self._catalogs.get(conn, key[0])
        return claims if await claims.take_over(catalog) else None

    async def _recover(self, key: Key, *, begun: bool = False) -> int:
        """Hand over what a worker that died has left behind, with `begun` only what a provider may have.

        What cannot be tried now is left to the clock. Returns the place up to which everything has been tried.
        """
        async with self._db.transaction() as conn:
            trigger = await store.hold(conn, key)
            if trigger is None:
                return 0
            handed = trigger.progress.get("handed", 0)
            names: list[str] = []
            if handed < trigger.position:
                await broadcast_claims.write_out(conn, key, handed)
                names = await delivery_batches.left_behind(
                    conn, *key, after=handed, until=trigger.position, begun=begun
                )
        places = asyncio.Semaphore(RECOVERED_AT_ONCE)

        async def one(name: str) -> None:
            async with places:
                await self._retry(key[0], name)

        await asyncio.gather(*map(one, names))
        return trigger.position

    async def _give_up(self, trigger: TriggerRow) -> None:
        """End what is left of a trigger that was cancelled; what a provider may have comes to what it came to."""
        key = trigger.key
        async with self._db.connection() as conn:
            in_hand = await broadcast_claims.exists(conn, key)
        if in_hand and await self._take_over(key):
            await self._recover(key, begun=True)
        await self._recorder.give_up(key)
        async with self._db.connection() as conn:
            await broadcast_claims.let_go(conn, key)

    async def _retry(self, workspace_id: int, name: str) -> None:
        try:
            await self._deliverer.retry(workspace_id, name, self._clock)
        except TRANSIENT:
            raise
        except Exception as error:
            if not isinstance(error, DomainError):
                logger.exception("A delivery could not be tried; it is tried later.", extra={"delivery": name})
            async with self._db.transaction() as conn:
                catalog = await self._catalogs.get(conn, workspace_id)
                row = await deliveries.get(conn, workspace_id, name, for_update=True)
                if row is not None and row.status == "queued":
                    row = replace(row, held_until=catalog.now(self._clock()) + LATER)
                    await deliveries.save(conn, row)
                    await deliveries.schedule(conn, row, row.held_until or row.created_at)


class _InTime:
    """Whether a turn may go on."""

    def __init__(self, until: float, stopping: Callable[[], bool]) -> None:
        self._until = until
        self._stopping = stopping

    @property
    def left(self) -> bool:
        """Whether there is time, and the process is not to end."""
        return asyncio.get_running_loop().time() < self._until and not self._stopping()


def _told(trigger: TriggerRow, *, over: bool = False, more: bool = False) -> BroadcastTurn:
    return BroadcastTurn(state=trigger.state, over=over, more=more, details=details_of(trigger))


__all__ = ["BroadcastRunner"]
