"""The outbox: claimed by workflow, deleted when Temporal has accepted.

All rows of one journey but those of the clock are inserted under its person's lock, and those of the clock under the
journey row's own after the start was committed. So for one workflow the order of ids is the order of commits, and who
sees a row sees all that came before it; between workflows no order matters. Hence no reader waits for slow committers.

A claim is an advisory lock of the session on the workflow id, and not a row lock: a row lock would give the drain a
transaction id, and the ingest log could not be read past it for as long as Temporal takes to answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Literal

from store.database import Connection
from telemetry import tracing

Lane = Literal["now", "live", "bulk"]
"""`now` is for what somebody waits for, `bulk` for what nobody does; each is drained before the next."""

_LOCK_CLASS = 0x0B0C
_WINDOW = 8
"""How many times the wanted number of rows is looked at, so that several drains find rows beside each other's."""


@dataclass(frozen=True, slots=True)
class JourneyStart:
    """A journey with what its workflow is started with: ids and the campaign's key, nothing personal."""

    workspace_id: int
    journey_id: str
    workflow_id: str
    campaign_id: int
    campaign_key: str
    person_id: int


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """A start or a wake of a journey, a transactional send, or a turn of a broadcast, to be handed over.

    Of a send `journey_id` is the delivery, of a broadcast the number of the trigger.
    """

    outbox_id: int
    kind: Literal["start", "wake", "send", "broadcast"]
    why: str
    journey: JourneyStart
    traceparent: str | None = None


def _start_columns(table: str) -> str:
    names = ("workspace_id", "journey_id", "workflow_id", "campaign_id", "person_id")
    columns = ", ".join(f"{table}.{name}" for name in names)
    return f"{columns}, COALESCE(d.key, {table}.campaign_id::text) AS campaign_key"


def _campaign_of(table: str) -> str:
    return f"""LEFT JOIN definitions d ON d.workspace_id = {table}.workspace_id AND d.kind = 'campaign'
                                        AND d.definition_id = {table}.campaign_id"""


def _start(record: Mapping[str, Any]) -> JourneyStart:
    return JourneyStart(**{name.name: record[name.name] for name in fields(JourneyStart)})


async def claim(conn: Connection, lane: Lane, limit: int, now: datetime) -> list[OutboxRow]:
    """Up to `limit` rows of a lane, each the oldest of its workflow, oldest first; `now` is real time.

    They are this connection's until `release`; other drains pass them over.
    """
    claimed = await conn.fetch(
        """WITH heads AS MATERIALIZED (
               SELECT outbox_id, workflow_id FROM outbox o
               WHERE lane = $1 AND (not_before IS NULL OR not_before <= $2) AND NOT EXISTS (
                   SELECT 1 FROM outbox p WHERE p.workspace_id = o.workspace_id AND p.workflow_id = o.workflow_id
                                            AND p.outbox_id < o.outbox_id)
               ORDER BY outbox_id LIMIT $3)
           SELECT outbox_id FROM heads WHERE pg_try_advisory_lock($4, hashtext(workflow_id)) LIMIT $5""",
        lane,
        now,
        limit * _WINDOW,
        _LOCK_CLASS,
        limit,
    )
    if not claimed:
        return []
    # Read again under the lock: another drain may have handed over and deleted a row between snapshot and lock.
    records = await conn.fetch(
        f"""SELECT o.outbox_id, o.kind, o.why, o.traceparent, {_start_columns("o")}
            FROM outbox o {_campaign_of("o")} WHERE o.outbox_id = ANY($1::bigint[]) ORDER BY o.outbox_id""",
        [record["outbox_id"] for record in claimed],
    )
    return [
        OutboxRow(record["outbox_id"], record["kind"], record["why"], _start(record), record["traceparent"])
        for record in records
    ]


async def ask_sends(
    conn: Connection,
    workspace_id: int,
    sends: Sequence[tuple[str, int]],
    *,
    lane: Lane = "now",
    traces: Sequence[str | None] | None = None,
) -> None:
    """Have deliveries sent, each named with the number of its transactional message; `traces` are what each comes of."""
    await conn.execute(
        """INSERT INTO outbox (workspace_id, lane, kind, journey_id, workflow_id, campaign_id, person_id, why, traceparent)
           SELECT $1, $4, 'send', s.id, 'send/' || s.id, s.number, 0, 'asked for', s.trace
           FROM unnest($2::text[], $3::int[], $5::text[]) AS s (id, number, trace)""",
        workspace_id,
        [delivery_id for delivery_id, _ in sends],
        [number for _, number in sends],
        lane,
        [tracing.current()] * len(sends) if traces is None else list(traces),
    )


async def ask_broadcast(conn: Connection, workspace_id: int, broadcast_id: int, trigger_no: int, why: str) -> None:
    """Have the trigger of a broadcast go on; where that is asked already, once is enough."""
    await conn.execute(
        """INSERT INTO outbox (workspace_id, lane, kind, journey_id, workflow_id, campaign_id, person_id, why, traceparent)
           SELECT $1, 'live', 'broadcast', $3::int::text, $5, $2, 0, $4, $6
           WHERE NOT EXISTS (SELECT 1 FROM outbox WHERE workspace_id = $1 AND workflow_id = $5 AND kind = 'broadcast')""",
        workspace_id,
        broadcast_id,
        trigger_no,
        why,
        f"broadcast/{workspace_id}/{broadcast_id}/{trigger_no}",
        tracing.current(),
    )


async def delete(conn: Connection, outbox_ids: Sequence[int]) -> None:
    """Forget rows that were handed over."""
    await conn.execute("DELETE FROM outbox WHERE outbox_id = ANY($1::bigint[])", list(outbox_ids))


async def postpone(conn: Connection, outbox_ids: Sequence[int], until: datetime) -> None:
    """Let rows that were refused, and what follows them in their journeys, wait until a real instant."""
    await conn.execute("UPDATE outbox SET not_before = $2 WHERE outbox_id = ANY($1::bigint[])", list(outbox_ids), until)


async def release(conn: Connection) -> None:
    """Give up everything this connection has claimed."""
    await conn.execute("SELECT pg_advisory_unlock_all()")


async def depth(conn: Connection) -> dict[str, int]:
    """How many rows wait, by lane."""
    records = await conn.fetch("SELECT lane, count(*) AS waiting FROM outbox GROUP BY lane")
    return {"now": 0, "live": 0, "bulk": 0} | {record["lane"]: record["waiting"] for record in records}


async def journey_is_active(conn: Connection, workspace_id: int, journey_id: str) -> bool:
    """Whether a journey is under way."""
    query = "SELECT 1 FROM journeys WHERE workspace_id = $1 AND journey_id = $2 AND state = 'in_progress'"
    return await conn.fetchval(query, workspace_id, journey_id) is not None


async def under_way(conn: Connection, workflow_ids: Sequence[str]) -> set[str]:
    """Those of these workflows that belong to a journey under way; looks through all of them, which is for operators."""
    query = "SELECT workflow_id FROM journeys WHERE state = 'in_progress' AND workflow_id = ANY($1::text[])"
    return {record["workflow_id"] for record in await conn.fetch(query, list(workflow_ids))}


async def active_journeys(
    conn: Connection, after: tuple[int, int, str], limit: int, workspace_id: int | None = None
) -> list[JourneyStart]:
    """A page of journeys under way, of one workspace or all, by workspace, person and id; `after` is the last seen."""
    records = await conn.fetch(
        f"""SELECT {_start_columns("j")} FROM journeys j {_campaign_of("j")}
            WHERE j.state = 'in_progress' AND (j.workspace_id, j.person_id, j.journey_id) > ($1, $2, $3)
              AND ($5::int IS NULL OR j.workspace_id = $5)
            ORDER BY j.workspace_id, j.person_id, j.journey_id LIMIT $4""",
        *after,
        limit,
        workspace_id,
    )
    return [_start(record) for record in records]


__all__ = [
    "JourneyStart",
    "Lane",
    "OutboxRow",
    "active_journeys",
    "ask_broadcast",
    "ask_sends",
    "claim",
    "delete",
    "depth",
    "journey_is_active",
    "postpone",
    "release",
    "under_way",
]
