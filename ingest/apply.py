"""Applying the log: batches of facts in order for everything that can touch one person, by any number of processes."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime

import asyncpg

from domain.facts import Position
from domain.operations import AnyOperation
from domain.outcomes import Done
from domain.row_outcomes import RowOutcome, row_outcome
from ingest.catalog import Catalogs, Compiled
from ingest.claim import Claim, Fact, claim_batch
from ingest.followed import Followed
from ingest.handlers import handle, most_new
from ingest.needs import KeysNeeded, Needs, keys_needed
from ingest.numbers import Numbers
from ingest.repeats import repeated
from ingest.suppressing import suppressed_names
from ingest.unit import Erased, Unit
from store import import_rows, log, people
from store.database import Connection, Database
from store.log import PendingRow
from store.notify import Listener, Notifier
from telemetry import figures
from telemetry.tracing import NOTHING

logger = logging.getLogger("sojourn.ingest")

BATCH = 500
STAND_BY = 0.1
TRIES = 5
YIELD_AFTER = 0.015
TRANSIENT = (
    asyncpg.PostgresConnectionError,
    asyncpg.TransactionRollbackError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.InterfaceError,
    OSError,
)
"""Faults of the infrastructure: the batch is simply tried again."""
GONE = Done("erased")
REPEATED = "Something with this id was received before."


class Applier:
    """Consumes the ingest log of all workspaces."""

    def __init__(
        self,
        db: Database,
        catalogs: Catalogs,
        notifier: Notifier,
        *,
        keys: KeysNeeded = keys_needed,
    ) -> None:
        """`keys` says how much of people's past an operation may look at: as little as will do."""
        self._db = db
        self._keys = keys
        self._needs: dict[int, Needs] = {}
        self._catalogs = catalogs
        self._notifier = notifier
        self._failures: Counter[int] = Counter()
        self._read: dict[int, Fact] = {}
        self._helping = False

    async def apply_once(self, real_now: datetime) -> int:
        """Apply one batch of every workspace that has facts; returns how many facts that were."""
        async with self._db.connection() as conn:
            busy = await log.busy_workspaces(conn)
        return sum([await self._apply_workspace(workspace_id, real_now) for workspace_id in busy])

    async def _apply_workspace(self, workspace_id: int, real_now: datetime) -> int:
        try:
            return await self._batch(workspace_id, BATCH, real_now)
        except TRANSIENT:
            raise
        except Exception as error:
            logger.warning("A batch failed and is applied fact by fact.", exc_info=error)
            figures.APPLY_FAILURES.labels("batch").inc()
        return await self._alone(workspace_id, real_now)

    async def _batch(self, workspace_id: int, size: int, real_now: datetime) -> int:
        began = asyncio.get_running_loop().time()
        followed: Followed | None = None
        try:
            async with self._db.transaction() as conn:
                claim = await claim_batch(conn, workspace_id, size, real_now, self._read)
                self._helping |= claim.helping
                # Others may be applying what was looked at and left, and the next scan looks at it again.
                self._read = {fact.row.seq: fact for fact in claim.seen}
                if not claim.facts:
                    return 0
                followed = Followed(workspace_id, claim.facts)
                unit, outcomes = await self._apply(conn, workspace_id, claim, real_now, followed)
                await log.mark_applied(conn, workspace_id, [fact.row for fact in claim.facts], outcomes, real_now)
        except BaseException as error:
            if followed is not None:
                followed.failed(error)
            raise
        followed.committed(outcomes)
        _count(claim.facts, outcomes, asyncio.get_running_loop().time() - began, real_now)
        self._told(unit)
        return len(claim.facts)

    async def _alone(self, workspace_id: int, real_now: datetime) -> int:
        """Apply the next fact; one that fails again and again is put aside, in the activity log and in ours."""
        async with self._db.transaction() as conn:
            claim = await claim_batch(conn, workspace_id, 1, real_now)
            if not claim.facts:
                return 0
            row = claim.facts[0].row
            followed = Followed(workspace_id, claim.facts)
            unit: Unit | None = None
            outcomes = [Done("failed", note="The fact could not be applied; the log of the worker says why.")]
            try:
                async with conn.transaction():
                    unit, outcomes = await self._apply(conn, workspace_id, claim, real_now, followed)
            except TRANSIENT as error:
                followed.failed(error)
                raise
            except Exception as error:
                followed.failed(error)
                self._failures[row.seq] += 1
                if self._failures[row.seq] < TRIES:
                    raise
                logger.exception("A fact cannot be applied.", extra={"workspace": workspace_id, "seq": row.seq})
                figures.APPLY_FAILURES.labels("fact").inc()
                await self._put_aside(conn, workspace_id, row, real_now)
                await import_rows.save_outcomes(conn, workspace_id, _refused(claim.facts[0].operation, outcomes[0]))
            await log.mark_applied(conn, workspace_id, [row], outcomes, real_now)
        self._failures.pop(row.seq, None)
        if unit is not None:
            followed.committed(outcomes)
            self._told(unit)
        return 1

    async def _put_aside(self, conn: Connection, workspace_id: int, row: PendingRow, real_now: datetime) -> None:
        at = row.received_at
        failed = people.ActivityRow(None, "failed_event", None, {"seq": row.seq, "source": row.source}, at, at, row.seq)
        await people.insert_activities(conn, workspace_id, [failed], real_now)

    def _told(self, unit: Unit) -> None:
        """Tell drains what there is to start, and other appliers that what waited for these facts may go on."""
        unit.tell(self._notifier)
        self._notifier.send("ingest")

    async def _apply(
        self, conn: Connection, workspace_id: int, claim: Claim, real_now: datetime, followed: Followed
    ) -> tuple[Unit, list[Done]]:
        """Apply the facts of a claim; what became of each, in their order."""
        catalog = await self._catalogs.get(conn, workspace_id)
        needs = self._needs_of(workspace_id, catalog.compiled).by_person(claim.facts, claim.names)
        now = catalog.now(real_now)
        unit = await Unit.load(conn, catalog, claim.people, now, needs=needs, real_now=real_now, positions=False)
        unit.names = dict(claim.names)
        unit.suppressed = await suppressed_names(conn, catalog.workspace, claim.facts)
        unit.numbers = Numbers(conn, sum(most_new(fact.operation, claim.names) for fact in claim.facts))
        repeats = await repeated(conn, workspace_id, claim.facts)
        outcomes: list[Done] = []
        clock = asyncio.get_running_loop().time
        began = clock()
        for fact in claim.facts:
            if fact.row.seq in repeats:
                outcomes.append(_repeat(unit, fact))
                continue
            unit.source = fact.row.source
            span = followed.spans.get(fact.row.seq, NOTHING) if followed.spans else NOTHING
            with span.within():
                done = await handle(unit, fact.operation, Position(fact.row.received_at, fact.row.seq))
            if unit.erased:
                outcomes = [
                    GONE if _concerns(unit.erased, before, earlier) else before
                    for before, earlier in zip(outcomes, claim.facts, strict=False)
                ]
                unit.erased.clear()
            outcomes.append(done)
            if clock() - began > YIELD_AFTER:
                await asyncio.sleep(0)
                began = clock()
        await unit.flush()
        return unit, outcomes

    def _needs_of(self, workspace_id: int, compiled: Compiled) -> Needs:
        known = self._needs.get(workspace_id)
        if known is None or known.compiled is not compiled:
            known = self._needs[workspace_id] = Needs(compiled, self._keys)
        return known

    async def run(self, listener: Listener, clock: Callable[[], datetime], stop: asyncio.Event) -> None:
        """Apply facts as they come until told to stop; `clock` tells the real present instant."""
        async for _ in listener.ticks("ingest"):
            while not stop.is_set() and await self.apply_once(clock()):
                pass
            if stop.is_set():
                return
            if self._helping:
                await self._stand_by(stop)

    async def _stand_by(self, stop: asyncio.Event) -> None:
        """Leave it for a moment to who is applying, who is told of every fact as we are."""
        self._helping = False
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STAND_BY):
                await stop.wait()


def _count(facts: Sequence[Fact], outcomes: Sequence[Done], seconds: float, real_now: datetime) -> None:
    """Count a batch for the figures; together what can be, because a fact costs little more than a figure."""
    figures.APPLY_FACTS.observe(len(facts))
    figures.APPLY_SECONDS.observe(seconds)
    for outcome, times in Counter([done.outcome for done in outcomes]).items():
        figures.FACTS_APPLIED.labels(outcome).inc(times)
    lag = figures.APPLY_LAG.spread
    for accepted_at, times in Counter([fact.row.accepted_at for fact in facts]).items():
        lag.add(max((real_now - accepted_at).total_seconds() + seconds, 0.0), times)


def _repeat(unit: Unit, fact: Fact) -> Done:
    """What a fact is that came before: of somebody suppressed as little is kept as of their other facts."""
    if any(unit.is_suppressed(who) for who in fact.operation.identifiers()):
        return Done("suppressed")
    owners = {number for name in fact.names if (number := unit.names.get(name)) is not None and number > 0}
    return Done("duplicate", owners.pop() if len(owners) == 1 else None, REPEATED)


def _concerns(erased: Sequence[Erased], done: Done, fact: Fact) -> bool:
    """Whether a fact of this batch was about somebody who has been removed since."""
    if done.person_id is not None:
        return any(done.person_id in one.people for one in erased)
    return any(not one.keys.isdisjoint(fact.row.keys) for one in erased)


def _refused(operation: AnyOperation, done: Done) -> list[RowOutcome]:
    """What the row of a file hears of an operation that cannot be applied."""
    outcome = row_outcome(operation, done, created=False)
    return [] if outcome is None else [outcome]


__all__ = ["Applier"]
