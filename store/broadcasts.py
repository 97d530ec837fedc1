"""Triggers of broadcasts: their rows, and what of them is to be known by others (CHN-16 to CHN-22)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any

from store.database import Connection

QUEUED = "queued"
PROCESSING = "processing"
SENDING = "sending"
OPEN = (QUEUED, PROCESSING, SENDING)
"""The states in which something is left to do."""
MOST_ERRORS = 10_000
"""How many lines of an error report are kept; all are counted."""


@dataclass(slots=True)
class TriggerRow:
    """One trigger of a broadcast (CHN-20); `position` is the last recipient that was seen to."""

    workspace_id: int
    broadcast_id: int
    trigger_no: int
    state: str
    paused: bool
    accepted: bool
    created_at: datetime
    position: int
    error_count: int
    rate_sent: int
    audience: dict[str, Any] = field(default_factory=dict)
    data: dict[str, Any] = field(default_factory=dict)
    progress: dict[str, Any] = field(default_factory=dict)
    processed_at: datetime | None = None
    ended_at: datetime | None = None
    recipients_count: int | None = None
    data_bytes: int | None = None
    send_rate: dict[str, Any] | None = None
    rate_since: datetime | None = None
    next_at: datetime | None = None

    @property
    def open(self) -> bool:
        """Whether something is left to do."""
        return self.state in OPEN

    @property
    def key(self) -> tuple[int, int, int]:
        """Workspace, broadcast and number."""
        return self.workspace_id, self.broadcast_id, self.trigger_no

    @property
    def ref(self) -> str:
        """What rows of `due` call it."""
        return f"{self.broadcast_id}/{self.trigger_no}"


Key = tuple[int, int, int]
"""A trigger by its workspace, its broadcast and its number."""
_NAMES = [column.name for column in fields(TriggerRow)]
_COLUMNS = ", ".join(_NAMES)
_CHANGING = (
    "state",
    "paused",
    "processed_at",
    "ended_at",
    "audience",
    "recipients_count",
    "position",
    "progress",
    "data_bytes",
    "error_count",
    "send_rate",
    "rate_since",
    "rate_sent",
    "next_at",
)
_THIS = "workspace_id = $1 AND broadcast_id = $2 AND trigger_no = $3"
_OPEN = "state IN ('queued', 'processing', 'sending')"


def _row(record: Mapping[str, Any]) -> TriggerRow:
    return TriggerRow(**{name: record[name] for name in _NAMES})


async def get(conn: Connection, key: Key) -> TriggerRow | None:
    """One trigger, or None."""
    record = await conn.fetchrow(f"SELECT {_COLUMNS} FROM broadcast_triggers WHERE {_THIS}", *key)
    return _row(record) if record else None


async def hold(conn: Connection, key: Key) -> TriggerRow | None:
    """The same, locked to the end of the transaction."""
    record = await conn.fetchrow(f"SELECT {_COLUMNS} FROM broadcast_triggers WHERE {_THIS} FOR NO KEY UPDATE", *key)
    return _row(record) if record else None


async def save(conn: Connection, row: TriggerRow, *changed: str) -> None:
    """Write these columns of a trigger whose lock the caller holds; all that may change, where none is named."""
    names = changed or _CHANGING
    changes = ", ".join(f"{name} = ${index}" for index, name in enumerate(names, start=4))
    await conn.execute(
        f"UPDATE broadcast_triggers SET {changes} WHERE {_THIS}", *row.key, *[getattr(row, name) for name in names]
    )


async def is_behind(conn: Connection, key: Key) -> bool:
    """Whether an earlier trigger of the broadcast is not over yet, so that this one waits (CHN-22)."""
    found: bool = await conn.fetchval(
        f"""SELECT EXISTS (SELECT 1 FROM broadcast_triggers
                           WHERE workspace_id = $1 AND broadcast_id = $2 AND trigger_no < $3 AND {_OPEN})""",
        *key,
    )
    return found


async def first_open(conn: Connection, workspace_id: int, broadcast_id: int) -> int | None:
    """The number of the trigger whose turn it is; None where all are over."""
    found: int | None = await conn.fetchval(
        f"SELECT min(trigger_no) FROM broadcast_triggers WHERE workspace_id = $1 AND broadcast_id = $2 AND {_OPEN}",
        workspace_id,
        broadcast_id,
    )
    return found


async def going(conn: Connection, real_now: datetime, workspace_id: int | None = None) -> list[Key]:
    """The triggers that can go on, of one workspace or all, and those that are over and leave messages in hand."""
    records = await conn.fetch(
        f"""SELECT t.workspace_id, t.broadcast_id, t.trigger_no FROM broadcast_triggers t
            JOIN workspaces w ON w.workspace_id = t.workspace_id
            WHERE ($2::int IS NULL OR t.workspace_id = $2) AND {_OPEN} AND NOT paused
              AND (next_at IS NULL OR next_at <= COALESCE(w.clock_now, $1))
              AND NOT EXISTS (SELECT 1 FROM broadcast_triggers e WHERE e.workspace_id = t.workspace_id
                                AND e.broadcast_id = t.broadcast_id AND e.trigger_no < t.trigger_no AND e.{_OPEN})
            UNION SELECT workspace_id, broadcast_id, trigger_no FROM broadcast_claims
            WHERE $2::int IS NULL OR workspace_id = $2
            ORDER BY workspace_id, broadcast_id, trigger_no""",
        real_now,
        workspace_id,
    )
    return [(record["workspace_id"], record["broadcast_id"], record["trigger_no"]) for record in records]


async def add_errors(conn: Connection, row: TriggerRow, messages: Sequence[str]) -> None:
    """Put lines at the end of the error report, and count them; the caller saves the count."""
    room = max(0, MOST_ERRORS - row.error_count)
    await conn.execute(
        """INSERT INTO broadcast_errors (workspace_id, broadcast_id, trigger_no, position, message)
           SELECT $1, $2, $3, $4::int + n, m FROM unnest($5::text[]) WITH ORDINALITY AS u (m, n)
           ON CONFLICT DO NOTHING""",
        *row.key,
        row.error_count,
        list(messages[:room]),
    )
    row.error_count += len(messages)


async def clear_errors(conn: Connection, row: TriggerRow) -> None:
    """Begin the error report anew."""
    await conn.execute(f"DELETE FROM broadcast_errors WHERE {_THIS}", *row.key)
    row.error_count = 0


async def recipient_data(
    conn: Connection, workspace_id: int, broadcast_id: int, trigger_no: int, position: int
) -> dict[str, Any] | None:
    """What templates of one recipient call `trigger`: their own data over that of all; None where the trigger is gone."""
    found: dict[str, Any] | None = await conn.fetchval(
        """SELECT t.data || COALESCE(r.data, '{}'::jsonb) FROM broadcast_triggers t
           LEFT JOIN broadcast_recipients r ON r.workspace_id = t.workspace_id AND r.broadcast_id = t.broadcast_id
             AND r.trigger_no = t.trigger_no AND r.position = $4
           WHERE t.workspace_id = $1 AND t.broadcast_id = $2 AND t.trigger_no = $3""",
        workspace_id,
        broadcast_id,
        trigger_no,
        position,
    )
    return found


async def turn_has_come(conn: Connection, workspace_id: int, broadcast_id: int, trigger_no: int) -> None:
    """Let a trigger wait for no instant any more."""
    await conn.execute(
        f"UPDATE broadcast_triggers SET next_at = NULL WHERE {_THIS}", workspace_id, broadcast_id, trigger_no
    )


__all__ = [
    "MOST_ERRORS",
    "OPEN",
    "PROCESSING",
    "QUEUED",
    "SENDING",
    "Key",
    "TriggerRow",
    "add_errors",
    "clear_errors",
    "first_open",
    "get",
    "going",
    "hold",
    "is_behind",
    "recipient_data",
    "save",
    "turn_has_come",
]
