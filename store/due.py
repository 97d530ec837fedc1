"""What the clock asks for: journeys' deadlines, flips of memberships, and the rows of `due`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from domain.drafts import EXPIRY, KEPT
from store.database import Connection

LOOK_PAST = 4
"""How many pages of due rows are looked through for one that nobody holds: so many processes work side by side."""

FLIP_SOURCE = "clock"
"""What the log calls the source of people to be looked at again because of the time."""


class Instant(NamedTuple):
    """A future instant of a workspace and what it is for: `journey` (standing at a block), `flip`, drafts that expire, or a kind of row."""

    at: datetime
    what: str
    campaign_id: int | None
    block: str | None


class Standing(NamedTuple):
    """How many journeys whose instant has come stand at one block."""

    campaign_id: int
    block: str | None
    journeys: int


class Flip(NamedTuple):
    """The memberships of one person that the clock may have changed, and the instant of each that had come."""

    person_id: int
    refs: list[tuple[str, int]]
    instants: list[datetime]


class Ripe(NamedTuple):
    """A workspace in which the clock asks for something now."""

    workspace_id: int
    sandbox: bool
    flips: bool
    rows: bool
    journeys: bool
    drafts: bool


class DueKey(NamedTuple):
    """One row of `due`."""

    workspace_id: int
    kind: str
    ref: str


async def ripe(conn: Connection, real_now: datetime) -> list[Ripe]:
    """The workspaces with anything due, each by its own clock. Journeys count in sandboxes only: elsewhere they have timers.

    The earliest instant is asked for, and not whether one has come: of that PostgreSQL believes that a third have, and reads
    the whole table until it has found one.
    """
    records = await conn.fetch(
        """SELECT * FROM (
               SELECT w.workspace_id, w.sandbox,
                 COALESCE((SELECT min(m.flips_at) FROM memberships m WHERE m.workspace_id = w.workspace_id)
                          <= COALESCE(w.clock_now, $1), false) AS flips,
                 COALESCE((SELECT min(d.due_at) FROM due d WHERE d.workspace_id = w.workspace_id)
                          <= COALESCE(w.clock_now, $1), false) AS rows,
                 w.sandbox AND EXISTS (
                         SELECT 1 FROM journeys j WHERE j.workspace_id = w.workspace_id AND j.state = 'in_progress'
                           AND j.due_at <= w.clock_now AND j.seen = j.wanted) AS journeys,
                 COALESCE((SELECT min(v.created_at) FROM deliveries v
                           WHERE v.workspace_id = w.workspace_id AND v.as_draft)
                          <= COALESCE(w.clock_now, $1) - $2::interval, false) AS drafts
               FROM workspaces w) r
           WHERE flips OR rows OR journeys OR drafts ORDER BY workspace_id""",
        real_now,
        KEPT,
    )
    return [Ripe(**record) for record in records]


async def next_instant(conn: Connection, workspace_id: int, after: datetime) -> Instant | None:
    """The earliest instant after `after` at which something is due, or None."""
    record = await conn.fetchrow(
        """SELECT at, what, campaign_id, block FROM (
             (SELECT due_at AS at, 'journey' AS what, campaign_id, block FROM journeys
              WHERE workspace_id = $1 AND state = 'in_progress' AND due_at > $2 ORDER BY due_at LIMIT 1)
             UNION ALL
             (SELECT flips_at, 'flip', NULL, NULL FROM memberships
              WHERE workspace_id = $1 AND flips_at > $2 ORDER BY flips_at LIMIT 1)
             UNION ALL
             (SELECT due_at, kind, NULL, NULL FROM due WHERE workspace_id = $1 AND due_at > $2 ORDER BY due_at LIMIT 1)
             UNION ALL
             (SELECT created_at + $3::interval, $4, NULL, NULL FROM deliveries
              WHERE workspace_id = $1 AND as_draft AND created_at > $2 - $3::interval
              ORDER BY created_at LIMIT 1)
           ) instants ORDER BY at, what LIMIT 1""",
        workspace_id,
        after,
        KEPT,
        EXPIRY,
    )
    return Instant(**record) if record else None


async def overdue_journeys(conn: Connection, workspace_id: int, now: datetime) -> list[Standing]:
    """Where the journeys stand whose instant has come and that nobody has woken."""
    records = await conn.fetch(
        """SELECT campaign_id, block, count(*) AS journeys FROM journeys
           WHERE workspace_id = $1 AND state = 'in_progress' AND due_at <= $2 AND seen = wanted
           GROUP BY campaign_id, block""",
        workspace_id,
        now,
    )
    return [Standing(**record) for record in records]


async def take_flips(conn: Connection, workspace_id: int, now: datetime, limit: int) -> list[Flip]:
    """Memberships that may have changed by now, set to be asked no more; the caller has them looked at again.

    Those held by another transaction are left for the next time. They are found in a step of its own: within the update
    PostgreSQL may look for them once for every row it joins, each time finding others, and take more than `limit`.
    """
    records = await conn.fetch(
        """WITH found AS MATERIALIZED (
               SELECT person_id, kind, ref_id, flips_at FROM memberships
               WHERE workspace_id = $1 AND flips_at <= $2 ORDER BY flips_at LIMIT $3
               FOR NO KEY UPDATE SKIP LOCKED),
           taken AS (
               UPDATE memberships m SET flips_at = NULL FROM found f
               WHERE m.workspace_id = $1 AND m.person_id = f.person_id AND m.kind = f.kind AND m.ref_id = f.ref_id
               RETURNING m.person_id, m.kind, m.ref_id, f.flips_at AS came)
           SELECT person_id, array_agg(kind ORDER BY kind, ref_id) AS kinds, array_agg(ref_id ORDER BY kind, ref_id) AS ids,
                  array_agg(came ORDER BY kind, ref_id) AS instants
           FROM taken GROUP BY person_id ORDER BY person_id""",
        workspace_id,
        now,
        limit,
    )
    return [Flip(r["person_id"], list(zip(r["kinds"], r["ids"], strict=True)), r["instants"]) for r in records]


async def flips_pending(conn: Connection, workspace_id: int, now: datetime) -> bool:
    """Whether memberships that the clock may have changed are still to be looked at, taken already or not."""
    pending: bool = await conn.fetchval(
        """SELECT COALESCE((SELECT min(flips_at) FROM memberships WHERE workspace_id = $1) <= $2, false)
               OR (SELECT min(seq) FROM ingest_log
                   WHERE workspace_id = $1 AND applied_at IS NULL AND source = $3) IS NOT NULL""",
        workspace_id,
        now,
        FLIP_SOURCE,
    )
    return pending


async def due_rows(conn: Connection, workspace_id: int, now: datetime) -> dict[str, int]:
    """How many rows of each kind are due."""
    records = await conn.fetch(
        "SELECT kind, count(*) AS rows FROM due WHERE workspace_id = $1 AND due_at <= $2 GROUP BY kind",
        workspace_id,
        now,
    )
    return {record["kind"]: record["rows"] for record in records}


async def hold_rows(
    conn: Connection, workspace_id: int, now: datetime, limit: int, resting: Sequence[DueKey] = ()
) -> list[DueKey]:
    """Due rows that nobody works on, oldest first; the connection holds them until `release_rows`.

    They are held by session locks, not by a transaction, which would keep the log's readers waiting while a provider
    answers. `resting` are left out.
    """
    candidates = await conn.fetch(
        """WITH found AS MATERIALIZED (
               SELECT kind, ref FROM due
               WHERE workspace_id = $1 AND due_at <= $2
                 AND NOT EXISTS (SELECT 1 FROM unnest($4::text[], $5::text[]) AS r (kind, ref)
                                 WHERE r.kind = due.kind AND r.ref = due.ref)
               ORDER BY due_at, kind, ref LIMIT $3::int * $6::int)
           SELECT kind, ref FROM found
           WHERE pg_try_advisory_lock(hashtextextended('due/' || $1::int || '/' || kind || '/' || ref, 0))
           LIMIT $3::int""",
        workspace_id,
        now,
        limit,
        [key.kind for key in resting if key.workspace_id == workspace_id],
        [key.ref for key in resting if key.workspace_id == workspace_id],
        LOOK_PAST,
    )
    if not candidates:
        return []
    # Whoever held a row a moment ago may have finished it: what counts is what it says now that we hold it.
    records = await conn.fetch(
        """SELECT kind, ref FROM due
           WHERE workspace_id = $1 AND due_at <= $2
             AND (kind, ref) IN (SELECT * FROM unnest($3::text[], $4::text[]))
           ORDER BY due_at, kind, ref""",
        workspace_id,
        now,
        [record["kind"] for record in candidates],
        [record["ref"] for record in candidates],
    )
    return [DueKey(workspace_id, record["kind"], record["ref"]) for record in records]


async def release_rows(conn: Connection) -> None:
    """Let others work on what this connection held."""
    await conn.execute("SELECT pg_advisory_unlock_all()")


async def stopping_campaigns(conn: Connection) -> list[tuple[int, int]]:
    """Campaigns, with their workspaces, that let people finish and have nobody left inside."""
    records = await conn.fetch(
        """SELECT d.workspace_id, d.definition_id FROM definitions d
           WHERE d.kind = 'campaign' AND d.state = 'stopping'
             AND NOT EXISTS (SELECT 1 FROM journeys j WHERE j.workspace_id = d.workspace_id
                               AND j.campaign_id = d.definition_id AND j.state = 'in_progress')
           ORDER BY d.workspace_id, d.definition_id"""
    )
    return [(record["workspace_id"], record["definition_id"]) for record in records]


__all__ = [
    "FLIP_SOURCE",
    "DueKey",
    "Flip",
    "Instant",
    "Ripe",
    "Standing",
    "due_rows",
    "flips_pending",
    "hold_rows",
    "next_instant",
    "overdue_journeys",
    "release_rows",
    "ripe",
    "stopping_campaigns",
    "take_flips",
]
