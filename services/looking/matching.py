"""Who matches a condition now, found page by page without holding anybody up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from domain.conditions import Condition, decide_at
from domain.facts import Facts
from domain.subjects import Moment
from ingest.catalog import Catalog
from ingest.reading import read_facts
from store.database import Connection, Database
from store.people import ReadPerson
from store.reads.candidates import Candidates, candidates

PAGE: Final = 500
"""How many people are evaluated at once, at most."""
SPANS: Final = (1_000, 32_000)
"""Among how many people those are looked for, at least and at most: the more, the fewer are found."""
YIELD_AFTER: Final = 50
"""After how many people others of this process have a turn."""
LONGEST: Final = 20.0
"""For how many seconds one call looks at people; then it answers with what it has."""


@dataclass(frozen=True, slots=True)
class Page:
    """A range of people: those who match, the last one's number, how many there are (0: nobody is left)."""

    matched: list[ReadPerson]
    last: int
    looked: int
    evaluated: int


async def pages(
    db: Database, catalog: Catalog, condition: Condition, now: datetime, *, after: int = 0, seconds: float = LONGEST
) -> AsyncIterator[Page]:
    """Page after page until nobody is left, or until the time is up, but one page at least."""
    loop = asyncio.get_running_loop()
    until = loop.time() + seconds
    span = SPANS[0]
    while True:
        async with db.connection() as conn:
            found, facts = await _read(conn, catalog, condition, now, after=after, span=span)
        page = await _decided(found, facts, condition, now)
        yield page
        if page.looked == 0 or loop.time() >= until:
            return
        span = min(max(span * 2 if page.evaluated < PAGE // 2 else page.looked, SPANS[0]), SPANS[1])
        after = page.last


async def next_page(conn: Connection, catalog: Catalog, condition: Condition, now: datetime, *, after: int) -> Page:
    """One page for those who have a transaction of their own."""
    found, facts = await _read(conn, catalog, condition, now, after=after, span=SPANS[1])
    return await _decided(found, facts, condition, now)


async def _read(
    conn: Connection, catalog: Catalog, condition: Condition, now: datetime, *, after: int, span: int
) -> tuple[Candidates, Mapping[int, Facts]]:
    found = await candidates(
        conn, catalog.workspace_id, condition, catalog.segment_ids, after=after, limit=PAGE, span=span, now=now
    )
    return found, await read_facts(conn, catalog, found.rows, condition.keys) if found.rows else {}


async def _decided(found: Candidates, facts: Mapping[int, Facts], condition: Condition, now: datetime) -> Page:
    moment = Moment.of(now)
    matched: list[ReadPerson] = []
    for number, row in enumerate(found.rows):
        if number % YIELD_AFTER == 0:
            await asyncio.sleep(0)
        if decide_at(condition, facts[row.person_id], moment)[0]:
            matched.append(row)
    return Page(matched, found.range.until, found.range.people, len(found.rows))


__all__ = ["LONGEST", "PAGE", "Page", "next_page", "pages"]
