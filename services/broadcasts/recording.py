"""Writing down what many hand-overs came to, in one short transaction under the locks of all who are concerned (SUB-20)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import faults
from domain.definitions.settings import Redirect
from domain.deliveries import apply
from ingest.apply import TRANSIENT
from ingest.catalog import Catalogs
from ingest.unit import Unit
from services import suppressions
from services.broadcasts.receipts import Receipts, Tried
from services.broadcasts.tally import Tally
from services.deliveries import OPEN
from services.delivery_outcomes import Applied, applied, corrected, reported_ahead
from store import delivery_batches as store
from store import people
from store.broadcasts import Key
from store.database import Connection, Database
from store.deliveries import DeliveryRow, changed
from store.delivery_batches import Attempt, Stretch
from store.notify import Notifier

logger = logging.getLogger("sojourn.broadcasts")

MOST: Final = 200
TRIES: Final = 6
FIRST_PAUSE: Final = 0.05
CANCELLED: Final = "The broadcast was cancelled before the message was handed over"


@dataclass(slots=True)
class _Changes:
    """What is to be written, gathered; of the `learnt` ones addresses may have to be kept from further mail."""

    rows: list[DeliveryRow] = field(default_factory=list)
    attempts: list[Attempt] = field(default_factory=list)
    due: list[tuple[DeliveryRow, datetime]] = field(default_factory=list)
    no_more: list[str] = field(default_factory=list)
    learnt: list[tuple[Applied, Tried]] = field(default_factory=list)


class Recorder:
    """Records outcomes of deliveries of one workspace at a time."""

    def __init__(self, db: Database, catalogs: Catalogs, notifier: Notifier, clock: Callable[[], datetime]) -> None:
        self._db = db
        self._catalogs = catalogs
        self._notifier = notifier
        self._clock = clock

    async def record(self, tried: Sequence[Tried]) -> None:
        """Write outcomes down; where the database is busy or away for a moment, again: they are known nowhere else."""
        pause = FIRST_PAUSE
        for number in range(1, TRIES + 1):
            faults.point("page.after_send")
            try:
                await self._record(tried)
            except TRANSIENT:
                if number == TRIES:
                    raise
                logger.warning("Outcomes could not be written down; trying again.", exc_info=True)
                await asyncio.sleep(pause)
                pause *= 2
            else:
                return

    async def _record(self, tried: Sequence[Tried]) -> None:
        left = {one.prepared.row.delivery_id: one for one in tried}
        workspace_id = tried[0].prepared.row.workspace_id
        for name in await self._settle(workspace_id, [one for one in tried if one.taken]):
            del left[name]
        # Those whose people were merged meanwhile, so that their locks were not the right ones, in a round of their own.
        while left:
            async with self._db.transaction() as conn:
                unit = await self._unit(conn, workspace_id)
                stretch = Stretch.of(one.prepared.row for one in left.values())
                held = await self._hold(conn, workspace_id, stretch, left)
                silent = isinstance(unit.catalog.settings.sending, Redirect)
                changes, tally = _Changes(), Tally(unit)
                for name, row in held.items():
                    _note(tally, changes, row, left[name], silent=silent and row.channel == "email")
                tally.close()
                await _write(unit, stretch, changes)
                await unit.flush()
            unit.tell(self._notifier)
            gone = left.keys() - held.keys() if not held else ()
            left = {name: one for name, one in left.items() if name not in held and name not in gone}

    async def _settle(self, workspace_id: int, tried: Sequence[Tried]) -> set[str]:
        """Write down what nothing can have come between; returns which those are."""
        if not tried:
            return set()
        async with self._db.transaction() as conn:
            unit = await self._unit(conn, workspace_id)
            receipts = Receipts(silent=isinstance(unit.catalog.settings.sending, Redirect))
            owners = {one.prepared.row.person_id for one in tried}
            await people.lock(conn, workspace_id, {owner for owner in owners if owner is not None})
            stretch = Stretch.of(one.prepared.row for one in tried)
            done = await store.settle(conn, workspace_id, stretch, [receipts.settled(one) for one in tried])
            tally = Tally(unit)
            for one in tried:
                row = one.prepared.row
                if row.delivery_id in done:
                    tally.add(row, receipts.reached(one))
                    if one.outcome.ambiguous:
                        tally.change(row, "ambiguous", 1)
            tally.close()
            await unit.flush()
        unit.tell(self._notifier)
        return done

    async def give_up(self, key: Key) -> None:
        """Make everything of a trigger undeliverable that no provider can have, page by page."""
        after = (0, "")
        while True:
            async with self._db.transaction() as conn:
                unit = await self._unit(conn, key[0])
                names = await store.unsent(conn, *key, after=after, limit=MOST)
                if not names:
                    return
                stretch = Stretch(*key[1:], names[0][0], names[-1][0])
                held = await self._hold(conn, key[0], stretch, [name for _, name in names])
                rows = [row for row in held.values() if row.status in OPEN and row.handed_over_at is None]
                given_up, tally = [], Tally(unit)
                for row in rows:
                    change = apply(row.status, row.metrics, "undeliverable", unit.now, row.channel)  # type: ignore[arg-type]
                    ended = changed(row, status=change.status, metrics=change.metrics, failure_message=CANCELLED)
                    given_up.append(changed(ended, held_until=None))
                    tally.add(ended, change.reached)
                tally.close()
                await store.save(conn, key[0], stretch, given_up)
                await store.unschedule(conn, key[0], [row.delivery_id for row in given_up])
                await unit.flush()
            unit.tell(self._notifier)
            if len(names) < MOST:
                return
            after = names[-1]

    async def _unit(self, conn: Connection, workspace_id: int) -> Unit:
        catalog = await self._catalogs.get(conn, workspace_id)
        real_now = self._clock()
        return Unit(conn, catalog, catalog.now(real_now), real_now)

    async def _hold(
        self, conn: Connection, workspace_id: int, stretch: Stretch, names: Iterable[str]
    ) -> dict[str, DeliveryRow]:
        """Those of the deliveries whose people we could lock before the deliveries themselves."""
        owners = await store.owners(conn, workspace_id, stretch, sorted(names))
        await people.lock(conn, workspace_id, {owner for owner in owners.values() if owner is not None})
        rows = await store.hold(conn, workspace_id, stretch, sorted(owners))
        return {name: row for name, row in rows.items() if row.person_id is None or row.person_id == owners[name]}


def _note(tally: Tally, changes: _Changes, row: DeliveryRow, tried: Tried, *, silent: bool) -> None:
    """What one outcome changes; nothing, where its attempt has one already."""
    outcome, at = tried.outcome, tried.at
    attempts, ambiguity = tried.prepared.row.attempts, 0
    change: Applied | None
    if outcome.result == "settled":
        return
    if row.handed_over_at is None and (outcome.result == "sent" or row.status not in OPEN):
        # It was claimed with many others, which no delivery is told while all goes well.
        row = changed(row, handed_over_at=tried.begun)
    if row.attempts == attempts and (row.status in OPEN or reported_ahead(row)):
        change = applied(row, outcome, at, silent=silent)
        ambiguity = 1 if change.row.ambiguous else 0
    elif row.ambiguous and row.attempts == attempts + 1:
        change = corrected(row, outcome, at)
        ambiguity = -1
    else:
        return
    if change is None:
        return
    changes.rows.append(change.row)
    if outcome.result == "bounced" or "spammed" in change.reached:
        changes.learnt.append((change, tried))
    if outcome.asked:
        changes.attempts.append(Attempt(change.row, at, outcome.provider or "", change.attempt, outcome.answer))
    if change.due_at is not None:
        changes.due.append((change.row, change.due_at))
    elif row.attempts or row.held_until is not None:
        changes.no_more.append(row.delivery_id)
    tally.add(change.row, change.reached)
    if ambiguity:
        tally.change(change.row, "ambiguous", ambiguity)


async def _write(unit: Unit, stretch: Stretch, changes: _Changes) -> None:
    await store.save(unit.conn, unit.catalog.workspace_id, stretch, changes.rows)
    await store.add_attempts(unit.conn, changes.attempts)
    await store.schedule(unit.conn, changes.due)
    await store.unschedule(unit.conn, unit.catalog.workspace_id, changes.no_more)
    for change, tried in changes.learnt:
        await suppressions.learn(unit, change, tried.outcome, tried.prepared.message, tried.at)


__all__ = ["CANCELLED", "MOST", "Recorder", "Tried"]
