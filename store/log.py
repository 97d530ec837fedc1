"""The log of accepted facts: appended by the API and by our own fan-outs, consumed in order by apply."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from domain.operations import AnyOperation, ordering_keys
from domain.outcomes import Done
from store.database import Connection
from telemetry import tracing

_LOCK_CLASS = 0x494E
_WORK_CLASS = 0x4957
PAUSING = "identifiers"
"""The type of task during which no facts of its workspace are applied: what names people is changing."""


class LogEntry(NamedTuple):
    """One operation ready to be appended; `keys` order it among the facts that name the same people.

    `traceparent` is the trace of what it comes of, where that is recorded.
    """

    workspace_id: int
    source: str
    op: str
    keys: list[int]
    body: bytes
    traceparent: str | None = None


@dataclass(frozen=True, slots=True)
class PendingRow:
    """One accepted fact that is not applied yet. `received_at` is the workspace's time, `accepted_at` real time."""

    seq: int
    accepted_at: datetime
    received_at: datetime
    source: str
    keys: list[int]
    body: bytes
    traceparent: str | None = None


def entry_of(workspace_id: int, operation: AnyOperation, source: str) -> LogEntry:
    """The log entry of an operation."""
    # What is written without defaults lacks the kind, which is one; `op` is a word of ours and needs no escape.
    body = operation.__pydantic_serializer__.to_json(operation, exclude_defaults=True)
    body = b'{"op":"%b"%b' % (operation.op.encode(), b"}" if body == b"{}" else b"," + body[1:])
    return LogEntry(workspace_id, source, operation.op, ordering_keys(operation), body, tracing.current())


def _append(column: str = "", value: str = "", array: str = "") -> str:
    return f"""INSERT INTO ingest_log (workspace_id, accepted_at, received_at, source, op, keys, body{column})
           SELECT u.workspace_id, $6, COALESCE(w.clock_now, $6), u.source, u.op, u.keys::bigint[], u.body{value}
           FROM unnest($1::int[], $2::text[], $3::text[], $4::text[], $5::bytea[]{array})
             WITH ORDINALITY AS u (workspace_id, source, op, keys, body{column}, place)
           JOIN workspaces w ON w.workspace_id = u.workspace_id ORDER BY u.place"""


_APPEND = _append()
_APPEND_TRACED = _append(", traceparent", ", u.traceparent", ", $7::text[]")


async def append(conn: Connection, entries: Sequence[LogEntry], now: datetime) -> None:
    """Append facts in the order given; `now` is real time, a sandbox's own time is read in the same statement."""
    if not entries:
        return
    traces = [entry.traceparent for entry in entries]
    # Mostly nobody is traced, and a column of nothing has its price.
    traced = any(traces)
    await conn.execute(
        _APPEND_TRACED if traced else _APPEND,
        [entry.workspace_id for entry in entries],
        [entry.source for entry in entries],
        [entry.op for entry in entries],
        ["{" + ",".join(map(str, entry.keys)) + "}" for entry in entries],
        [entry.body for entry in entries],
        now,
        *([traces] if traced else []),
    )


async def busy_workspaces(conn: Connection) -> list[int]:
    """The workspaces with facts that are not applied yet, but for those whose facts have to wait.

    Each is asked for its oldest: asked whether there are any, PostgreSQL reads all that wait, or all that ever came.
    """
    records = await conn.fetch(
        """SELECT workspace_id FROM workspaces w WHERE (
               SELECT min(i.seq) FROM ingest_log i
               WHERE i.workspace_id = w.workspace_id AND i.applied_at IS NULL) IS NOT NULL
           AND NOT EXISTS (SELECT 1 FROM tasks t WHERE t.workspace_id = w.workspace_id AND t.type = $1
                             AND t.state IN ('queued', 'running'))
           ORDER BY workspace_id""",
        PAUSING,
    )
    return [record["workspace_id"] for record in records]


async def begin_claim(conn: Connection, workspace_id: int) -> tuple[int, bool]:
    """Let no other process choose rows of the workspace until `end_claim`.

    Returns the horizon to look up to, and whether nobody else is applying: then others are told, for this transaction,
    that somebody is. No slower committer can come in between the facts on this side of the horizon, whenever they are read.
    """
    record = await conn.fetchrow(
        """SELECT pg_snapshot_xmin(pg_current_snapshot()) AS horizon, pg_try_advisory_xact_lock($3, $2) AS alone
           FROM pg_advisory_lock($1, $2)""",
        _LOCK_CLASS,
        workspace_id,
        _WORK_CLASS,
    )
    return record["horizon"], record["alone"]


async def end_claim(conn: Connection, workspace_id: int) -> None:
    """Let others choose."""
    await conn.execute("SELECT pg_advisory_unlock($1, $2)", _LOCK_CLASS, workspace_id)


async def pending(conn: Connection, workspace_id: int, horizon: int, after: int, limit: int) -> list[PendingRow]:
    """The next facts not applied yet, in order, as far as the horizon of the claim."""
    records = await conn.fetch(
        """SELECT seq, accepted_at, received_at, source, keys, body, traceparent FROM ingest_log
           WHERE workspace_id = $1 AND applied_at IS NULL AND seq > $4 AND xid < $3
             AND NOT EXISTS (SELECT 1 FROM tasks t
                             WHERE t.workspace_id = $1 AND t.type = $5 AND t.state IN ('queued', 'running'))
           ORDER BY seq LIMIT $2""",
        workspace_id,
        limit,
        horizon,
        after,
        PAUSING,
    )
    return [PendingRow(*record) for record in records]


async def waiting(conn: Connection, workspace_id: int, horizon: int, most: int) -> tuple[int, datetime | None]:
    """How many facts are not applied yet, counted up to `most`, and when the oldest was accepted."""
    record = await conn.fetchrow(
        """SELECT count(*) AS facts, min(accepted_at) AS oldest FROM (
               SELECT accepted_at FROM ingest_log
               WHERE workspace_id = $1 AND applied_at IS NULL AND xid < $2 ORDER BY seq LIMIT $3) found""",
        workspace_id,
        horizon,
        most,
    )
    return record["facts"], record["oldest"]


async def count_waiting(conn: Connection, workspace_id: int, most: int) -> int:
    """How many facts are not applied yet, counted up to `most`."""
    count: int = await conn.fetchval(
        """SELECT count(*) FROM (
               SELECT 1 FROM ingest_log WHERE workspace_id = $1 AND applied_at IS NULL ORDER BY seq LIMIT $2) found""",
        workspace_id,
        most,
    )
    return count


async def keys_waiting(conn: Connection, workspace_id: int, source: str, keys: Sequence[int]) -> set[int]:
    """Those of these keys that facts of a source have which are not applied yet."""
    records = await conn.fetch(
        """SELECT DISTINCT k.key FROM ingest_log i, unnest(i.keys) AS k (key)
           WHERE i.workspace_id = $1 AND i.applied_at IS NULL AND i.source = $2 AND i.keys && $3::bigint[]
             AND k.key = ANY($3::bigint[])""",
        workspace_id,
        source,
        list(keys),
    )
    return {record["key"] for record in records}


async def lockable(conn: Connection, workspace_id: int, rows: Sequence[PendingRow]) -> set[int]:
    """Of these facts, those that nobody is applying; they are locked for this transaction."""
    if not rows:
        return set()
    records = await conn.fetch(
        """SELECT seq FROM ingest_log
           WHERE workspace_id = $1 AND seq = ANY($2::bigint[]) AND accepted_at BETWEEN $3 AND $4
             AND applied_at IS NULL FOR UPDATE SKIP LOCKED""",
        workspace_id,
        [row.seq for row in rows],
        min(row.accepted_at for row in rows),
        max(row.accepted_at for row in rows),
    )
    return {record["seq"] for record in records}


async def mark_applied(
    conn: Connection, workspace_id: int, rows: Sequence[PendingRow], outcomes: Sequence[Done], now: datetime
) -> None:
    """The facts have had their effect, each its own; `now` is real time. What suppressed people sent is not kept, nor who was to go."""
    if rows:
        await conn.execute(
            """UPDATE ingest_log l SET applied_at = $5, outcome = u.outcome, note = u.note, person_id = u.person_id,
                      body = CASE WHEN u.outcome IN ('suppressed', 'erased') THEN ''::bytea ELSE l.body END
               FROM unnest($2::bigint[], $6::text[], $7::text[], $8::bigint[]) AS u (seq, outcome, note, person_id)
               WHERE l.workspace_id = $1 AND l.seq = u.seq AND l.accepted_at BETWEEN $3 AND $4""",
            workspace_id,
            [row.seq for row in rows],
            min(row.accepted_at for row in rows),
            max(row.accepted_at for row in rows),
            now,
            [done.outcome for done in outcomes],
            [done.note for done in outcomes],
            [done.person_id for done in outcomes],
        )


async def last_seq(conn: Connection, workspace_id: int) -> int:
    """The highest number in the log of the workspace; 0 where nothing was ever accepted."""
    highest: int | None = await conn.fetchval("SELECT max(seq) FROM ingest_log WHERE workspace_id = $1", workspace_id)
    return highest or 0


async def next_seq(conn: Connection) -> int:
    """A number that no fact has and that lies behind all there are, for the position of what happens without one."""
    number: int = await conn.fetchval("SELECT nextval(pg_get_serial_sequence('ingest_log', 'seq'))")
    return number


async def is_pending(conn: Connection, workspace_id: int, up_to: int) -> bool:
    """Whether a fact is not applied yet whose number is `up_to` or lower."""
    found: bool = await conn.fetchval(
        """SELECT COALESCE((SELECT min(seq) FROM ingest_log WHERE workspace_id = $1 AND applied_at IS NULL) <= $2,
                           false)""",
        workspace_id,
        up_to,
    )
    return found


async def claim_ids(
    conn: Connection, workspace_id: int, ids: Sequence[tuple[str, bytes, datetime | None]], life: timedelta
) -> set[tuple[str, bytes]]:
    """Of these hashed ids, those not seen before; they are from now on, until they expire (None: never).

    `life` is how long before its expiry an id was received: one that had expired by then counts as never seen.
    """
    records = await conn.fetch(
        """INSERT INTO dedupe_keys AS d (workspace_id, scope, key_hash, expires_at)
           SELECT $1, u.scope, u.key_hash, u.expires_at
           FROM unnest($2::text[], $3::bytea[], $4::timestamptz[]) WITH ORDINALITY
             AS u (scope, key_hash, expires_at, place) ORDER BY u.place
           ON CONFLICT (workspace_id, scope, key_hash) DO UPDATE SET expires_at = excluded.expires_at
             WHERE d.expires_at <= excluded.expires_at - $5::interval
           RETURNING scope, key_hash""",
        workspace_id,
        [scope for scope, _, _ in ids],
        [key for _, key, _ in ids],
        [expires for _, _, expires in ids],
        life,
    )
    return {(record["scope"], record["key_hash"]) for record in records}


__all__ = [
    "LogEntry",
    "PendingRow",
    "append",
    "begin_claim",
    "busy_workspaces",
    "claim_ids",
    "end_claim",
    "entry_of",
    "is_pending",
    "keys_waiting",
    "last_seq",
    "lockable",
    "mark_applied",
    "next_seq",
    "pending",
    "waiting",
]
