"""Deliveries many at a time: stored, claimed and written back by one statement each, for those who send very many.

Deliveries of a trigger are looked for by the stretch of its audience that they are to, then by their ids: by many ids alone
PostgreSQL may look through all there are, should its statistics be young.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from operator import attrgetter
from typing import Any, NamedTuple, Self

from store.database import Connection
from store.deliveries import CALL_RETRY, RETRIES, RETRY, DeliveryRow

_NAMES = [column.name for column in fields(DeliveryRow)]
_COLUMNS = ", ".join(_NAMES)
_VALUES = attrgetter(*_NAMES)
_TYPES = {
    "workspace_id": "int",
    "person_id": "bigint",
    "campaign_id": "int",
    "action_id": "int",
    "metrics": "jsonb",
    "attempts": "int",
    "ambiguous": "bool",
    "draft": "bool",
    "holdout": "bool",
    "edited": "bool",
    "transactional_id": "int",
    "trigger_no": "int",
    "recipient_no": "int",
    "content_id": "int",
    "forgotten": "bool",
    "held_until": "timestamptz",
}
_RESULTS = (
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
)
"""What an outcome may change of a delivery."""


def _type(name: str) -> str:
    return _TYPES.get(name) or ("timestamptz" if name.endswith("_at") else "text")


def _arrays(names: Sequence[str], first: int) -> str:
    return ", ".join(f"${index}::{_type(name)}[]" for index, name in enumerate(names, start=first))


def _row(record: Mapping[str, Any]) -> DeliveryRow:
    return DeliveryRow(**{name: record[name] for name in _NAMES})


class Stretch(NamedTuple):
    """The places of the audience of a broadcast's trigger from one to another, both included."""

    broadcast_id: int
    trigger_no: int
    first: int
    last: int

    @classmethod
    def of(cls, rows: Iterable[DeliveryRow]) -> Self:
        """The one that these deliveries, of one trigger, are to."""
        rows = list(rows)
        places = [row.recipient_no or 0 for row in rows]
        return cls(rows[0].campaign_id or 0, rows[0].trigger_no or 0, min(places), max(places))


_STRETCH = """d.workspace_id = $1 AND d.campaign_id = $2 AND d.trigger_no = $3
              AND d.recipient_no >= $4 AND d.recipient_no <= $5"""


class Claim(NamedTuple):
    """A delivery about to be handed over, as whoever hands it over knows it."""

    delivery_id: str
    attempts: int
    before: datetime | None
    at: datetime
    provider: str


class Settled(NamedTuple):
    """A delivery that was made by a transaction of this number, as its provider's first answer leaves it."""

    delivery_id: str
    made_by: int
    status: str
    metrics: Mapping[str, int]
    provider: str
    provider_ref: str | None
    ambiguous: bool
    at: datetime
    begun: datetime
    answer: str


class Attempt(NamedTuple):
    """One hand-over and its answer: `accepted`, `retry` or `rejected`."""

    row: DeliveryRow
    at: datetime
    provider: str
    outcome: str
    answer: str


async def insert(conn: Connection, made: Sequence[tuple[DeliveryRow, Mapping[str, Any]]]) -> set[str]:
    """Store new deliveries of one trigger with their contents; returns the ids of those that were not there yet.

    The caller holds the trigger, so that nobody else stores any.
    """
    if not made:
        return set()
    there = await _there(conn, [row for row, _ in made])
    fresh = [(row, document) for row, document in made if row.delivery_id not in there]
    await conn.copy_records_to_table("deliveries", records=[_VALUES(row) for row, _ in fresh], columns=_NAMES)
    await conn.copy_records_to_table(
        "delivery_contents",
        records=[(row.workspace_id, row.delivery_id, row.created_at, document) for row, document in fresh],
        columns=["workspace_id", "delivery_id", "created_at", "rendered"],
    )
    return {row.delivery_id for row, _ in fresh}


async def _there(conn: Connection, rows: Sequence[DeliveryRow]) -> set[str]:
    """The deliveries that there are already to the places of these."""
    query = f"SELECT d.delivery_id FROM deliveries d WHERE {_STRETCH}"
    records = await conn.fetch(query, rows[0].workspace_id, *Stretch.of(rows))
    return {record["delivery_id"] for record in records}


async def settle(conn: Connection, workspace_id: int, stretch: Stretch, settled: Sequence[Settled]) -> set[str]:
    """Write down the first outcome of deliveries that nobody has changed since they were made; returns which those are.

    Each was taken by its provider; the caller holds the locks of their people.
    """
    if not settled:
        return set()
    records = await conn.fetch(
        f"""WITH n AS MATERIALIZED (
               SELECT * FROM unnest($6::text[], $7::bigint[], $8::text[], $9::jsonb[], $10::text[], $11::text[],
                                    $12::bool[], $13::timestamptz[], $14::timestamptz[], $15::text[])
                 AS n (delivery_id, made_by, status, metrics, provider, provider_ref, ambiguous, at, begun, answer)),
           done AS (
               UPDATE deliveries d SET status = n.status, metrics = n.metrics, provider = n.provider,
                 provider_ref = n.provider_ref, attempts = 1, first_attempt_at = n.at, handed_over_at = n.begun,
                 ambiguous = n.ambiguous
               FROM n WHERE {_STRETCH} AND d.delivery_id = n.delivery_id AND d.xmin::text::bigint = n.made_by
               RETURNING d.delivery_id),
           told AS (
               INSERT INTO delivery_attempts (workspace_id, delivery_id, attempt, at, provider, outcome, answer)
               SELECT $1, n.delivery_id, 1, n.at, n.provider, 'accepted', n.answer FROM n JOIN done USING (delivery_id))
           SELECT delivery_id FROM done""",
        workspace_id,
        *stretch,
        *[list(column) for column in zip(*settled, strict=True)],
    )
    return {record["delivery_id"] for record in records}


async def claim(conn: Connection, workspace_id: int, claims: Sequence[Claim]) -> set[str]:
    """Note that these are being handed over; returns which of them nobody else has taken up in the meantime.

    The list of ids stands there twice: without it PostgreSQL may read all deliveries that are in hand for each statement.
    """
    records = await conn.fetch(
        """UPDATE deliveries d SET handed_over_at = c.at, provider = c.provider
           FROM unnest($2::text[], $3::int[], $4::timestamptz[], $5::timestamptz[], $6::text[])
             AS c (delivery_id, attempts, before, at, provider)
           WHERE d.workspace_id = $1 AND d.delivery_id = ANY($2::text[]) AND d.delivery_id = c.delivery_id
             AND d.attempts = c.attempts AND d.handed_over_at IS NOT DISTINCT FROM c.before
             AND d.status || '' IN ('queued', 'attempted')
           RETURNING d.delivery_id""",
        workspace_id,
        *[list(column) for column in zip(*claims, strict=True)],
    )
    return {record["delivery_id"] for record in records}


async def owners(
    conn: Connection, workspace_id: int, stretch: Stretch, delivery_ids: Sequence[str]
) -> dict[str, int | None]:
    """Whose these deliveries of a stretch are; None of those whose people are gone."""
    records = await conn.fetch(
        f"""SELECT d.delivery_id, d.person_id FROM unnest($6::text[]) AS n (delivery_id)
            JOIN deliveries d ON {_STRETCH} AND d.delivery_id = n.delivery_id""",
        workspace_id,
        *stretch,
        list(delivery_ids),
    )
    return {record["delivery_id"]: record["person_id"] for record in records}


async def hold(
    conn: Connection, workspace_id: int, stretch: Stretch, delivery_ids: Sequence[str]
) -> dict[str, DeliveryRow]:
    """These deliveries of a stretch, locked to the end of the transaction in the order of their ids."""
    records = await conn.fetch(
        f"""SELECT d.* FROM unnest($6::text[]) AS n (delivery_id)
            JOIN deliveries d ON {_STRETCH} AND d.delivery_id = n.delivery_id
            ORDER BY d.delivery_id FOR NO KEY UPDATE OF d""",
        workspace_id,
        *stretch,
        list(delivery_ids),
    )
    return {record["delivery_id"]: _row(record) for record in records}


async def save(conn: Connection, workspace_id: int, stretch: Stretch, rows: Sequence[DeliveryRow]) -> None:
    """Write back what outcomes have changed of deliveries of a stretch whose locks the caller holds."""
    if not rows:
        return
    names = ("delivery_id", *_RESULTS)
    changes = ", ".join(f"{name} = n.{name}" for name in _RESULTS)
    await conn.execute(
        f"""UPDATE deliveries d SET {changes} FROM unnest({_arrays(names, 6)}) AS n ({", ".join(names)})
            WHERE {_STRETCH} AND d.delivery_id = n.delivery_id""",
        workspace_id,
        *stretch,
        *[[getattr(row, name) for row in rows] for name in names],
    )


async def add_attempts(conn: Connection, attempts: Sequence[Attempt]) -> None:
    """Record hand-overs and their answers."""
    if not attempts:
        return
    await conn.execute(
        """INSERT INTO delivery_attempts (workspace_id, delivery_id, attempt, at, provider, outcome, answer)
           SELECT * FROM unnest($1::int[], $2::text[], $3::int[], $4::timestamptz[], $5::text[], $6::text[], $7::text[])
           ON CONFLICT (workspace_id, delivery_id, attempt) DO UPDATE SET outcome = excluded.outcome,
             answer = excluded.answer""",
        [one.row.workspace_id for one in attempts],
        [one.row.delivery_id for one in attempts],
        [one.row.attempts for one in attempts],
        [one.at for one in attempts],
        [one.provider for one in attempts],
        [one.outcome for one in attempts],
        [one.answer for one in attempts],
    )


async def schedule(conn: Connection, asked: Sequence[tuple[DeliveryRow, datetime]]) -> None:
    """Ask the clock for the next attempt at each of these."""
    if not asked:
        return
    await conn.execute(
        """INSERT INTO due (workspace_id, kind, ref, due_at)
           SELECT * FROM unnest($1::int[], $2::text[], $3::text[], $4::timestamptz[])
           ON CONFLICT (workspace_id, kind, ref) DO UPDATE SET due_at = excluded.due_at""",
        [row.workspace_id for row, _ in asked],
        [CALL_RETRY if row.channel == "webhook" else RETRY for row, _ in asked],
        [row.delivery_id for row, _ in asked],
        [due_at for _, due_at in asked],
    )


async def unschedule(conn: Connection, workspace_id: int, delivery_ids: Sequence[str]) -> None:
    """Ask for no further attempt at any of these."""
    if delivery_ids:
        await conn.execute(
            "DELETE FROM due WHERE workspace_id = $1 AND kind = ANY($2::text[]) AND ref = ANY($3::text[])",
            workspace_id,
            list(RETRIES),
            list(delivery_ids),
        )


async def know_growth(conn: Connection) -> None:
    """Have the statistics renewed of a table that has become another since they were made, before the server does so itself.

    By those of a table that was all but empty PostgreSQL reads, for each page of a broadcast, all pages before it.
    """
    grown: bool = await conn.fetchval(
        """SELECT reltuples < 0 OR pg_relation_size(oid) > 4 * 8192 * greatest(relpages, 1)::bigint
           FROM pg_class WHERE oid = 'deliveries'::regclass"""
    )
    if grown:
        await conn.execute("ANALYZE (SKIP_LOCKED) deliveries")


async def left_behind(
    conn: Connection, workspace_id: int, broadcast_id: int, trigger_no: int, *, after: int, until: int, begun: bool
) -> list[str]:
    """The deliveries to these places of a trigger's audience that were made, and whose outcome nobody knows.

    With `begun` only those that a provider may have.
    """
    records = await conn.fetch(
        """SELECT delivery_id FROM deliveries
           WHERE workspace_id = $1 AND campaign_id = $2 AND trigger_no = $3 AND recipient_no > $4 AND recipient_no <= $5
             AND status = 'queued' AND NOT draft AND held_until IS NULL AND (handed_over_at IS NOT NULL OR NOT $6)
           ORDER BY recipient_no, delivery_id""",
        workspace_id,
        broadcast_id,
        trigger_no,
        after,
        until,
        begun,
    )
    return [record["delivery_id"] for record in records]


async def unsent(
    conn: Connection, workspace_id: int, broadcast_id: int, trigger_no: int, *, after: tuple[int, str], limit: int
) -> list[tuple[int, str]]:
    """The next deliveries of a trigger that no provider can have, by place in the audience and id."""
    records = await conn.fetch(
        """SELECT recipient_no, delivery_id FROM deliveries
           WHERE workspace_id = $1 AND campaign_id = $2 AND trigger_no = $3 AND recipient_no >= $4
             AND (recipient_no, delivery_id) > ($4, $5)
             AND status IN ('queued', 'attempted') AND NOT draft AND handed_over_at IS NULL
           ORDER BY recipient_no, delivery_id LIMIT $6""",
        workspace_id,
        broadcast_id,
        trigger_no,
        *after,
        limit,
    )
    return [(record["recipient_no"], record["delivery_id"]) for record in records]


__all__ = [
    "Attempt",
    "Claim",
    "Settled",
    "Stretch",
    "add_attempts",
    "claim",
    "hold",
    "insert",
    "know_growth",
    "left_behind",
    "owners",
    "save",
    "schedule",
    "settle",
    "unschedule",
    "unsent",
]
