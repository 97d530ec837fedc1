"""Who came into a segment and left it, and how many of those in it may be written to (PPL-41)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from store.database import Connection


@dataclass(frozen=True, slots=True)
class SegmentChangeRead:
    """Somebody came in or left, when, and why."""

    activity_id: int
    person_id: int | None
    type: str
    at: datetime
    processed_at: datetime
    reason: str | None


@dataclass(frozen=True, slots=True)
class ChangeFilter:
    """Which changes to list: of one type, of one person, from `since` up to but without `until`."""

    type: str | None = None
    person_id: int | None = None
    since: datetime | None = None
    until: datetime | None = None


class Moved(NamedTuple):
    """How often people came in and left in one span."""

    entered: int
    left: int


class Subscribed(NamedTuple):
    """How many are in a segment, and how many of them are not unsubscribed."""

    members: int
    subscribed: int


_UNSUBSCRIBED = """CASE jsonb_typeof(p.attributes -> 'unsubscribed')
        WHEN 'boolean' THEN p.attributes -> 'unsubscribed' = 'true'
        WHEN 'number' THEN p.attributes -> 'unsubscribed' = '1'
        WHEN 'string' THEN p.attributes ->> 'unsubscribed' = '1'
                           OR lower((p.attributes ->> 'unsubscribed') COLLATE "C") = 'true'
        ELSE false END"""
"""`domain.values.is_unsubscribed` for many at once; nothing but ASCII folds to the letters of `true`."""
_OF_SEGMENT = """workspace_id = $1 AND data -> 'segment_id' = to_jsonb($2::int)
             AND type IN ('segment_enter', 'segment_leave')"""


async def changes(
    conn: Connection, workspace_id: int, segment_id: int, which: ChangeFilter, *, before: int | None, limit: int
) -> list[SegmentChangeRead]:
    """Up to `limit` changes, newest first, beyond the one numbered `before`."""
    records = await conn.fetch(
        f"""SELECT activity_id, person_id, type, at, processed_at, data ->> 'reason' AS reason FROM activities
            WHERE {_OF_SEGMENT}
              AND ($3::bigint IS NULL OR activity_id < $3) AND ($4::text IS NULL OR type = $4)
              AND ($5::bigint IS NULL OR person_id = $5)
              AND ($6::timestamptz IS NULL OR at >= $6) AND ($7::timestamptz IS NULL OR at < $7)
            ORDER BY activity_id DESC LIMIT $8""",
        workspace_id,
        segment_id,
        before,
        which.type,
        which.person_id,
        which.since,
        which.until,
        limit,
    )
    return [SegmentChangeRead(**record) for record in records]


async def moved(conn: Connection, workspace_id: int, segment_id: int, starts: Sequence[datetime]) -> list[Moved]:
    """How many came in and left in each span, which begins at one of these instants and ends at the next."""
    records = await conn.fetch(
        f"""SELECT width_bucket(at, $3::timestamptz[]) AS span,
                   count(*) FILTER (WHERE type = 'segment_enter') AS entered,
                   count(*) FILTER (WHERE type = 'segment_leave') AS gone
            FROM activities WHERE {_OF_SEGMENT} AND at >= $4 AND at < $5 GROUP BY span""",
        workspace_id,
        segment_id,
        list(starts),
        starts[0],
        starts[-1],
    )
    found = {record["span"]: Moved(record["entered"], record["gone"]) for record in records}
    return [found.get(span, Moved(0, 0)) for span in range(1, len(starts))]


async def subscribed(conn: Connection, workspace_id: int, segment_id: int) -> Subscribed:
    """How many members there are, and how many may be written to."""
    record = await conn.fetchrow(
        f"""SELECT count(*) AS members, count(*) FILTER (WHERE NOT ({_UNSUBSCRIBED})) AS subscribed
            FROM memberships m JOIN people p ON p.workspace_id = m.workspace_id AND p.person_id = m.person_id
            WHERE m.workspace_id = $1 AND m.kind = 'segment' AND m.ref_id = $2 AND m.member""",
        workspace_id,
        segment_id,
    )
    return Subscribed(**record)


__all__ = ["ChangeFilter", "Moved", "SegmentChangeRead", "Subscribed", "changes", "moved", "subscribed"]
