"""What transactional calls asked for, by the deliveries that they made (CHN-02)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from domain.sends import SEND_AT
from store.database import Connection
from store.deliveries import DeliveryRow

_SCHEDULED = "transactional_id IS NOT NULL AND status = 'queued' AND NOT draft AND attempts = 0 AND held_until > "
"""A delivery that still waits for the instant that its call named."""


class Asked(NamedTuple):
    """A new delivery with what was asked for."""

    row: DeliveryRow
    request: Mapping[str, Any]


class Belonging(NamedTuple):
    """How a delivery stands that has its person now."""

    status: str
    held_until: datetime | None


async def insert(conn: Connection, asked: Sequence[Asked]) -> None:
    """Store new deliveries, which have nobody yet and say nothing yet, with what was asked for."""
    rows = [one.row for one in asked]
    names = ("workspace_id", "delivery_id", "channel", "created_at", "recipient", "metrics", "held_until")
    await conn.execute(
        """WITH asked AS (
               SELECT * FROM unnest($1::int[], $2::text[], $3::text[], $4::timestamptz[], $5::text[], $6::jsonb[],
                                    $7::timestamptz[], $8::int[], $9::bool[], $10::jsonb[], $11::text[])
                 AS a (workspace_id, delivery_id, channel, created_at, recipient, metrics, held_until,
                       transactional_id, forgotten, request, traceparent)),
           made AS (
               INSERT INTO deliveries (workspace_id, delivery_id, channel, status, created_at, recipient, metrics,
                                       held_until, transactional_id, forgotten, attempts, ambiguous, draft, holdout,
                                       edited, traceparent)
               SELECT workspace_id, delivery_id, channel, 'queued', created_at, recipient, metrics, held_until,
                      transactional_id, forgotten, 0, false, false, false, false, traceparent FROM asked)
           INSERT INTO delivery_requests (workspace_id, delivery_id, created_at, request)
           SELECT workspace_id, delivery_id, created_at, request FROM asked""",
        *[[getattr(row, name) for row in rows] for name in names],
        [row.transactional_id for row in rows],
        [row.forgotten for row in rows],
        [dict(one.request) for one in asked],
        [row.traceparent for row in rows],
    )


async def made(conn: Connection, delivery_ids: Sequence[str]) -> set[str]:
    """Those of these deliveries that are there, whatever their workspace."""
    records = await conn.fetch(
        """SELECT d.delivery_id FROM workspaces w
           JOIN deliveries d ON d.workspace_id = w.workspace_id AND d.delivery_id = ANY($1::text[])""",
        list(delivery_ids),
    )
    return {record["delivery_id"] for record in records}


async def get(conn: Connection, row: DeliveryRow) -> dict[str, Any] | None:
    """What was asked for but for the attachments, None where it is kept no longer."""
    request: dict[str, Any] | None = await conn.fetchval(
        """SELECT request - 'attachments' FROM delivery_requests
           WHERE workspace_id = $1 AND delivery_id = $2 AND created_at = $3""",
        row.workspace_id,
        row.delivery_id,
        row.created_at,
    )
    return request


async def attachments(conn: Connection, row: DeliveryRow) -> dict[str, str]:
    """The attachments of a send by their names, in base64."""
    found: dict[str, str] | None = await conn.fetchval(
        """SELECT request -> 'attachments' FROM delivery_requests
           WHERE workspace_id = $1 AND delivery_id = $2 AND created_at = $3""",
        row.workspace_id,
        row.delivery_id,
        row.created_at,
    )
    return found or {}


async def forget(conn: Connection, row: DeliveryRow) -> None:
    """Keep it no longer."""
    await conn.execute(
        "DELETE FROM delivery_requests WHERE workspace_id = $1 AND delivery_id = $2 AND created_at = $3",
        row.workspace_id,
        row.delivery_id,
        row.created_at,
    )


async def belongs_to(conn: Connection, workspace_id: int, delivery_id: str, person_id: int) -> Belonging | None:
    """Give a delivery its person, whose lock the caller holds; None where there is none without a person."""
    record = await conn.fetchrow(
        """UPDATE deliveries SET person_id = $3
           WHERE workspace_id = $1 AND delivery_id = $2 AND person_id IS NULL RETURNING status, held_until""",
        workspace_id,
        delivery_id,
        person_id,
    )
    return None if record is None else Belonging(*record)


async def give_up(conn: Connection, workspace_id: int, delivery_id: str, why: str, instant: int) -> bool:
    """End a delivery without a person as undeliverable and forget what it would have said; `instant` is in microseconds.

    False where it was over already.
    """
    ended = await conn.fetchval(
        """WITH ended AS (
               UPDATE deliveries SET status = 'undeliverable', failure_message = $3, held_until = NULL, recipient = NULL,
                      metrics = metrics || jsonb_build_object('undeliverable', $4::bigint)
               WHERE workspace_id = $1 AND delivery_id = $2 AND person_id IS NULL AND status = 'queued'
               RETURNING delivery_id, created_at),
           forgotten AS (
               DELETE FROM delivery_requests r USING ended e
               WHERE r.workspace_id = $1 AND r.delivery_id = e.delivery_id AND r.created_at = e.created_at)
           SELECT true FROM ended""",
        workspace_id,
        delivery_id,
        why,
        instant,
    )
    return bool(ended)


async def scheduled(
    conn: Connection, workspace_id: int, transactional_id: int, now: datetime, *, limit: int
) -> list[tuple[str, int | None]]:
    """Sends of a template that still wait for their instant, each with its person."""
    records = await conn.fetch(
        f"""SELECT delivery_id, person_id FROM deliveries
            WHERE workspace_id = $1 AND transactional_id = $2 AND {_SCHEDULED} $3
            ORDER BY created_at, delivery_id LIMIT $4""",
        workspace_id,
        transactional_id,
        now,
        limit,
    )
    return [(record["delivery_id"], record["person_id"]) for record in records]


async def stranded(
    conn: Connection, before: datetime, *, after: tuple[int, str], limit: int, workspace_id: int | None = None
) -> list[tuple[int, str, int]]:
    """A page of transactional sends that nobody has in hand: workspace, delivery, template; `before` is real time.

    They are due, but neither in the outbox nor asked for by the clock, and no fact that is still to come brings their
    person. In a sandbox, whose clock stands, none counts that somebody has begun to hand over.
    """
    records = await conn.fetch(
        """SELECT d.workspace_id, d.delivery_id, d.transactional_id FROM workspaces w
           JOIN deliveries d ON d.workspace_id = w.workspace_id
           WHERE d.in_hand AND d.transactional_id IS NOT NULL
             AND (d.workspace_id, d.delivery_id) > ($2, $3) AND ($5::int IS NULL OR d.workspace_id = $5)
             AND (d.held_until IS NULL OR d.held_until <= COALESCE(w.clock_now, $1))
             AND (w.sandbox OR d.created_at <= $1)
             AND (d.handed_over_at IS NULL OR (NOT w.sandbox AND d.handed_over_at <= $1))
             AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.workspace_id = d.workspace_id AND o.kind = 'send'
                               AND o.workflow_id = 'send/' || d.delivery_id)
             AND NOT EXISTS (SELECT 1 FROM due u WHERE u.workspace_id = d.workspace_id AND u.ref = d.delivery_id
                               AND u.kind = ANY($6::text[]))
             AND NOT EXISTS (SELECT 1 FROM ingest_log i WHERE d.person_id IS NULL AND i.workspace_id = d.workspace_id
                               AND i.applied_at IS NULL AND i.op = 'send_transactional')
           ORDER BY d.workspace_id, d.delivery_id LIMIT $4""",
        before,
        *after,
        limit,
        workspace_id,
        [SEND_AT, "delivery", "release"],
    )
    return [(record["workspace_id"], record["delivery_id"], record["transactional_id"]) for record in records]


__all__ = [
    "Asked",
    "Belonging",
    "attachments",
    "belongs_to",
    "forget",
    "get",
    "give_up",
    "insert",
    "made",
    "scheduled",
    "stranded",
]
