"""Deliveries: the row that stands before anything is sent, its content, and what became of each hand-over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from operator import attrgetter
from typing import Any

from store.database import Connection

RETRY = "delivery"
"""The kind of `due` row that asks for a delivery's next attempt; its `ref` is the delivery id."""
CALL_RETRY = "webhook_retry"
"""The same of a call of somebody's endpoint."""
RETRIES = (RETRY, CALL_RETRY)


@dataclass(slots=True)
class DeliveryRow:
    """One message to one person (SUB-20); `metrics` maps a metric to the microseconds of its first time."""

    workspace_id: int
    delivery_id: str
    channel: str
    status: str
    created_at: datetime
    person_id: int | None = None
    journey_id: str | None = None
    campaign_id: int | None = None
    action_id: int | None = None
    block: str | None = None
    trigger_event_id: str | None = None
    recipient: str | None = None
    subject: str | None = None
    failure_message: str | None = None
    metrics: dict[str, int] = field(default_factory=dict)
    provider: str | None = None
    provider_ref: str | None = None
    attempts: int = 0
    first_attempt_at: datetime | None = None
    handed_over_at: datetime | None = None
    held_until: datetime | None = None
    ambiguous: bool = False
    draft: bool = False
    variant: str | None = None
    holdout: bool = False
    edited: bool = False
    transactional_id: int | None = None
    trigger_no: int | None = None
    recipient_no: int | None = None
    language: str | None = None
    content_id: int | None = None
    forgotten: bool = False
    traceparent: str | None = None


_NAMES = [column.name for column in fields(DeliveryRow)]
_COLUMNS = ", ".join(_NAMES)
_VALUES = attrgetter(*_NAMES)
_CHANGING = (
    "status",
    "failure_message",
    "metrics",
    "provider",
    "provider_ref",
    "attempts",
    "first_attempt_at",
    "handed_over_at",
    "held_until",
    "ambiguous",
    "recipient",
    "subject",
    "draft",
    "edited",
    "variant",
    "holdout",
    "language",
    "content_id",
    "forgotten",
)


def _row(record: Mapping[str, Any]) -> DeliveryRow:
    return DeliveryRow(**{name: record[name] for name in _NAMES})


def changed(row: DeliveryRow, **values: Any) -> DeliveryRow:
    """The same delivery with other values: what `dataclasses.replace` does, in a fraction of its time."""
    other = DeliveryRow(*_VALUES(row))
    for name, value in values.items():
        setattr(other, name, value)
    return other


async def get(conn: Connection, workspace_id: int, delivery_id: str, *, for_update: bool = False) -> DeliveryRow | None:
    """One delivery, or None; with `for_update` nobody else changes it before this transaction ends."""
    query = f"SELECT {_COLUMNS} FROM deliveries WHERE workspace_id = $1 AND delivery_id = $2"
    record = await conn.fetchrow(query + (" FOR NO KEY UPDATE" if for_update else ""), workspace_id, delivery_id)
    return _row(record) if record else None


async def find(conn: Connection, delivery_id: str) -> DeliveryRow | None:
    """The delivery of an id that came from outside, whatever its workspace."""
    columns = ", ".join(f"d.{name}" for name in _NAMES)
    record = await conn.fetchrow(
        f"""SELECT {columns} FROM workspaces w
            CROSS JOIN LATERAL (SELECT * FROM deliveries
                                WHERE workspace_id = w.workspace_id AND delivery_id = $1 LIMIT 1) d LIMIT 1""",
        delivery_id,
    )
    return _row(record) if record else None


async def insert(conn: Connection, row: DeliveryRow, rendered: Mapping[str, Any]) -> bool:
    """Store a new delivery with its content; False where it is there already."""
    places = ", ".join(f"${index}" for index in range(1, len(_NAMES) + 1))
    added = await conn.fetchval(
        f"""WITH added AS (
                INSERT INTO deliveries ({_COLUMNS}) VALUES ({places}) ON CONFLICT DO NOTHING
                RETURNING workspace_id, delivery_id, created_at)
            INSERT INTO delivery_contents (workspace_id, delivery_id, created_at, rendered)
            SELECT workspace_id, delivery_id, created_at, ${len(_NAMES) + 1}::jsonb FROM added RETURNING true""",
        *[getattr(row, name) for name in _NAMES],
        dict(rendered),
    )
    return bool(added)


async def content_of(conn: Connection, row: DeliveryRow) -> dict[str, Any] | None:
    """What was rendered, None where it is kept no longer."""
    rendered: dict[str, Any] | None = await conn.fetchval(
        """SELECT rendered FROM delivery_contents
           WHERE workspace_id = $1 AND delivery_id = $2 AND created_at = $3""",
        row.workspace_id,
        row.delivery_id,
        row.created_at,
    )
    return rendered


async def claim(conn: Connection, row: DeliveryRow, provider: str, now: datetime) -> bool:
    """Note that this attempt is being handed over; False where somebody else has taken it up in the meantime."""
    claimed = await conn.fetchval(
        """UPDATE deliveries SET handed_over_at = $5, provider = $6
           WHERE workspace_id = $1 AND delivery_id = $2 AND attempts = $3 AND handed_over_at IS NOT DISTINCT FROM $4
             AND status IN ('queued', 'attempted') RETURNING true""",
        row.workspace_id,
        row.delivery_id,
        row.attempts,
        row.handed_over_at,
        now,
        provider,
    )
    return bool(claimed)


async def save(conn: Connection, row: DeliveryRow) -> None:
    """Write back what may change of a delivery."""
    changes = ", ".join(f"{name} = ${index}" for index, name in enumerate(_CHANGING, start=3))
    await conn.execute(
        f"UPDATE deliveries SET {changes} WHERE workspace_id = $1 AND delivery_id = $2",
        row.workspace_id,
        row.delivery_id,
        *[getattr(row, name) for name in _CHANGING],
    )


async def add_attempt(
    conn: Connection, row: DeliveryRow, at: datetime, *, provider: str, outcome: str, answer: str
) -> None:
    """Record one hand-over and its answer: `accepted`, `retry` or `rejected`."""
    await conn.execute(
        """INSERT INTO delivery_attempts (workspace_id, delivery_id, attempt, at, provider, outcome, answer)
           VALUES ($1, $2, $3, $4, $5, $6, $7)
           ON CONFLICT (workspace_id, delivery_id, attempt) DO UPDATE SET outcome = excluded.outcome,
             answer = excluded.answer""",
        row.workspace_id,
        row.delivery_id,
        row.attempts,
        at,
        provider,
        outcome,
        answer,
    )


async def schedule(conn: Connection, row: DeliveryRow, due_at: datetime, *, anew: bool = True) -> None:
    """Ask the clock for the delivery's next attempt; unless `anew`, what it was asked before holds."""
    taken = "UPDATE SET due_at = excluded.due_at" if anew else "NOTHING"
    await conn.execute(
        f"""INSERT INTO due (workspace_id, kind, ref, due_at) VALUES ($1, $2, $3, $4)
           ON CONFLICT (workspace_id, kind, ref) DO {taken}""",
        row.workspace_id,
        CALL_RETRY if row.channel == "webhook" else RETRY,
        row.delivery_id,
        due_at,
    )


async def unschedule(conn: Connection, workspace_id: int, delivery_id: str) -> None:
    """Ask for no further attempt."""
    await conn.execute(
        "DELETE FROM due WHERE workspace_id = $1 AND kind = ANY($2::text[]) AND ref = $3",
        workspace_id,
        list(RETRIES),
        delivery_id,
    )


async def ask(conn: Connection, workspace_id: int, kind: str, ref: str, due_at: datetime) -> None:
    """Ask the clock for something of this kind at an instant, in place of the one before."""
    await conn.execute(
        """INSERT INTO due (workspace_id, kind, ref, due_at) VALUES ($1, $2, $3, $4)
           ON CONFLICT (workspace_id, kind, ref) DO UPDATE SET due_at = excluded.due_at""",
        workspace_id,
        kind,
        ref,
        due_at,
    )


async def ask_no_more(conn: Connection, workspace_id: int, kind: str, ref: str) -> None:
    """Ask for it no longer."""
    await conn.execute("DELETE FROM due WHERE workspace_id = $1 AND kind = $2 AND ref = $3", workspace_id, kind, ref)


__all__ = [
    "CALL_RETRY",
    "RETRIES",
    "RETRY",
    "DeliveryRow",
    "add_attempt",
    "ask",
    "ask_no_more",
    "changed",
    "claim",
    "content_of",
    "find",
    "get",
    "insert",
    "save",
    "schedule",
    "unschedule",
]
