"""One person's history out of several tables, each read newest first and bounded, merged into one order.

The order is by instant, then by rank (a fact before what it led to), then by a key that is unique within the rank.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, NamedTuple

from store.database import Connection

EntryType = Literal["activity", "segment", "journey", "step", "delivery"]
ENTRY_TYPES: tuple[EntryType, ...] = ("activity", "segment", "journey", "step", "delivery")
SEGMENT_TYPES = ("segment_enter", "segment_leave")
METRIC_ORDER = (
    "created",
    "drafted",
    "queued",
    "attempted",
    "failed",
    "undeliverable",
    "suppressed",
    "dropped",
    "sent",
    "deferred",
    "bounced",
    "delivered",
    "opened",
    "clicked",
    "converted",
    "spammed",
    "unsubscribed",
)
_AFTER_ALL_KEYS = "~"


class Place(NamedTuple):
    """Where an entry stands in the order."""

    at: datetime
    rank: int
    key: str


@dataclass(frozen=True, slots=True)
class TimelineRow:
    """One entry: its type, its place, what its table says."""

    type: EntryType
    place: Place
    values: Mapping[str, Any]


class _Source(NamedTuple):
    """One query of the merge: `rank` orders entries of one instant; the query yields `at`, `key` and its own columns."""

    type: EntryType
    rank: int
    query: str


_ACTIVITIES = """
    SELECT at, lpad(activity_id::text, 20, '0') COLLATE "C" AS key, activity_id, type, name, data, processed_at
    FROM activities WHERE workspace_id = $1 AND person_id = $2 AND {which}"""
_JOURNEYS = """
    SELECT {at} AS at, journey_id AS key, journey_id, campaign_id, state, reason, explanation, '{what}' AS what
    FROM journeys WHERE workspace_id = $1 AND person_id = $2 AND {at} IS NOT NULL"""
_STEPS = """
    SELECT s.created_at AS at, (s.journey_id || '/' || lpad(s.seq_num::text, 9, '0')) COLLATE "C" AS key,
           s.journey_id, j.campaign_id, s.seq_num, s.action_id, s.block, s.output_type, s.outcome, s.explanation,
           s.delivery_id, s.draft, s.delay_ends_at, s.branch_index, s.path, s.created_at, s.left_at
    FROM journeys j JOIN journey_steps s
      ON s.workspace_id = j.workspace_id AND s.journey_id = j.journey_id AND s.started_at = j.started_at
    WHERE j.workspace_id = $1 AND j.person_id = $2"""
_DELIVERIES = f"""
    SELECT m.at, (lpad(COALESCE(array_position(ARRAY[{", ".join(f"'{metric}'" for metric in METRIC_ORDER)}], m.metric),
                                99)::text, 2, '0') || '/' || d.delivery_id) COLLATE "C" AS key,
           m.metric, d.delivery_id, d.channel, d.status, d.recipient, d.subject, d.failure_message, d.journey_id,
           d.campaign_id, d.trigger_no, d.transactional_id, d.block, d.draft, d.holdout
    FROM deliveries d CROSS JOIN LATERAL (
        SELECT e.key AS metric, timestamptz 'epoch' + e.value::bigint * interval '1 microsecond' AS at
        FROM jsonb_each_text(d.metrics) e WHERE e.key <> 'created'
        UNION ALL SELECT 'created', d.created_at WHERE d.metrics - 'created' = '{{}}'::jsonb) m
    WHERE d.workspace_id = $1 AND d.person_id = $2"""

_SOURCES = (
    _Source("activity", 1, _ACTIVITIES.format(which="type NOT IN ('segment_enter', 'segment_leave')")),
    _Source("segment", 1, _ACTIVITIES.format(which="type IN ('segment_enter', 'segment_leave')")),
    _Source("journey", 2, _JOURNEYS.format(at="started_at", what="started")),
    _Source("step", 3, _STEPS),
    _Source("delivery", 4, _DELIVERIES),
    _Source("journey", 5, _JOURNEYS.format(at="converted_at", what="converted")),
    _Source("journey", 6, _JOURNEYS.format(at="ended_at", what="ended")),
)


@dataclass(frozen=True, slots=True)
class TimelineFilter:
    """Which entries to list; `until` is exclusive."""

    types: Sequence[EntryType] = ENTRY_TYPES
    since: datetime | None = None
    until: datetime | None = None


async def page(
    conn: Connection, workspace_id: int, person_id: int, which: TimelineFilter, *, before: Place | None, limit: int
) -> list[TimelineRow]:
    """Up to `limit` entries that come before the place `before`, newest first."""
    whose = (workspace_id, person_id)
    sources = [source for source in _SOURCES if source.type in which.types]
    found = [await _read(conn, source, whose, which, before=before, limit=limit) for source in sources]
    merged = heapq.merge(*found, key=lambda row: row.place, reverse=True)
    return [row for row, _ in zip(merged, range(limit), strict=False)]


async def _read(
    conn: Connection,
    source: _Source,
    whose: tuple[int, int],
    which: TimelineFilter,
    *,
    before: Place | None,
    limit: int,
) -> list[TimelineRow]:
    records = await conn.fetch(
        f"""SELECT * FROM ({source.query}) AS entries
            WHERE ($3::timestamptz IS NULL OR at >= $3) AND ($4::timestamptz IS NULL OR at < $4)
              AND ($5::timestamptz IS NULL OR at < $5 OR (at = $5 AND key < $6::text COLLATE "C"))
            ORDER BY at DESC, key DESC LIMIT $7""",
        *whose,
        which.since,
        which.until,
        None if before is None else before.at,
        None if before is None else _key_bound(source.rank, before),
        limit,
    )
    return [TimelineRow(source.type, Place(r["at"], source.rank, r["key"]), dict(r)) for r in records]


def _key_bound(rank: int, before: Place) -> str:
    """Below which key entries of this rank still come, at the very instant of `before`."""
    if rank == before.rank:
        return before.key
    return _AFTER_ALL_KEYS if rank < before.rank else ""


__all__ = ["ENTRY_TYPES", "EntryType", "Place", "TimelineFilter", "TimelineRow", "page"]
