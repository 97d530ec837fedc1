"""Triggers of broadcasts as calls make them and people look at them: taken, refused, listed, forgotten (CHN-16 to CHN-22)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from store.database import Connection


@dataclass(frozen=True, slots=True)
class TriggerRow:
    """What is shown of a trigger; its audience and data are read by those who need them."""

    broadcast_id: int
    trigger_no: int
    state: str
    paused: bool
    accepted: bool
    created_at: datetime
    processed_at: datetime | None
    ended_at: datetime | None
    recipients_count: int | None
    position: int
    data_bytes: int | None
    error_count: int
    send_rate: dict[str, Any] | None
    next_at: datetime | None


@dataclass(frozen=True, slots=True)
class Turn:
    """What stands in the way of another trigger: when the last one was accepted, and how many are not over."""

    last: datetime | None
    open: int


_NAMES = [column.name for column in fields(TriggerRow)]
_COLUMNS = ", ".join(_NAMES)
_OPEN = "state IN ('queued', 'processing', 'sending')"
_OVER = "state IN ('finished', 'failed', 'cancelled')"


def _row(record: Mapping[str, Any]) -> TriggerRow:
    return TriggerRow(**{name: record[name] for name in _NAMES})


async def turn(conn: Connection, workspace_id: int, broadcast_id: int) -> Turn:
    """What stands in the way of another trigger of a broadcast."""
    record = await conn.fetchrow(
        f"""SELECT (SELECT created_at FROM broadcast_triggers
                   WHERE workspace_id = $1 AND broadcast_id = $2 AND accepted ORDER BY trigger_no DESC LIMIT 1) AS last,
                  (SELECT count(*) FROM broadcast_triggers
                   WHERE workspace_id = $1 AND broadcast_id = $2 AND {_OPEN}) AS open""",
        workspace_id,
        broadcast_id,
    )
    return Turn(record["last"], record["open"])


async def hold(conn: Connection, workspace_id: int, broadcast_id: int) -> str | None:
    """The state of a broadcast, which nobody changes before this transaction ends; None where it is gone."""
    found: str | None = await conn.fetchval(
        """SELECT state FROM definitions
           WHERE workspace_id = $1 AND kind = 'broadcast' AND definition_id = $2 FOR SHARE""",
        workspace_id,
        broadcast_id,
    )
    return found


async def insert_queued(
    conn: Connection,
    workspace_id: int,
    broadcast_id: int,
    trigger_no: int,
    *,
    audience: Mapping[str, Any],
    data: Mapping[str, Any],
    send_rate: Mapping[str, Any] | None,
    now: datetime,
) -> None:
    """Put a trigger into the queue."""
    await conn.execute(
        """INSERT INTO broadcast_triggers (workspace_id, broadcast_id, trigger_no, state, paused, accepted, created_at,
               audience, data, position, progress, error_count, send_rate, rate_sent)
           VALUES ($1, $2, $3, 'queued', false, true, $4, $5, $6, 0, '{}', 0, $7, 0)""",
        workspace_id,
        broadcast_id,
        trigger_no,
        now,
        dict(audience),
        dict(data),
        None if send_rate is None else dict(send_rate),
    )


async def insert_refused(
    conn: Connection, workspace_id: int, broadcast_id: int, trigger_no: int, *, errors: Sequence[str], now: datetime
) -> None:
    """Keep why a trigger was refused."""
    await conn.execute(
        """INSERT INTO broadcast_triggers (workspace_id, broadcast_id, trigger_no, state, paused, accepted, created_at,
               ended_at, audience, data, position, progress, error_count, rate_sent)
           VALUES ($1, $2, $3, 'failed', false, false, $4, $4, '{}', '{}', 0, '{}', $5, 0)""",
        workspace_id,
        broadcast_id,
        trigger_no,
        now,
        len(errors),
    )
    await conn.execute(
        """INSERT INTO broadcast_errors (workspace_id, broadcast_id, trigger_no, position, message)
           SELECT $1, $2, $3, e.place, e.message FROM unnest($4::text[]) WITH ORDINALITY AS e (message, place)""",
        workspace_id,
        broadcast_id,
        trigger_no,
        list(errors),
    )


async def get(conn: Connection, workspace_id: int, broadcast_id: int, trigger_no: int) -> TriggerRow | None:
    """One trigger, or None."""
    if not 0 < trigger_no < 2**31:
        return None
    query = f"""SELECT {_COLUMNS} FROM broadcast_triggers
                WHERE workspace_id = $1 AND broadcast_id = $2 AND trigger_no = $3"""
    record = await conn.fetchrow(query, workspace_id, broadcast_id, trigger_no)
    return None if record is None else _row(record)


async def said(
    conn: Connection, workspace_id: int, broadcast_id: int, trigger_no: int
) -> tuple[str | None, dict[str, Any] | None, str]:
    """What the call of a trigger said: which audience it named (None: none), the filter if it is one, the data as text."""
    record = await conn.fetchrow(
        """SELECT audience -> 'recipients' AS recipients, data::text AS data,
                  (SELECT key FROM jsonb_object_keys(audience) AS key
                   WHERE key = ANY('{recipients,ids,emails,per_user_data,data_file_url}') LIMIT 1) AS named
           FROM broadcast_triggers WHERE workspace_id = $1 AND broadcast_id = $2 AND trigger_no = $3""",
        workspace_id,
        broadcast_id,
        trigger_no,
    )
    return (None, None, "{}") if record is None else (record["named"], record["recipients"], record["data"])


async def page(
    conn: Connection, workspace_id: int, broadcast_id: int, *, before: int | None, limit: int
) -> list[TriggerRow]:
    """Triggers of a broadcast, newest first."""
    records = await conn.fetch(
        f"""SELECT {_COLUMNS} FROM broadcast_triggers
            WHERE workspace_id = $1 AND broadcast_id = $2 AND ($3::int IS NULL OR trigger_no < $3)
            ORDER BY trigger_no DESC LIMIT $4""",
        workspace_id,
        broadcast_id,
        before,
        limit,
    )
    return [_row(record) for record in records]


async def errors(
    conn: Connection, workspace_id: int, broadcast_id: int, trigger_no: int, *, start: int, limit: int
) -> list[tuple[int, str]]:
    """Lines of the error report from a position on, each with its own."""
    records = await conn.fetch(
        """SELECT position, message FROM broadcast_errors
           WHERE workspace_id = $1 AND broadcast_id = $2 AND trigger_no = $3 AND position >= $4
           ORDER BY position LIMIT $5""",
        workspace_id,
        broadcast_id,
        trigger_no,
        start,
        limit,
    )
    return [(record["position"], record["message"]) for record in records]


async def newest(conn: Connection, workspace_id: int) -> dict[int, TriggerRow]:
    """The newest trigger of each broadcast."""
    records = await conn.fetch(
        f"""SELECT DISTINCT ON (broadcast_id) {_COLUMNS} FROM broadcast_triggers WHERE workspace_id = $1
            ORDER BY broadcast_id, trigger_no DESC""",
        workspace_id,
    )
    return {record["broadcast_id"]: _row(record) for record in records}


async def counts(conn: Connection, workspace_id: int, broadcast_id: int, trigger_no: int) -> dict[str, int]:
    """How many deliveries of a trigger have come how far, by status."""
    records = await conn.fetch(
        """SELECT status, count(*) AS many FROM deliveries
           WHERE workspace_id = $1 AND campaign_id = $2 AND trigger_no = $3 GROUP BY status ORDER BY status""",
        workspace_id,
        broadcast_id,
        trigger_no,
    )
    return {record["status"]: record["many"] for record in records}


async def count_open(conn: Connection, workspace_id: int, broadcast_id: int) -> int:
    """How many triggers of a broadcast are not over."""
    query = f"SELECT count(*) FROM broadcast_triggers WHERE workspace_id = $1 AND broadcast_id = $2 AND {_OPEN}"
    found: int = await conn.fetchval(query, workspace_id, broadcast_id)
    return found


async def owners_of_addresses(conn: Connection, workspace_id: int, keys: Sequence[str]) -> list[tuple[str, int]]:
    """Addresses that are attributes, with whom they might belong to: nobody whose address is among `keys` is left out.

    `keys` are addresses as they are compared. Those with letters beyond ASCII are for the caller to compare.
    """
    records = await conn.fetch(
        """SELECT attributes ->> 'email' AS email, person_id FROM people
           WHERE workspace_id = $1 AND attributes ? 'email'
             AND (lower(btrim(attributes ->> 'email', E' \\t\\n\\r\\f\\x0b\\x1c\\x1d\\x1e\\x1f') COLLATE "C") = ANY($2::text[])
                  OR octet_length(attributes ->> 'email') <> length(attributes ->> 'email'))
           ORDER BY person_id""",
        workspace_id,
        list(keys),
    )
    return [(record["email"], record["person_id"]) for record in records]


async def over_before(conn: Connection, workspace_id: int, instant: datetime, limit: int) -> list[tuple[int, int]]:
    """Triggers that were over by then and of which recipients or errors are still kept."""
    records = await conn.fetch(
        f"""SELECT broadcast_id, trigger_no FROM broadcast_triggers t
            WHERE workspace_id = $1 AND {_OVER} AND ended_at < $2
              AND (EXISTS (SELECT 1 FROM broadcast_recipients r WHERE r.workspace_id = $1
                             AND r.broadcast_id = t.broadcast_id AND r.trigger_no = t.trigger_no)
                   OR EXISTS (SELECT 1 FROM broadcast_errors e WHERE e.workspace_id = $1
                             AND e.broadcast_id = t.broadcast_id AND e.trigger_no = t.trigger_no)
                   OR audience -> 'ids' <> 'null' OR audience -> 'emails' <> 'null'
                   OR audience -> 'per_user_data' <> 'null' OR audience -> 'data_file_url' <> 'null')
            ORDER BY broadcast_id, trigger_no LIMIT $3""",
        workspace_id,
        instant,
        limit,
    )
    return [(record["broadcast_id"], record["trigger_no"]) for record in records]


async def forget(conn: Connection, workspace_id: int, broadcast_id: int, trigger_no: int, limit: int) -> int:
    """Delete so many recipients of a trigger; when none is left, its errors and whom it named. Returns how many."""
    gone: str = await conn.execute(
        """DELETE FROM broadcast_recipients WHERE workspace_id = $1 AND broadcast_id = $2 AND trigger_no = $3
             AND position IN (SELECT position FROM broadcast_recipients
                              WHERE workspace_id = $1 AND broadcast_id = $2 AND trigger_no = $3
                              ORDER BY position LIMIT $4)""",
        workspace_id,
        broadcast_id,
        trigger_no,
        limit,
    )
    count = int(gone.rsplit(" ", 1)[1])
    if not count:
        await conn.execute(
            "DELETE FROM broadcast_errors WHERE workspace_id = $1 AND broadcast_id = $2 AND trigger_no = $3",
            workspace_id,
            broadcast_id,
            trigger_no,
        )
        await conn.execute(
            """UPDATE broadcast_triggers SET audience = audience || (
                   SELECT COALESCE(jsonb_object_agg(k, NULL), '{}') FROM jsonb_object_keys(audience) AS k
                   WHERE k IN ('ids', 'emails', 'per_user_data', 'data_file_url'))
               WHERE workspace_id = $1 AND broadcast_id = $2 AND trigger_no = $3""",
            workspace_id,
            broadcast_id,
            trigger_no,
        )
    return count


__all__ = [
    "TriggerRow",
    "Turn",
    "count_open",
    "counts",
    "errors",
    "forget",
    "get",
    "hold",
    "insert_queued",
    "insert_refused",
    "newest",
    "over_before",
    "owners_of_addresses",
    "page",
    "said",
    "turn",
]
