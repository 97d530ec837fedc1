"""Evaluating everybody for one segment or one campaign's trigger, quietly: a definition changed, not the people (PPL-41)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, NamedTuple

from domain.facts import Facts, Position
from domain.journeys import FrequencyInterval
from domain.operations import Reevaluate, ordering_keys
from domain.subjects import Moment
from ingest.asking import Asked, asked_of
from ingest.catalog import Catalog, trigger_keys
from ingest.person import NOT_KEPT
from ingest.reading import read_facts
from ingest.reevaluate import BUILT
from ingest.settle import Change, settle
from ingest.unit import Unit
from store import builds as store
from store import deltas, journeys, log, people
from store.database import Connection
from store.due import FLIP_SOURCE
from store.people import ActivityRow, Kept, MembershipRow

CANDIDATES: Final = 2_000
"""How many people a page evaluates at most; a page lasts well under a second."""
SPAN: Final = 20_000
"""Among how many people it looks for them at most."""
FIRST_SPAN: Final = 1_000
"""Among how many it looks first: where people have a long past, that may take long, and no more is looked at."""
LOOK_SECONDS: Final = 0.25
EVENTS: Final = 40_000
"""After so many events have been read a page ends early: where people have a long past, few of them are much."""
FIRST: Final = 20
"""How many people are evaluated together at first, until it is known how much there is to read of them."""
GROWTH: Final = 10
FOLLOWED: Final = 200
"""How many are evaluated together at most where other things are made of the segment, which read more of those who move."""
YIELD_AFTER: Final = 200
"""After how many people others of this process have a turn."""
SAVED: Final = BUILT
"""Why a build moves people where nothing else is said, in words of the activity log."""
_WORDS: Final = {True: "segment_enter", False: "segment_leave"}


class Page(NamedTuple):
    """What a page came to: the last person of its range, and how many are in it (0: nobody is left)."""

    last: int
    looked: int


async def build_page(
    conn: Connection,
    catalog: Catalog,
    kind: Literal["segment", "trigger"],
    ref_id: int,
    *,
    after: int,
    since: datetime,
    now: datetime,
    why: str = SAVED,
    came: list[int] | None = None,
) -> Page:
    """Find out who matches among the next people in order of internal number.

    Those are evaluated who may match or come to match, and those of whom something is kept. The others of the range do not
    match, and there is nothing to write of them; whoever comes to match by a fact after that is seen to by that fact, under
    the person's lock.

    Nobody starts, leaves or is released by it; memberships of segments made of this one follow in the same pass. Whom the
    clock has moved, after the instant `since` which the build was made, is left to the clock. `came` is filled with those
    who match and of whom nothing said so before; they stay locked.
    """
    asked = asked_of(catalog, kind, ref_id)
    if asked is None:
        found = await store.next_range(conn, catalog.workspace_id, after=after, most=SPAN)
        return Page(found.until, found.people)
    build = _Build(conn, catalog, kind, ref_id, asked, min(since, now), now, why, [] if came is None else came)
    page, ids = await build.look(after)
    done = await build.evaluate(ids)
    if done == CANDIDATES or done < len(ids):
        last = ids[done - 1]
        page = Page(last, await store.count_between(conn, catalog.workspace_id, after=after, until=last))
    return page


@dataclass(frozen=True, slots=True)
class _Build:
    conn: Connection
    catalog: Catalog
    kind: str
    ref_id: int
    asked: Asked
    since: datetime
    now: datetime
    why: str
    came: list[int]

    async def look(self, after: int) -> tuple[Page, list[int]]:
        """The next people to be evaluated, and the range they were looked for in."""
        time = asyncio.get_running_loop().time
        began, workspace_id, hint = time(), self.catalog.workspace_id, self.asked.hint
        page, ids, span = Page(after, 0), list[int](), FIRST_SPAN
        while page.looked < SPAN and len(ids) < CANDIDATES and time() - began < LOOK_SECONDS:
            most = min(span, SPAN - page.looked)
            found = await store.next_range(self.conn, workspace_id, after=page.last, most=most)
            if not found.people:
                break
            ids += await store.candidates(
                self.conn,
                workspace_id,
                (self.kind, self.ref_id),
                hint,
                self.catalog.segment_ids,
                after=page.last,
                until=found.until,
                limit=CANDIDATES - len(ids),
                now=self.now,
            )
            page = Page(found.until, page.looked + found.people)
            span *= 4
        return page, ids

    async def evaluate(self, ids: Sequence[int]) -> int:
        """Write down what differs from what is kept of these people, and what follows; of how many, the others are left."""
        most = FOLLOWED if self.kind == "segment" and _is_named(self.catalog, self.ref_id) else CANDIDATES
        done, read, size = 0, 0, FIRST
        while done < len(ids) and read < EVENTS:
            part = ids[done : done + size]
            read += await self._evaluate(part)
            done += len(part)
            few = CANDIDATES if read == 0 else max(FIRST, (EVENTS - read) * done // read)
            size = min(size * GROWTH, few, most)
        return done

    async def _evaluate(self, ids: Sequence[int]) -> int:
        """The same for a few people; how many events that took."""
        conn, workspace_id = self.conn, self.catalog.workspace_id
        rows = await store.hold(conn, workspace_id, ids)
        kept = await store.kept(conn, workspace_id, (self.kind, self.ref_id), ids)
        facts = await read_facts(conn, self.catalog, rows, self.asked.keys)
        read = sum(len(one.events) for one in facts.values())
        asked = self.asked
        if asked.campaign is not None and isinstance(asked.campaign.definition.often, FrequencyInterval):
            asked = asked.knowing(await journeys.history_of(conn, workspace_id, [asked.campaign.id], ids))
        changes = await self._changes(facts, kept, asked)
        kind, ref_id, now = self.kind, self.ref_id, self.now
        begun: list[MembershipRow] = []
        turned: list[MembershipRow] = []
        gone: list[tuple[int, str, int]] = []
        moved: dict[int, bool] = {}
        for person_id, (matched, flips_at) in changes.items():
            before = kept.get(person_id)
            if (before is not None and before.member) != matched:
                moved[person_id] = matched
            if not matched and flips_at is None:
                gone.append((person_id, kind, ref_id))
            elif before is not None and before.member == matched:
                turned.append(MembershipRow(person_id, kind, ref_id, matched, None, flips_at))
            else:
                begun.append(MembershipRow(person_id, kind, ref_id, matched, now, flips_at))
        self.came.extend(row.person_id for row in begun if row.member)
        await people.save_memberships(conn, workspace_id, begun, gone)
        await people.save_flips(conn, workspace_id, turned)
        if moved and kind == "segment":
            await self._tell(moved)
            read += await self._follow(list(moved))
        return read

    async def _changes(self, facts: Mapping[int, Facts], kept: Mapping[int, Kept], asked: Asked) -> dict[int, Kept]:
        """Of whom something else is true than what is kept: most people are as they were, and nothing follows from that."""
        moment = Moment.of(self.now)
        found: dict[int, Kept] = {}
        unclear: list[int] = []
        for number, (person_id, seen) in enumerate(facts.items()):
            if number % YIELD_AFTER == 0:
                await asyncio.sleep(0)
            decision = asked.of(person_id, seen, moment, self.since)
            before = kept.get(person_id, NOT_KEPT)
            if decision == before or (asked.by_instant and before.flips_at is not None and before.flips_at <= self.now):
                # What happens at an instant that has come is left to the clock, which is about to ask.
                continue
            if decision.member != before.member:
                if person_id in kept and before.flips_at is None:
                    unclear.append(person_id)
                decision = self._by_the_clock(seen, before) or decision
            if decision != before:
                found[person_id] = decision
        for person_id in await self._asked_by_the_clock(unclear):
            found.pop(person_id, None)
        return found

    def _by_the_clock(self, facts: Facts, before: Kept) -> Kept | None:
        """What is to be kept of somebody whom the clock has moved and not the definition: that their turn has come."""
        if before.flips_at is not None and before.flips_at <= self.since:
            return before
        then = self.asked.of(0, facts, Moment.of(self.since), self.since)
        came = then.member == before.member and then.flips_at is not None and then.flips_at <= self.now
        return then if came else None

    async def _asked_by_the_clock(self, ids: Sequence[int]) -> list[int]:
        """Those of these people whose turn has come already, so that they are about to be looked at."""
        if not ids:
            return []
        keys = {ordering_keys(Reevaluate(person_id=person_id, refs=[]))[0]: person_id for person_id in ids}
        waiting = await log.keys_waiting(self.conn, self.catalog.workspace_id, FLIP_SOURCE, list(keys))
        return [keys[key] for key in waiting]

    async def _tell(self, moved: dict[int, bool]) -> None:
        """Count the members, and write into the log who has joined and left."""
        segment = self.catalog.segments[self.ref_id]
        data = {"segment_id": segment.id, "segment": segment.key, "reason": self.why}
        lines = [
            ActivityRow(person_id, _WORDS[member], segment.name, data, self.now, self.now, 0)
            for person_id, member in moved.items()
        ]
        await people.insert_activities(self.conn, self.catalog.workspace_id, lines, self.now)
        grown = sum(1 if member else -1 for member in moved.values())
        delta = deltas.Delta(self.catalog.workspace_id, "segment", segment.id, "members", grown)
        await deltas.insert(self.conn, [delta])

    async def _follow(self, moved: Sequence[int]) -> int:
        """Settle segments and triggers that name the segment for those who moved; how many events were read for that."""
        if not _is_named(self.catalog, self.ref_id):
            return 0
        keys = self.catalog.compiled.keys_behind_segments
        unit = await Unit.load(self.conn, self.catalog, moved, self.now, keys=keys, positions=False)
        segments = frozenset({self.ref_id})
        for number, person in enumerate(unit.people.values()):
            if number % YIELD_AFTER == 0:
                await asyncio.sleep(0)
            facts, at = unit.facts_of(person), Position(self.now, 0)
            await settle(unit, person, Change(facts, at, moved=segments, quiet=True, because=self.why))
        await unit.flush()
        return sum(len(person.events) for person in unit.people.values())


def _is_named(catalog: Catalog, segment_id: int) -> bool:
    """Whether a segment or a trigger is made of this segment."""
    refs = frozenset({segment_id, catalog.segments[segment_id].key})
    conditions = [
        *[segment.condition.keys for segment in catalog.compiled.nested_segments],
        *[trigger_keys(campaign) for campaign in catalog.compiled.matching],
    ]
    return any(not refs.isdisjoint(keys.segments) for keys in conditions)


__all__ = ["CANDIDATES", "SAVED", "SPAN", "Page", "build_page"]
