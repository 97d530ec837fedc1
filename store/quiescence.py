"""Whether anything is left to do in a workspace at its present instant: one question to PostgreSQL."""

from __future__ import annotations

from dataclasses import astuple, dataclass
from datetime import datetime
from typing import Any

from store.database import Connection

MOST = 1000
_CLOCK_CLASS = 0x434C


@dataclass(frozen=True, slots=True)
class Pending:
    """How much of each kind is runnable now, counted up to a thousand.

    `behind`: journeys woken and not planned since; `overdue`: journeys whose instant has come; `stopping`: campaigns
    whose last journey is over; `broadcasts`: triggers that can go on, and those of which messages are in hand.
    """

    ingestion: int
    outbox: int
    behind: int
    overdue: int
    flips: int
    rows: int
    tasks: int
    deliveries: int
    stopping: int
    broadcasts: int

    @property
    def quiet(self) -> bool:
        """Whether nothing is runnable."""
        return not any(astuple(self))


@dataclass(frozen=True, slots=True)
class Named:
    """What is pending, by name: a few of each kind."""

    journeys: list[tuple[str, str | None]]
    deliveries: list[tuple[str, str]]
    tasks: list[str]


_IN_HAND = "workspace_id = $1 AND in_hand AND held_until IS NULL"
_BEHIND = "workspace_id = $1 AND state = 'in_progress' AND seen < wanted"
_OVERDUE = "workspace_id = $1 AND state = 'in_progress' AND due_at <= $2"
_OPEN = "workspace_id = $1 AND state IN ('queued', 'running')"


def _count(table: str, condition: str, order: str = "") -> str:
    """A count up to `MOST`; `order` names the last column of the index that has to be used."""
    order = f"ORDER BY {order}" if order else ""
    return f"(SELECT count(*) FROM (SELECT 1 FROM {table} WHERE {condition} {order} LIMIT {MOST}) few)"


_PENDING = f"""SELECT
    {_count("ingest_log", "workspace_id = $1 AND applied_at IS NULL", "seq")} AS ingestion,
    {_count("outbox", "workspace_id = $1")} AS outbox,
    {_count("journeys", _BEHIND)} AS behind,
    {_count("journeys", _OVERDUE)} AS overdue,
    {_count("memberships", "workspace_id = $1 AND flips_at <= $2", "flips_at")} AS flips,
    {_count("due", "workspace_id = $1 AND due_at <= $2", "due_at")} AS rows,
    {_count("tasks", _OPEN)} AS tasks,
    {_count("deliveries", _IN_HAND)} AS deliveries,
    (SELECT count(*) FROM definitions d WHERE d.workspace_id = $1 AND d.kind = 'campaign' AND d.state = 'stopping'
       AND NOT EXISTS (SELECT 1 FROM journeys j WHERE j.workspace_id = $1 AND j.campaign_id = d.definition_id
                         AND j.state = 'in_progress')) AS stopping,
    (SELECT count(*) FROM broadcast_triggers t
     WHERE t.workspace_id = $1 AND t.state IN ('queued', 'processing', 'sending') AND NOT t.paused
       AND (t.next_at IS NULL OR t.next_at <= $2) AND NOT EXISTS (
         SELECT 1 FROM broadcast_triggers e WHERE e.workspace_id = $1 AND e.broadcast_id = t.broadcast_id
           AND e.trigger_no < t.trigger_no AND e.state IN ('queued', 'processing', 'sending')))
      + (SELECT count(*) FROM broadcast_claims WHERE workspace_id = $1) AS broadcasts"""


async def look(conn: Connection, workspace_id: int, now: datetime) -> Pending:
    """What is runnable at the workspace's instant `now`."""
    return Pending(**await conn.fetchrow(_PENDING, workspace_id, now))


async def names(conn: Connection, workspace_id: int, now: datetime, limit: int = 20) -> Named:
    """Which journeys, deliveries and tasks those are."""

    async def fetch(query: str, *arguments: Any) -> list[Any]:
        records: list[Any] = await conn.fetch(query, workspace_id, *arguments, limit)
        return records

    journeys = await fetch(
        f"""SELECT journey_id, block FROM journeys WHERE ({_BEHIND}) OR ({_OVERDUE})
            ORDER BY journey_id LIMIT $3""",
        now,
    )
    deliveries = await fetch(
        f"""SELECT delivery_id, status FROM deliveries WHERE {_IN_HAND}
            UNION SELECT d.delivery_id, d.status FROM deliveries d JOIN due ON due.workspace_id = d.workspace_id
              AND due.kind IN ('delivery', 'webhook_retry') AND due.ref = d.delivery_id AND due.due_at <= $2
            WHERE d.workspace_id = $1 ORDER BY delivery_id LIMIT $3""",
        now,
    )
    tasks = await fetch(f"SELECT task_id FROM tasks WHERE {_OPEN} ORDER BY task_id LIMIT $2")
    return Named(
        journeys=[(record["journey_id"], record["block"]) for record in journeys],
        deliveries=[(record["delivery_id"], record["status"]) for record in deliveries],
        tasks=[record["task_id"] for record in tasks],
    )


async def is_untouched(conn: Connection, workspace_id: int) -> bool:
    """Whether the workspace holds no person, event or journey, and no fact that could make one."""
    touched: bool = await conn.fetchval(
        """SELECT EXISTS (SELECT 1 FROM people WHERE workspace_id = $1)
               OR EXISTS (SELECT 1 FROM events WHERE workspace_id = $1)
               OR EXISTS (SELECT 1 FROM journeys WHERE workspace_id = $1)
               OR EXISTS (SELECT 1 FROM ingest_log WHERE workspace_id = $1 AND applied_at IS NULL)""",
        workspace_id,
    )
    return not touched


async def hold_clock(conn: Connection, workspace_id: int) -> bool:
    """Try to become the only one who moves or watches the workspace's clock, for as long as the connection holds it."""
    held: bool = await conn.fetchval("SELECT pg_try_advisory_lock($1, $2)", _CLOCK_CLASS, workspace_id)
    return held


async def release_clock(conn: Connection, workspace_id: int) -> None:
    """Let others move it."""
    await conn.execute("SELECT pg_advisory_unlock($1, $2)", _CLOCK_CLASS, workspace_id)


__all__ = ["MOST", "Named", "Pending", "hold_clock", "is_untouched", "look", "names", "release_clock"]
