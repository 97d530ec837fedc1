"""How the flow of facts, starts, due rows and tasks stands in all workspaces: what an operator asks when it does not move."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from store.database import Connection
from store.outbox import JourneyStart
from store.partitions import KEYS, REAL_TIME, Table

MANY = 1_000
"""Rows beyond which it does not matter how many there are."""


@dataclass(frozen=True, slots=True)
class OutboxHead:
    """What waits in a lane: how many rows, the number of the oldest, how many Temporal has refused."""

    lane: str
    rows: int
    oldest: int
    refused: int


@dataclass(frozen=True, slots=True)
class Late:
    """Rows of one kind that the clock should have asked for: how many, and since when the oldest."""

    kind: str
    rows: int
    oldest: datetime


@dataclass(frozen=True, slots=True)
class OpenTask:
    """A task that is not over; its instants are those of its workspace."""

    workspace_id: int
    task_id: str
    type: str
    state: str
    done: int
    cursor: int
    workflow: str | None


async def outbox_heads(conn: Connection) -> list[OutboxHead]:
    """What waits in each lane of the outbox that is not empty."""
    records = await conn.fetch(
        """SELECT lane, count(*) AS rows, min(outbox_id) AS oldest, count(not_before) AS refused
           FROM outbox GROUP BY lane ORDER BY min(outbox_id)"""
    )
    return [OutboxHead(**record) for record in records]


async def late_due(conn: Connection, before: datetime) -> list[Late]:
    """Rows of `due` that came before an instant, in workspaces on real time."""
    records = await conn.fetch(
        """SELECT d.kind, count(*) AS rows, min(d.due_at) AS oldest FROM due d JOIN workspaces w USING (workspace_id)
           WHERE NOT w.sandbox AND d.due_at < $1 GROUP BY d.kind ORDER BY min(d.due_at)""",
        before,
    )
    return [Late(**record) for record in records]


async def late_flips(conn: Connection, before: datetime) -> Late | None:
    """Memberships that the clock alone should have changed before an instant, in workspaces on real time."""
    record = await conn.fetchrow(
        """SELECT 'segment' AS kind, count(*) AS rows, min(m.flips_at) AS oldest
           FROM memberships m JOIN workspaces w USING (workspace_id) WHERE NOT w.sandbox AND m.flips_at < $1""",
        before,
    )
    return Late(**record) if record["rows"] else None


async def late_journeys(conn: Connection, before: datetime, limit: int) -> tuple[int, list[str]]:
    """Journeys whose wait should have been over before an instant, on real time: how many, and the ids of the first."""
    records = await conn.fetch(
        f"""SELECT j.journey_id FROM journeys j JOIN workspaces w USING (workspace_id)
            WHERE NOT w.sandbox AND j.state = 'in_progress' AND j.due_at < $1 ORDER BY j.due_at LIMIT {MANY}""",
        before,
    )
    return len(records), [record["journey_id"] for record in records[:limit]]


async def sample_active(conn: Connection, limit: int) -> list[JourneyStart]:
    """Some journeys under way whose start Temporal has accepted, the oldest and the newest."""
    records = await conn.fetch(
        """SELECT workspace_id, journey_id, workflow_id, campaign_id, person_id, campaign_id::text AS campaign_key
           FROM (
               (SELECT * FROM journeys WHERE state = 'in_progress' ORDER BY workspace_id, person_id LIMIT $1)
               UNION
               (SELECT * FROM journeys WHERE state = 'in_progress' ORDER BY workspace_id DESC, person_id DESC LIMIT $1)
           ) AS j
           WHERE NOT EXISTS (SELECT 1 FROM outbox o
                             WHERE o.workspace_id = j.workspace_id AND o.workflow_id = j.workflow_id)""",
        limit,
    )
    return [JourneyStart(**record) for record in records]


async def active_journeys(conn: Connection) -> int:
    """How many journeys are under way."""
    count: int = await conn.fetchval("SELECT count(*) FROM journeys WHERE state = 'in_progress'")
    return count


async def is_active(conn: Connection, journey: JourneyStart) -> bool:
    """Whether a journey is still under way, and its start not asked for again."""
    found = await conn.fetchval(
        """SELECT 1 FROM journeys j WHERE workspace_id = $1 AND journey_id = $2 AND state = 'in_progress'
             AND NOT EXISTS (SELECT 1 FROM outbox o
                             WHERE o.workspace_id = j.workspace_id AND o.workflow_id = j.workflow_id)""",
        journey.workspace_id,
        journey.journey_id,
    )
    return found is not None


async def open_tasks(conn: Connection) -> list[OpenTask]:
    """Tasks that are not over, some of them."""
    records = await conn.fetch(
        f"""SELECT workspace_id, task_id, type, state, done, cursor, workflow FROM tasks
            WHERE state IN ('queued', 'running') ORDER BY workspace_id, task_id LIMIT {MANY}"""
    )
    return [OpenTask(**record) for record in records]


async def facts_of_another_server(conn: Connection) -> int:
    """How many facts wait whose transaction numbers this server has not reached: they come from another one."""
    count: int = await conn.fetchval(
        f"""SELECT count(*) FROM (SELECT 1 FROM ingest_log
            WHERE applied_at IS NULL AND xid >= pg_snapshot_xmax(pg_current_snapshot()) LIMIT {MANY}) found"""
    )
    return count


async def facts_held_up(conn: Connection, before: datetime) -> bool:
    """Whether facts accepted before an instant wait behind a transaction that is still open, seen or not by this user."""
    found = await conn.fetchval(
        """SELECT 1 FROM ingest_log WHERE applied_at IS NULL AND accepted_at < $1
             AND xid >= pg_snapshot_xmin(pg_current_snapshot()) AND xid < pg_snapshot_xmax(pg_current_snapshot()) LIMIT 1""",
        before,
    )
    return found is not None


async def in_default(conn: Connection, table: Table) -> int:
    """How many rows of workspaces on real time stand in the default partition of a table, counted up to `MANY`."""
    sandboxes = "" if table in REAL_TIME else "JOIN workspaces w USING (workspace_id) WHERE NOT w.sandbox"
    count: int = await conn.fetchval(
        f"SELECT count(*) FROM (SELECT p.{KEYS[table]} FROM {table}_default p {sandboxes} LIMIT {MANY}) found"
    )
    return count


async def providers_away(conn: Connection) -> list[tuple[int, str, str]]:
    """Workspace, provider and reason of each provider that cannot be used at present."""
    records = await conn.fetch(
        "SELECT workspace_id, provider, reason FROM provider_turns ORDER BY workspace_id, provider LIMIT 20"
    )
    return [(record["workspace_id"], record["provider"], record["reason"]) for record in records]


async def sending_domains(conn: Connection) -> list[tuple[int, str, str]]:
    """Workspace, domain and what its records said last (`unchecked` where nobody looked), of workspaces on real time."""
    records = await conn.fetch(
        """SELECT d.workspace_id, d.document->>'domain' AS domain, COALESCE(c.status, 'unchecked') AS status
           FROM definitions d JOIN workspaces w USING (workspace_id)
           LEFT JOIN domain_checks c USING (workspace_id, definition_id)
           WHERE d.kind = 'domain' AND NOT w.sandbox ORDER BY d.workspace_id, d.definition_id LIMIT 100"""
    )
    return [(record["workspace_id"], record["domain"], record["status"]) for record in records]


async def without_delivery_key(conn: Connection, least: int) -> Sequence[int]:
    """Workspaces without a key of that many bytes from which ids of deliveries derive."""
    records = await conn.fetch(
        "SELECT workspace_id FROM workspaces WHERE COALESCE(length(delivery_key), 0) < $1 ORDER BY 1", least
    )
    return [record["workspace_id"] for record in records]


__all__ = [
    "MANY",
    "Late",
    "OpenTask",
    "OutboxHead",
    "active_journeys",
    "facts_held_up",
    "facts_of_another_server",
    "in_default",
    "is_active",
    "late_due",
    "late_flips",
    "late_journeys",
    "open_tasks",
    "outbox_heads",
    "providers_away",
    "sample_active",
    "sending_domains",
    "without_delivery_key",
]
