"""A page of recipients: walked, their messages stored and the trigger moved on, in one transaction (CHN-15, CHN-22).

Ids of deliveries derive from places in the audience, and the place moves with them: a page that was cut off has not been,
and one that was committed is never made again. Broadcasts that only send are walked before the transaction, which then only
looks whether nobody has changed since: facts of others wait for every transaction that writes, so that it has to be short.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, NamedTuple

import faults
from domain.definitions.broadcast import SendRate
from domain.pacing import Pace
from ingest.catalog import Campaign, Catalogs
from ingest.records import RECIPIENT
from ingest.unit import Unit
from services.broadcasts.ending import end
from services.broadcasts.tally import Tally
from services.broadcasts.walk import Walk, is_plain, keys_of, sees_messages
from services.deliveries import Prepared
from services.delivery_making import Made
from services.due_sends import BROADCAST
from services.passages import of_broadcast
from services.precedence import Precedence
from services.providers import use_of
from services.suppressions import kept_from
from store import broadcast_claims as claims
from store import broadcast_recipients as recipients
from store import broadcasts as store
from store import deliveries, delivery_batches, people, tasks
from store.broadcast_recipients import Recipient
from store.broadcasts import SENDING, Key, TriggerRow
from store.database import Database
from store.notify import Notifier

PAGE: Final = 200
"""How many recipients one transaction sees to, at most."""
YIELD_AFTER: Final = 0.005
"""For how many seconds messages are made before others of this process have a turn."""
LONGEST_REST: Final = 5.0
"""A longer gap of a slow rate is left to the clock; in a sandbox, whose clock somebody else moves, any gap is."""
GONE: Final = frozenset({"archived", "draft"})
WRAP: Final = 1 << 32
"""Rows know only so much of the number of the transaction that wrote them."""


class Page(NamedTuple):
    """A page that is committed: by which transaction, behind which place it begins, where it ends, what is to be handed over."""

    made_by: int
    first: int
    last: int
    prepared: Sequence[Prepared]


class Rest(NamedTuple):
    """Nobody may be seen to for so many seconds."""

    seconds: float


Halt = Literal["seen", "waits", "over"]
"""Everybody was seen to; it waits to be woken; it is over."""


@dataclass(frozen=True, slots=True)
class _Draft:
    """What was made of some recipients, and of what it was made."""

    rev: int
    after: int
    rows: Sequence[Recipient]
    versions: dict[int, int]
    walk: Walk


class Pages:
    """Makes pages of triggers."""

    def __init__(
        self,
        db: Database,
        catalogs: Catalogs,
        notifier: Notifier,
        clock: Callable[[], datetime],
        *,
        link_base_url: str,
        size: int = PAGE,
        precedence: Precedence | None = None,
    ) -> None:
        self._precedence = precedence or Precedence()
        self._db = db
        self._catalogs = catalogs
        self._notifier = notifier
        self._clock = clock
        self._link_base_url = link_base_url
        self._size = size

    async def make(self, key: Key, handed: int, owner: str) -> Page | Rest | Halt:
        """The next page of a trigger, or why there is none now; up to the place `handed` everything was handed over.

        It is for the `owner` of the trigger's claims; where they are somebody else's there is none.
        """
        draft = await self._draft(key)
        async with self._db.transaction() as conn:
            # With a number of its own before it reads them, so that builds by later definitions wait for it.
            number = await tasks.own_number(conn)
            real_now = self._clock()
            trigger = await store.hold(conn, key)
            catalog = await self._catalogs.get(conn, key[0])
            unit = Unit(conn, catalog, catalog.now(real_now), real_now)
            broadcast = catalog.broadcasts.get(key[1])
            halt = await _halt(unit, trigger, broadcast, owner)
            if halt is not None or trigger is None or broadcast is None:
                return halt or "over"
            size = _kept_up(trigger, unit.now, self._size)
            if size == 0:
                return await self._wait(unit, trigger)
            fresh = draft is not None and await _holds(unit, trigger, draft, size)
            made = draft if fresh else await self._locked(unit, trigger, broadcast, size)
            if made is None:
                return Rest(0.0)
            page = await _commit(unit, trigger, made, handed, number)
            await unit.flush()
            faults.point("page.before_commit")
        unit.tell(self._notifier)
        faults.point("page.after_commit")
        return page

    async def _draft(self, key: Key) -> _Draft | None:
        """The next page as it would be, made without any lock; None where that cannot be."""
        async with self._db.connection() as conn:
            real_now = self._clock()
            trigger = await store.get(conn, key)
            catalog = await self._catalogs.get(conn, key[0])
            now = catalog.now(real_now)
            broadcast = catalog.broadcasts.get(key[1])
            if trigger is None or trigger.state != SENDING or trigger.paused or broadcast is None:
                return None
            keys = keys_of(catalog, broadcast)
            size = _kept_up(trigger, now, self._size)
            if size == 0 or not is_plain(broadcast, keys):
                return None
            rows = await recipients.after(conn, key, trigger.position, size)
            ids = [row.person_id for row in rows]
            versions = await people.versions(conn, key[0], ids)
            unit = await Unit.for_page(conn, catalog, ids, now, keys, locked=False)
        walk = Walk(unit, catalog, broadcast, now, self._link_base_url)
        await _walk(walk, trigger, rows, self._precedence)
        return _Draft(catalog.compiled.rev, trigger.position, rows, versions, walk)

    async def _locked(self, unit: Unit, trigger: TriggerRow, broadcast: Campaign, size: int) -> _Draft | None:
        """The page made under the locks of its people; None where somebody came in between."""
        conn, catalog, keys = unit.conn, unit.catalog, keys_of(unit.catalog, broadcast)
        before = await recipients.after(conn, trigger.key, trigger.position, size)
        ids = [row.person_id for row in before]
        if broadcast.writes:
            loaded = await Unit.load(conn, catalog, ids, unit.now, keys=keys, real_now=unit.real_now)
        else:
            loaded = await Unit.for_page(conn, catalog, ids, unit.now, keys, locked=True)
        unit.people = loaded.people
        # Who was merged into somebody while we waited for their lock has another number by now, who was erased none.
        rows = await recipients.after(conn, trigger.key, trigger.position, size)
        if not {row.person_id for row in rows} <= set(ids):
            return None
        walk = Walk(unit, catalog, broadcast, unit.now, self._link_base_url, at_once=sees_messages(keys))
        await _walk(walk, trigger, rows)
        return _Draft(catalog.compiled.rev, trigger.position, rows, {}, walk)

    async def _wait(self, unit: Unit, trigger: TriggerRow) -> Rest | Halt:
        """Ahead of its rate: rest a little, or leave it to the clock."""
        pace = _pace(trigger)
        assert pace is not None, "only a rate makes it wait"
        until = pace.until(min(self._size, (trigger.recipients_count or 0) - trigger.position))
        seconds = (until - unit.now).total_seconds()
        if not unit.catalog.workspace.sandbox and seconds <= LONGEST_REST:
            return Rest(seconds)
        trigger.next_at = until
        await store.save(unit.conn, trigger, "next_at", "rate_since", "rate_sent")
        await deliveries.ask(unit.conn, trigger.workspace_id, BROADCAST, trigger.ref, until)
        return "waits"


async def _halt(unit: Unit, trigger: TriggerRow | None, broadcast: Campaign | None, owner: str) -> Halt | None:
    """Why there is no next page, None where there is one; a broadcast that was put away ends what is under way."""
    if trigger is None or trigger.state != SENDING or not await claims.is_owner(unit.conn, trigger.key, owner):
        return "over"
    if broadcast is None or broadcast.state in GONE:
        await end(unit.conn, trigger, "cancelled", unit.now)
        return "over"
    if trigger.paused:
        return "waits"
    return "seen" if trigger.position >= (trigger.recipients_count or 0) else None


async def _holds(unit: Unit, trigger: TriggerRow, draft: _Draft, size: int) -> bool:
    """Whether nothing has changed since the page was made; its people are locked from now on."""
    held = await people.versions(unit.conn, trigger.workspace_id, draft.versions, locked=True)
    made_of = (draft.rev, draft.after, draft.versions)
    return made_of == (unit.catalog.compiled.rev, trigger.position, held) and len(draft.rows) <= size


async def _commit(unit: Unit, trigger: TriggerRow, draft: _Draft, handed: int, number: int) -> Page:
    """Store what was made, count it, and move the trigger behind it."""
    walk, rows = draft.walk, draft.rows
    made = walk.made if walk.at_once else await _stored(unit, walk.made)
    for (action_id, outcome), times in walk.passed.items():
        unit.count("block", action_id, outcome, times)
    first = trigger.position
    trigger.position = rows[-1].position if rows else trigger.recipients_count or 0
    trigger.rate_sent += len(rows)
    trigger.progress = {**trigger.progress, "handed": handed}
    trigger.next_at = None
    await store.save(unit.conn, trigger, "position", "progress", "rate_since", "rate_sent", "next_at")
    use, name = use_of(walk.broadcast), walk.broadcast.key
    prepared = [Prepared(walk.catalog, one.row, one.message, use, name) for one in made]
    return Page(number % WRAP, first, trigger.position, [one for one in prepared if one.open])


async def _stored(unit: Unit, made: Sequence[Made]) -> list[Made]:
    """Store and count deliveries; those to addresses that get nothing are kept back. Returns what was not there yet."""
    made = await kept_from(unit.conn, unit.catalog, made, unit.now)
    added = await delivery_batches.insert(unit.conn, [(one.row, one.rendered) for one in made])
    fresh = [one for one in made if one.row.delivery_id in added]
    tally = Tally(unit)
    for one in fresh:
        tally.add(one.row, one.row.metrics, RECIPIENT)
    tally.close()
    return fresh


async def _walk(
    walk: Walk, trigger: TriggerRow, rows: Sequence[Recipient], precedence: Precedence | None = None
) -> None:
    """Walk these recipients; whoever is gone is passed over. Who holds no lock gives way to what is urgent."""
    clock = asyncio.get_running_loop().time
    began = clock()
    for row in rows:
        person = walk.unit.people.get(row.person_id)
        if person is None:
            continue
        passage = of_broadcast(
            walk.catalog,
            walk.broadcast,
            trigger_no=trigger.trigger_no,
            recipient_no=row.position,
            person_id=row.person_id,
            data={**trigger.data, **row.data} if row.data else trigger.data,
            at=walk.now,
            seq=person.last_seq,
        )
        await walk.one(passage, person)
        if clock() - began > YIELD_AFTER:
            await asyncio.sleep(0)
            if precedence is not None:
                await precedence.give_way()
            began = clock()


def _kept_up(trigger: TriggerRow, now: datetime, size: int) -> int:
    """How many may be seen to now, at most `size`; what was missed is no longer counted."""
    if trigger.send_rate is None:
        return size
    if trigger.rate_since is None:
        trigger.rate_since, trigger.rate_sent = now, 0
    pace = _pace(trigger)
    assert pace is not None, "it has a rate"
    pace = pace.kept_up(now)
    trigger.rate_since, trigger.rate_sent = pace.since, pace.sent
    left = (trigger.recipients_count or 0) - trigger.position
    wanted = min(pace.chunk, left, size)
    # Nothing less than a chunk, or few would be seen to at a time however many come in a second.
    return wanted if pace.allowed(now) >= wanted else 0


def _pace(trigger: TriggerRow) -> Pace | None:
    if trigger.send_rate is None or trigger.rate_since is None:
        return None
    rate = SendRate.model_validate(trigger.send_rate)
    return Pace(rate.per_second, trigger.rate_since, trigger.rate_sent)


__all__ = ["LONGEST_REST", "PAGE", "Halt", "Page", "Pages", "Rest"]
