"""Handing the outbox over to Temporal: live rows before bulk ones, those of one workflow in order."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Literal

import faults
from domain.sends import BroadcastRef, SendBatch, SendRef
from services.gate import Gate, GateRefused, TemporalAway
from store import outbox
from store.database import Connection, Database
from store.notify import Listener
from store.outbox import OutboxRow
from telemetry import tracing
from telemetry.figures import DRAIN_SECONDS, OUTBOX_HANDED_OVER, OUTBOX_REFUSED

logger = logging.getLogger("sojourn.outbox")

NOW_ROUND = 200
"""Many, because all that wait go to Temporal together."""
LIVE_ROUND = 50
BULK_ROUND = 20
"""Few, because a live row that comes meanwhile waits for the round to end."""
AT_ONCE = 20
REFUSED_PAUSE = timedelta(seconds=5)
FIRST_PAUSE = 0.2
LONGEST_PAUSE = 5.0

Result = Literal["accepted", "refused", "away"]


class Drain:
    """Takes rows out of the outbox once Temporal has accepted them; any number may run beside each other."""

    def __init__(self, db: Database, gate: Gate) -> None:
        self._db = db
        self._gate = gate
        self._away = False

    async def drain_once(self, real_now: datetime) -> int:
        """Hand over one round of rows and return how many were accepted; raises `TemporalAway`, the rest stays."""
        async with self._db.connection() as conn:
            try:
                rows = await outbox.claim(conn, "now", NOW_ROUND, real_now)
                if len(rows) < LIVE_ROUND:
                    rows += await outbox.claim(conn, "live", LIVE_ROUND, real_now)
                if len(rows) < LIVE_ROUND:
                    rows += await outbox.claim(conn, "bulk", BULK_ROUND, real_now)
                if not rows:
                    return 0
                with DRAIN_SECONDS.time():
                    return await self._hand_over(conn, rows, real_now)
            finally:
                await outbox.release(conn)

    async def run(self, listener: Listener, now: Callable[[], datetime], stop: asyncio.Event) -> None:
        """Drain as rows come until told to stop; while Temporal is away they wait and one line says so."""
        pause = FIRST_PAUSE
        async for _ in listener.ticks("outbox"):
            while not stop.is_set():
                try:
                    accepted = await self.drain_once(now())
                except TemporalAway as error:
                    self._tell_away(error)
                    await _rest(stop, pause)
                    pause = min(pause * 2, LONGEST_PAUSE)
                    continue
                if accepted:
                    pause = FIRST_PAUSE
                    self._tell_back()
                else:
                    break
            if stop.is_set():
                return

    async def _hand_over(self, conn: Connection, rows: Sequence[OutboxRow], real_now: datetime) -> int:
        faults.point("outbox.after_commit")
        places = asyncio.Semaphore(AT_ONCE)
        sends = [row for row in rows if row.kind == "send"]
        rows = [*sends, *(row for row in rows if row.kind != "send")]
        together = [_placed(places, self._hand_over_one(row)) for row in rows[len(sends) :]]
        sent, *others = await asyncio.gather(self._hand_over_sends(sends), *together)
        results = [*[sent] * len(sends), *others]
        faults.point("outbox.after_accept")
        accepted = [row.outbox_id for row, result in zip(rows, results, strict=True) if result == "accepted"]
        refused = [row.outbox_id for row, result in zip(rows, results, strict=True) if result == "refused"]
        await outbox.delete(conn, accepted)
        if refused:
            await outbox.postpone(conn, refused, real_now + REFUSED_PAUSE)
        if "away" in results:
            raise TemporalAway(f"{results.count('away')} rows wait")
        return len(accepted)

    async def _hand_over_one(self, row: OutboxRow) -> Result:
        with _span(row) as span:
            result = await self._told(row)
            if result != "accepted":
                span.fail(result)
            return result

    async def _told(self, row: OutboxRow) -> Result:
        """Tell Temporal of a start or a wake."""
        try:
            if row.kind == "start":
                await self._start(row)
            elif row.kind == "broadcast":
                await self._gate.wake_broadcast(_trigger(row), row.why)
            elif row.kind == "wake":
                await self._wake(row)
        except TemporalAway:
            OUTBOX_REFUSED.labels("away").inc()
            return "away"
        except GateRefused as error:
            OUTBOX_REFUSED.labels(error.code).inc()
            ids = {"journey": row.journey.journey_id, "code": error.code}
            logger.warning("Temporal refused a row of the outbox; it is tried again.", extra=ids)
            return "refused"
        OUTBOX_HANDED_OVER.labels(row.kind).inc()
        return "accepted"

    async def _hand_over_sends(self, rows: Sequence[OutboxRow]) -> Result:
        """Have all that were asked for meanwhile sent by one workflow: alone each has its own, many share its cost."""
        if not rows:
            return "accepted"
        spans = [_span(row) for row in rows]
        try:
            result = await self._told_sends([_named(row, span) for row, span in zip(rows, spans, strict=True)])
        finally:
            for span in spans:
                span.end()
        return result

    async def _told_sends(self, named: Sequence[SendRef]) -> Result:
        try:
            await self._gate.start_sends(SendBatch(sends=tuple(named)))
        except TemporalAway:
            OUTBOX_REFUSED.labels("away").inc(len(named))
            return "away"
        except GateRefused as error:
            OUTBOX_REFUSED.labels(error.code).inc(len(named))
            logger.warning("Temporal refused sends; they are tried again.", extra={"code": error.code})
            return "refused"
        OUTBOX_HANDED_OVER.labels("send").inc(len(named))
        return "accepted"

    async def _start(self, row: OutboxRow) -> None:
        """Start it; where there was a workflow already it runs, or is over with its journey, unless a restore came between.

        Then the row is older than the workflow, which may be over although the journey is under way.
        """
        journey = row.journey
        if await self._gate.start_journey(journey):
            return
        async with self._db.connection() as conn:
            active = await outbox.journey_is_active(conn, journey.workspace_id, journey.journey_id)
        if active:
            await self._gate.start_journey(journey, again=True)

    async def _wake(self, row: OutboxRow) -> None:
        """Wake it; where nothing runs, that is right for an ended journey, and one under way is started again.

        Its start was drained before this row, so Temporal has lost the workflow, or somebody ended it there.
        """
        journey = row.journey
        if await self._gate.wake_journey(journey.workflow_id, row.why, row.outbox_id):
            return
        async with self._db.connection() as conn:
            active = await outbox.journey_is_active(conn, journey.workspace_id, journey.journey_id)
        if active:
            ids = {"workspace": journey.workspace_id, "journey": journey.journey_id}
            logger.warning("Temporal does not run a journey under way; it is started again.", extra=ids)
            await self._gate.start_journey(journey, again=True)

    def _tell_away(self, error: TemporalAway) -> None:
        if not self._away:
            self._away = True
            logger.warning("Temporal is away; the outbox waits.", extra={"reason": str(error)})

    def _tell_back(self) -> None:
        if self._away:
            self._away = False
            logger.warning("Temporal is back; the outbox is drained.")


def _span(row: OutboxRow) -> tracing.Span:
    """The hand-over of a row, in the trace of what it comes of."""
    if row.traceparent is None:
        return tracing.NOTHING
    journey = row.journey
    what = {"journey": journey.journey_id} if row.kind in ("start", "wake") else {}
    what = what or ({"delivery": journey.journey_id} if row.kind == "send" else {"trigger": journey.workflow_id})
    return tracing.part_of(
        row.traceparent, "outbox.hand_over", "producer", workspace=journey.workspace_id, handed=row.kind, **what
    )


def _named(row: OutboxRow, span: tracing.Span) -> SendRef:
    """A send as its workflow knows it, with the trace that it goes on in."""
    with span.within():
        trace = tracing.current() if span.recorded else None
    journey = row.journey
    return SendRef(workspace_id=journey.workspace_id, delivery_id=journey.journey_id, traceparent=trace)


def _trigger(row: OutboxRow) -> BroadcastRef:
    journey = row.journey
    return BroadcastRef(
        workspace_id=journey.workspace_id, broadcast_id=journey.campaign_id, trigger_no=int(journey.journey_id)
    )


async def _placed(places: asyncio.Semaphore, work: Awaitable[Result]) -> Result:
    async with places:
        return await work


async def _rest(stop: asyncio.Event, seconds: float) -> None:
    """Wait, but not longer than until the end."""
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return


__all__ = ["Drain"]
