"""The log of accepted facts as lookers see it, newest first, and the order in which refused calls stand among them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from store.database import Connection

_COLUMNS = "seq, accepted_at, received_at, source, op, body, applied_at, outcome, note, person_id"
SCAN_ROWS: Final = 10_000
MOST_SCANS: Final = 5
_HIDDEN = "suppressed"


@dataclass(frozen=True, slots=True)
class FactRead:
    """One accepted fact; `accepted_at` and `applied_at` are real time, `received_at` the workspace's."""

    seq: int
    accepted_at: datetime
    received_at: datetime
    source: str
    op: str
    body: bytes
    applied_at: datetime | None
    outcome: str | None
    note: str | None
    person_id: int | None


@dataclass(frozen=True, slots=True)
class FactFilter:
    """Which facts to list; what is None narrows nothing. `outcome` is `pending` where nothing has come of one yet.

    `sources` are whole names of sources, or labels before their colon. `people` are those whom a fact was about; `keys`
    belong to names that a fact mentions, which finds it also while nobody knows whom it is about.
    """

    outcome: str | None = None
    sources: Sequence[str] | None = None
    op: str | None = None
    people: Sequence[int] | None = None
    keys: Sequence[int] | None = None


async def page(
    conn: Connection, workspace_id: int, which: FactFilter, *, before: int | None, limit: int
) -> tuple[list[FactRead], int | None]:
    """Up to `limit` facts accepted before the one numbered `before`; what suppressed people sent is not among them.

    And from where to look further: None where there is nothing. Fewer are found where so many were looked at in vain.
    """
    if which.people:
        found = await _of_people(conn, workspace_id, which, before=before, limit=limit + 1)
        return found[:limit], found[limit - 1].seq if len(found) > limit else None
    rows: list[FactRead] = []
    for _ in range(MOST_SCANS):
        more, last = await _scan(conn, workspace_id, which, before=before, limit=limit + 1 - len(rows))
        rows += more
        if len(rows) > limit:
            return rows[:limit], rows[limit - 1].seq
        before = last
        if before is None:
            break
    return rows, before


_TESTS = f"""outcome IS DISTINCT FROM '{_HIDDEN}'
             AND ($3::text IS NULL OR outcome = $3 OR ($3 = 'pending' AND applied_at IS NULL))
             AND ($4::text[] IS NULL OR source = ANY($4) OR split_part(source, ':', 1) = ANY($4))
             AND ($5::text IS NULL OR op = $5)"""


async def _scan(
    conn: Connection, workspace_id: int, which: FactFilter, *, before: int | None, limit: int
) -> tuple[list[FactRead], int | None]:
    records = await conn.fetch(
        f"""WITH seen AS MATERIALIZED (
                SELECT seq, accepted_at, source, op, applied_at, outcome, keys FROM ingest_log
                WHERE workspace_id = $1 AND ($2::bigint IS NULL OR seq < $2) ORDER BY seq DESC LIMIT {SCAN_ROWS}),
            bounds AS (SELECT count(*) AS rows, min(seq) AS last FROM seen),
            fit AS (SELECT seq, accepted_at FROM seen
                    WHERE {_TESTS} AND ($6::bigint[] IS NULL OR keys && $6) ORDER BY seq DESC LIMIT $7)
            SELECT b.rows, b.last, f.* FROM bounds b LEFT JOIN LATERAL (
                SELECT {", ".join(f"l.{name}" for name in _COLUMNS.split(", "))} FROM fit JOIN ingest_log l
                  ON l.workspace_id = $1 AND l.seq = fit.seq AND l.accepted_at = fit.accepted_at) f ON true
            ORDER BY f.seq DESC""",
        workspace_id,
        before,
        which.outcome,
        None if which.sources is None else list(which.sources),
        which.op,
        None if which.keys is None else list(which.keys),
        limit,
    )
    rows = [_fact(record) for record in records if record["seq"] is not None]
    return rows, records[0]["last"] if records[0]["rows"] == SCAN_ROWS else None


async def _of_people(
    conn: Connection, workspace_id: int, which: FactFilter, *, before: int | None, limit: int
) -> list[FactRead]:
    one = f"SELECT {_COLUMNS} FROM ingest_log WHERE workspace_id = $1 AND ($2::bigint IS NULL OR seq < $2) AND {_TESTS}"
    records = await conn.fetch(
        f"""SELECT * FROM (
                ({one} AND person_id = ANY($6::bigint[]) ORDER BY seq DESC LIMIT $8)
                UNION ALL
                ({one} AND person_id IS NULL AND applied_at IS NULL AND keys && $7::bigint[] ORDER BY seq DESC LIMIT $8)
            ) both_parts ORDER BY seq DESC LIMIT $8""",
        workspace_id,
        before,
        which.outcome,
        None if which.sources is None else list(which.sources),
        which.op,
        list(which.people or ()),
        list(which.keys or ()),
        limit,
    )
    return [_fact(record) for record in records]


async def get(conn: Connection, workspace_id: int, seq: int) -> FactRead | None:
    """One fact, or None where there is none to be shown."""
    record = await conn.fetchrow(
        f"SELECT {_COLUMNS} FROM ingest_log WHERE workspace_id = $1 AND seq = $2 AND outcome IS DISTINCT FROM '{_HIDDEN}'",
        workspace_id,
        seq,
    )
    return _fact(record) if record else None


def _fact(record: dict[str, object]) -> FactRead:
    return FactRead(**{name: record[name] for name in FactRead.__slots__})  # type: ignore[arg-type]


__all__ = ["FactFilter", "FactRead", "get", "page"]
