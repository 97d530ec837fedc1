"""Applying the log: batches of facts in order for everything that can touch one person, by any number of processes."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import asyncpg
import orjson
from pydantic import TypeAdapter

from domain.condition_keys import Keys
from domain.facts import Position
from domain.operations import AnyOperation, Identify, Reevaluate, TrackEvent, Unsubscribe
from ingest.catalog import Catalogs, Compiled
from ingest.events import LAST_VISIT, event_id_hash, track
from ingest.identify import identify
from ingest.reevaluate import reevaluate, unsubscribe
from ingest.touching import Coming, EventName
from ingest.unit import Unit
from store import log, people
from store.database import Connection, Database
from store.log import PendingRow
from store.notify import Listener, Notifier

logger = logging.getLogger("sojourn.ingest")

BATCH = 500
LOOK_AHEAD = 2
ALONE_LOOK = 100
TRIES = 5
YIELD_AFTER = 0.015
NOBODY = 0
"""The number handed to an operation about somebody who is known, which creates nobody."""
TRANSIENT = (
    asyncpg.PostgresConnectionError,
    asyncpg.TransactionRollbackError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.InterfaceError,
    OSError,
)
"""Faults of the infrastructure: the batch is simply tried again."""
_NAMES = ("id", "email", "cio_id")
_OPERATIONS: TypeAdapter[AnyOperation] = TypeAdapter(AnyOperation)


class Fact(NamedTuple):
    """One claimed row with what it means; `names` are those it mentions, in the form they are compared in."""

    row: PendingRow
    operation: AnyOperation
    names: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Claim:
    """What one scan may apply: the facts in order, and whose the names are that they mention; the rest is `left`."""

    facts: list[Fact]
    names: dict[tuple[str, str], int]
    people: set[int]
    left: list[Fact]


class Applier:
    """Consumes the ingest log of all workspaces."""

    def __init__(
        self,
        db: Database,
        catalogs: Catalogs,
        notifier: Notifier,
        *,
        needs: Callable[[Compiled, Iterable[AnyOperation]], Keys] | None = None,
    ) -> None:
        """`needs` says how much of people's past is read for some operations: as little as will do."""
        self._db = db
        self._needs = needs or keys_needed
        self._catalogs = catalogs
        self._notifier = notifier
        self._failures: Counter[int] = Counter()
        self._read: dict[int, Fact] = {}

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
        return await self._alone(workspace_id, real_now)

    async def _batch(self, workspace_id: int, size: int, real_now: datetime) -> int:
        async with self._db.transaction() as conn:
            claim = await claim_batch(conn, workspace_id, size, self._read)
            # What was looked at and left is read again by the next scan.
            self._read = {fact.row.seq: fact for fact in claim.left}
            if not claim.facts:
                return 0
            unit = await self._apply(conn, workspace_id, claim, real_now)
            await log.mark_applied(conn, workspace_id, [fact.row for fact in claim.facts], real_now)
        self._told(unit)
        return len(claim.facts)

    async def _alone(self, workspace_id: int, real_now: datetime) -> int:
        """Apply the next fact; one that fails again and again is put aside, in the activity log and in ours."""
        async with self._db.transaction() as conn:
            claim = await claim_batch(conn, workspace_id, 1)
            if not claim.facts:
                return 0
            row = claim.facts[0].row
            unit: Unit | None = None
            try:
                async with conn.transaction():
                    unit = await self._apply(conn, workspace_id, claim, real_now)
            except TRANSIENT:
                raise
            except Exception:
                self._failures[row.seq] += 1
                if self._failures[row.seq] < TRIES:
                    raise
                logger.exception("A fact cannot be applied.", extra={"workspace_id": workspace_id, "seq": row.seq})
                await self._put_aside(conn, workspace_id, row, real_now)
            await log.mark_applied(conn, workspace_id, [row], real_now)
        self._failures.pop(row.seq, None)
        if unit is not None:
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

    async def _apply(self, conn: Connection, workspace_id: int, claim: Claim, real_now: datetime) -> Unit:
        catalog = await self._catalogs.get(conn, workspace_id)
        keys = self._needs(catalog.compiled, [fact.operation for fact in claim.facts])
        now = catalog.now(real_now)
        unit = await Unit.load(conn, catalog, claim.people, now, keys=keys, real_now=real_now, positions=False)
        unit.names = dict(claim.names)
        facts = await _unrepeated(conn, workspace_id, claim.facts)
        numbers = _Numbers(conn, sum(_may_be_new(fact.operation, claim.names) for fact in facts))
        clock = asyncio.get_running_loop().time
        began = clock()
        for fact in facts:
            at = Position(fact.row.received_at, fact.row.seq)
            await _apply_fact(unit, fact.operation, at, numbers)
            if clock() - began > YIELD_AFTER:
                await asyncio.sleep(0)
                began = clock()
        await unit.flush()
        return unit

    async def run(self, listener: Listener, clock: Callable[[], datetime], stop: asyncio.Event) -> None:
        """Apply facts as they come until told to stop; `clock` tells the real present instant."""
        async for _ in listener.ticks("ingest"):
            while not stop.is_set() and await self.apply_once(clock()):
                pass
            if stop.is_set():
                return


def keys_needed(compiled: Compiled, operations: Iterable[AnyOperation]) -> Keys:
    """What applying these operations may look at, whomever they turn out to be about."""
    attributes: set[str] = set()
    events: set[EventName] = set()
    refs: set[tuple[str, int]] = set()
    for operation in operations:
        match operation:
            case Identify():
                attributes.update(_NAMES)
                for name in operation.attributes:
                    attributes.update((name, name.partition(".")[0]))
            case TrackEvent():
                events.add(EventName(operation.type, operation.name.strip()))
                if operation.type in ("page", "screen"):
                    attributes.add(LAST_VISIT)
            case Unsubscribe():
                attributes.add("unsubscribed")
            case Reevaluate():
                refs.update(operation.refs)
    return compiled.keys_touched(Coming(frozenset(attributes), frozenset(events), frozenset(refs)))


async def claim_batch(conn: Connection, workspace_id: int, size: int, read: Mapping[int, Fact] | None = None) -> Claim:
    """Choose the oldest facts that nothing before them can concern; `read` are facts known from an earlier scan.

    Chosen facts may concern one another: they are applied in order. A fact that shares a name or a person with one that
    another process is applying, or with one passed over here, waits for it.
    """
    read = read or {}
    await log.begin_claim(conn, workspace_id)
    try:
        seen = await log.pending(conn, workspace_id, size * LOOK_AHEAD if size > 1 else ALONE_LOOK)
        free = await log.lockable(conn, workspace_id, seen)
    finally:
        await log.end_claim(conn, workspace_id)
    facts = [read.get(row.seq) or _read(row) for row in seen]
    names = await people.resolve(conn, workspace_id, {name for fact in facts for name in fact.names})
    keys: set[int] = set()
    owners: set[int] = set()
    # Whatever others hold blocks, also what comes later in the order: its commit may have been seen first.
    for fact in facts:
        if fact.row.seq not in free:
            keys.update(fact.row.keys)
            owners |= _people_of(fact, names)
    chosen: list[Fact] = []
    left: list[Fact] = []
    concerned: set[int] = set()
    for fact in facts:
        if fact.row.seq not in free:
            left.append(fact)
            continue
        whose = _people_of(fact, names)
        if len(chosen) >= size or not keys.isdisjoint(fact.row.keys) or not owners.isdisjoint(whose):
            keys.update(fact.row.keys)
            owners |= whose
            left.append(fact)
        else:
            chosen.append(fact)
            concerned |= whose
    return Claim(chosen, names, concerned, left)


def _read(row: PendingRow) -> Fact:
    operation = _OPERATIONS.validate_python(orjson.loads(row.body))
    return Fact(row, operation, tuple((name.kind, name.value_key) for name in operation.identifiers()))


def _people_of(fact: Fact, names: Mapping[tuple[str, str], int]) -> set[int]:
    owners = {names[name] for name in fact.names if name in names}
    if isinstance(fact.operation, Reevaluate | Unsubscribe):
        owners.add(fact.operation.person_id)
    return owners


class _Numbers:
    """Internal numbers for the people whom a batch may create; so many are fetched at once."""

    def __init__(self, conn: Connection, expected: int) -> None:
        self._conn = conn
        self._expected = expected
        self._left: list[int] = []

    async def next(self) -> int:
        """A number that nobody has."""
        if not self._left:
            self._left = (await people.new_ids(self._conn, max(1, self._expected)))[::-1]
            self._expected = 1
        return self._left.pop()


def _may_be_new(operation: AnyOperation, names: Mapping[tuple[str, str], int | None]) -> bool:
    """Whether somebody may be created by the operation: nobody has the name it is about."""
    if not isinstance(operation, Identify | TrackEvent):
        return False
    subject = operation.subject
    return subject.kind != "cio_id" and names.get((subject.kind, subject.value_key)) is None


async def _unrepeated(conn: Connection, workspace_id: int, facts: Sequence[Fact]) -> list[Fact]:
    """The facts without events whose id was received before, in this batch or ever (PPL-14)."""
    hashes: dict[int, bytes] = {}
    for fact in facts:
        if isinstance(fact.operation, TrackEvent) and fact.operation.event_id is not None:
            hashes[fact.row.seq] = event_id_hash(fact.operation.event_id)
    if not hashes:
        return list(facts)
    fresh = await log.claim_event_ids(conn, workspace_id, sorted(set(hashes.values())))
    kept: list[Fact] = []
    for fact in facts:
        mark = hashes.get(fact.row.seq)
        if mark is None or mark in fresh:
            kept.append(fact)
            fresh.discard(mark) if mark is not None else None
    return kept


async def _apply_fact(unit: Unit, operation: AnyOperation, at: Position, numbers: _Numbers) -> None:
    number = await numbers.next() if _may_be_new(operation, unit.names) else NOBODY
    match operation:
        case Identify():
            await identify(unit, operation, at, number)
        case TrackEvent():
            await track(unit, operation, at, number)
        case Unsubscribe():
            await unsubscribe(unit, operation, at)
        case Reevaluate():
            await reevaluate(unit, operation, at)


__all__ = ["Applier", "Claim", "claim_batch", "keys_needed"]
