"""Evaluating everybody for one segment or one campaign's trigger, quietly: a definition changed, not the people (PPL-41)."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Literal

from domain.conditions import Condition, decide
from domain.facts import Position
from ingest.catalog import Catalog, trigger_conditions
from ingest.settle import Change, settle
from ingest.unit import Unit
from store import people
from store.database import Connection

YIELD_AFTER = 200
"""After how many people others of this process have a turn."""


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
    condition = _condition(catalog, kind, ref_id)
    if condition is None:
        return ids[-1], len(ids)
    unit = await Unit.load(conn, catalog, ids, now, keys=condition.keys | catalog.compiled.keys_behind_segments)
    refs = frozenset({(kind, ref_id)})
    for number, person_id in enumerate(sorted(unit.people)):
        if number % YIELD_AFTER == 0:
            await asyncio.sleep(0)
        person = unit.people[person_id]
        facts = unit.facts_of(person)
        decision = decide(condition, facts, now)
        kept = person.memberships.get((kind, ref_id))
        known = (kept.member, kept.flips_at) if kept is not None else (False, None)
        # Most people are as they were, and nothing follows from that.
        if known != decision:
            change = Change(facts, Position(now, person.last_seq), refs=refs, quiet=True)
            await settle(unit, person, change)
    await unit.flush()
    return ids[-1], len(ids)


def _condition(catalog: Catalog, kind: str, ref_id: int) -> Condition | None:
    """What is evaluated, None where the segment is gone or the campaign is not entered by conditions any more."""
    if kind == "segment":
        segment = catalog.segments.get(ref_id)
        return None if segment is None else segment.condition
    campaign = next((campaign for campaign in catalog.compiled.matching if campaign.id == ref_id), None)
    return None if campaign is None else trigger_conditions(campaign)


__all__ = ["build_page"]
