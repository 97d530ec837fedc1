"""Evaluating everybody for one segment or one campaign's trigger, quietly: a definition changed, not the people (PPL-41)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, NamedTuple

from domain.conditions import Condition, decide_at
from domain.facts import Position
from domain.narrowing import narrowing
from domain.subjects import Moment
from ingest.catalog import Catalog, trigger_conditions
from ingest.person import NOT_KEPT
from ingest.reading import read_facts
from ingest.reevaluate import BUILT
from ingest.settle import Change, settle
from ingest.unit import Unit
from store import builds as store
from store import deltas, people
from store.database import Connection
from store.people import ActivityRow, Kept, MembershipRow, ReadPerson

CANDIDATES: Final = 2_000
"""How many people a page evaluates at most; a page lasts well under a second."""
SPAN: Final = 20_000
"""Among how many people it looks for them at most."""
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
    now: datetime,
    why: str = SAVED,
) -> Page:
    """Find out who matches among the next people in order of internal number.

    Those are evaluated who may match or come to match, and those of whom something is kept. The others of the range do not
    match, and there is nothing to write of them; whoever comes to match by a fact after that is seen to by that fact, under
    the person's lock.

    Nobody starts, leaves or is released by it; memberships of segments made of this one follow in the same pass.
    """
    found = await store.next_range(conn, catalog.workspace_id, after=after, most=SPAN)
    page = Page(found.until, found.people)
    condition = _condition(catalog, kind, ref_id)
    if not found.people or condition is None:
        return page
    ids = await store.candidates(
        conn,
        catalog.workspace_id,
        (kind, ref_id),
        narrowing(condition),
        catalog.segment_ids,
        after=after,
        until=found.until,
        limit=CANDIDATES,
        now=now,
    )
    if len(ids) == CANDIDATES:
        last = ids[-1]
        page = Page(last, await store.count_between(conn, catalog.workspace_id, after=after, until=last))
    await _Build(conn, catalog, kind, ref_id, condition, now, why).evaluate(ids)
    return page


@dataclass(frozen=True, slots=True)
class _Build:
    conn: Connection
    catalog: Catalog
    kind: str
    ref_id: int
    condition: Condition
    now: datetime
    why: str

    async def evaluate(self, ids: Sequence[int]) -> None:
        """Write down what differs from what is kept of these people, and what follows from it."""
        conn, workspace_id = self.conn, self.catalog.workspace_id
        rows = await store.hold(conn, workspace_id, ids)
        kept = await store.kept(conn, workspace_id, (self.kind, self.ref_id), ids)
        changes = await self._changes(rows, kept)
        kind, ref_id, now = self.kind, self.ref_id, self.now
        begun: list[MembershipRow] = []
        turned: list[MembershipRow] = []
        gone: list[tuple[int, str, int]] = []
        moved: dict[int, bool] = {}
        for person_id, matched, flips_at in changes:
            before = kept.get(person_id)
            if (before is not None and before.member) != matched:
                moved[person_id] = matched
            if not matched and flips_at is None:
                gone.append((person_id, kind, ref_id))
            elif before is not None and before.member == matched:
                turned.append(MembershipRow(person_id, kind, ref_id, matched, None, flips_at))
            else:
                begun.append(MembershipRow(person_id, kind, ref_id, matched, now, flips_at))
        await people.save_memberships(conn, workspace_id, begun, gone)
        await people.save_flips(conn, workspace_id, turned)
        if moved and kind == "segment":
            await self._tell(moved)
            await self._follow(list(moved))

    async def _changes(
        self, rows: Sequence[ReadPerson], kept: dict[int, Kept]
    ) -> list[tuple[int, bool, datetime | None]]:
        """Of whom something else is true than what is kept: most people are as they were, and nothing follows from that."""
        facts = await read_facts(self.conn, self.catalog, rows, self.condition.keys)
        moment, condition = Moment.of(self.now), self.condition
        changes = []
        for number, row in enumerate(rows):
            if number % YIELD_AFTER == 0:
                await asyncio.sleep(0)
            decision = decide_at(condition, facts[row.person_id], moment)
            if decision != kept.get(row.person_id, NOT_KEPT):
                changes.append((row.person_id, *decision))
        return changes

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

    async def _follow(self, moved: Sequence[int]) -> None:
        """Settle what is made of the segment for those who moved: segments and triggers that name it."""
        if not _is_named(self.catalog, self.ref_id):
            return
        keys = self.catalog.compiled.keys_behind_segments
        unit = await Unit.load(self.conn, self.catalog, moved, self.now, keys=keys, positions=False)
        segments = frozenset({self.ref_id})
        for person in unit.people.values():
            facts, at = unit.facts_of(person), Position(self.now, 0)
            await settle(unit, person, Change(facts, at, moved=segments, quiet=True, because=self.why))
        await unit.flush()


def _is_named(catalog: Catalog, segment_id: int) -> bool:
    """Whether a segment or a trigger is made of this segment."""
    refs = frozenset({segment_id, catalog.segments[segment_id].key})
    conditions = [
        *[segment.condition for segment in catalog.compiled.nested_segments],
        *[trigger_conditions(campaign) for campaign in catalog.compiled.matching],
    ]
    return any(not refs.isdisjoint(condition.keys.segments) for condition in conditions)


def _condition(catalog: Catalog, kind: str, ref_id: int) -> Condition | None:
    """What is evaluated, None where the segment is gone or the campaign is not entered by conditions any more."""
    if kind == "segment":
        segment = catalog.segments.get(ref_id)
        return None if segment is None else segment.condition
    campaign = next((campaign for campaign in catalog.compiled.matching if campaign.id == ref_id), None)
    return None if campaign is None else trigger_conditions(campaign)


__all__ = ["CANDIDATES", "SAVED", "SPAN", "Page", "build_page"]
