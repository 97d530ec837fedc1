"""The activity log of a whole workspace, newest first, and what was done anonymously (APP-10, PPL-09, PPL-18)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

from store.database import Connection

SCAN_ROWS: Final = 20_000
MOST_SCANS: Final = 5


@dataclass(frozen=True, slots=True)
class ActivityRead:
    """One line; `deleted` says that its person is no longer there."""

    activity_id: int
    person_id: int | None
    type: str
    name: str | None
    data: Mapping[str, Any]
    at: datetime
    processed_at: datetime
    deleted: bool


@dataclass(frozen=True, slots=True)
class ActivityFilter:
    """Which lines to list; what is None narrows nothing. Lines that happened before `since` are left out.

    `name` is that of an event, or of an attribute that changed or could not.
    """

    since: datetime
    types: Sequence[str] | None = None
    name: str | None = None
    deleted: bool | None = None


class Scanned(NamedTuple):
    """What was found, and from where to look further; None where there is nothing further."""

    rows: list[ActivityRead]
    before: int | None


_GONE = """(w.type = 'profile_delete' OR (w.person_id IS NOT NULL AND NOT EXISTS (
                SELECT 1 FROM people p WHERE p.workspace_id = $1 AND p.person_id = w.person_id)))"""


async def page(
    conn: Connection, workspace_id: int, which: ActivityFilter, *, before: int | None, limit: int
) -> Scanned:
    """Up to `limit` lines beyond the one numbered `before`; fewer where so many lines were looked at in vain."""
    found: list[ActivityRead] = []
    for _ in range(MOST_SCANS):
        rows, last = await _scan(conn, workspace_id, which, before=before, limit=limit + 1 - len(found))
        found += rows
        if len(found) > limit:
            return Scanned(found[:limit], found[limit - 1].activity_id)
        before = last
        if before is None:
            break
    return Scanned(found, before)


async def _scan(
    conn: Connection, workspace_id: int, which: ActivityFilter, *, before: int | None, limit: int
) -> tuple[list[ActivityRead], int | None]:
    """What fits among the next lines, and the last line looked at, None where there are no more."""
    records = await conn.fetch(
        f"""WITH seen AS MATERIALIZED (
                SELECT activity_id, person_id, type, name, data, at, processed_at FROM activities
                WHERE workspace_id = $1 AND recorded_at >= $2 AND ($3::bigint IS NULL OR activity_id < $3)
                ORDER BY activity_id DESC LIMIT {SCAN_ROWS}),
            bounds AS (SELECT count(*) AS rows, min(activity_id) AS last FROM seen)
            SELECT b.rows, b.last, f.* FROM bounds b LEFT JOIN LATERAL (
                SELECT w.*, {_GONE} AS deleted FROM seen w
                WHERE w.at >= $2 AND ($4::text[] IS NULL OR w.type = ANY($4))
                  AND ($5::text IS NULL OR w.name = $5
                       OR (w.type LIKE '%attribute_change'
                           AND (w.data -> 'attributes' ? $5 OR w.data -> 'reasons' ? $5)))
                  AND ($6::boolean IS NULL OR {_GONE} = $6)
                ORDER BY w.activity_id DESC LIMIT $7) f ON true
            ORDER BY f.activity_id DESC""",
        workspace_id,
        which.since,
        before,
        None if which.types is None else list(which.types),
        which.name,
        which.deleted,
        limit,
    )
    names = ActivityRead.__slots__
    rows = [ActivityRead(**{n: r[n] for n in names}) for r in records if r["activity_id"] is not None]
    return rows, records[0]["last"] if records[0]["rows"] == SCAN_ROWS else None


@dataclass(frozen=True, slots=True)
class AnonymousRead:
    """Something of somebody not known yet."""

    anonymous_id: str
    seq: int
    op: str
    received_at: datetime
    at: datetime
    name: str | None
    type: str | None
    data: Mapping[str, Any]
    event_id: str | None


async def anonymous(
    conn: Connection, workspace_id: int, which: ActivityFilter, *, before: int | None, limit: int
) -> list[AnonymousRead]:
    """Up to `limit` anonymous facts received since, and of that time, newest first, beyond the one numbered `before`."""
    records = await conn.fetch(
        f"""SELECT {", ".join(AnonymousRead.__slots__)} FROM anonymous_facts
            WHERE workspace_id = $1 AND received_at >= $2 AND at >= $2 AND ($3::bigint IS NULL OR seq < $3)
              AND ($4::text[] IS NULL OR COALESCE(type, op) = ANY($4)) AND ($5::text IS NULL OR name = $5)
            ORDER BY seq DESC LIMIT $6""",
        workspace_id,
        which.since,
        before,
        None if which.types is None else list(which.types),
        which.name,
        limit,
    )
    return [AnonymousRead(**record) for record in records]


async def last_data(conn: Connection, workspace_id: int, since: datetime) -> dict[tuple[str, str], Any]:
    """The data of the latest event of each name and kind among the latest lines of the log."""
    records = await conn.fetch(
        f"""SELECT DISTINCT ON (type, name) type, name, data -> 'data' AS data FROM (
                SELECT activity_id, type, name, data FROM activities
                WHERE workspace_id = $1 AND recorded_at >= $2 ORDER BY activity_id DESC LIMIT {SCAN_ROWS}) latest
            WHERE type IN ('event', 'page', 'screen') AND name IS NOT NULL ORDER BY type, name, activity_id DESC""",
        workspace_id,
        since,
    )
    return {(record["name"], record["type"]): record["data"] for record in records}


__all__ = [
    "ActivityFilter",
    "ActivityRead",
    "AnonymousRead",
    "Scanned",
    "anonymous",
    "last_data",
    "page",
]
