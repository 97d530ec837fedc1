"""Evaluating everybody for one segment or one campaign's trigger, quietly: a definition changed, not the people (PPL-41)."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from domain.facts import Position
from ingest.catalog import Catalog
from ingest.settle import Change, settle
from ingest.unit import Unit
from store import people
from store.database import Connection


async def build_page(
    conn: Connection,
    catalog: Catalog,
    kind: Literal["segment", "trigger"],
    ref_id: int,
    *,
    after: int,
    limit: int,
    now: datetime,
) -> tuple[int, int]:
    """Evaluate the next people in order of internal number; returns the last number and how many (0: nobody is left).

    Nobody starts, leaves or is released by it; memberships of segments made of this one follow in the same pass.
    """
    ids = await people.page(conn, catalog.workspace_id, after, limit)
    if not ids:
        return after, 0
    unit = await Unit.load(conn, catalog, ids, now, keys=catalog.compiled.keys)
    for person_id in sorted(unit.people):
        person = unit.people[person_id]
        refs = frozenset({(kind, ref_id)})
        change = Change(unit.facts_of(person), Position(now, person.last_seq), refs=refs, quiet=True)
        await settle(unit, person, change)
    await unit.flush()
    return ids[-1], len(ids)


__all__ = ["build_page"]
