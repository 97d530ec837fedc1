"""Partitions by time of the tables that grow for ever: made ahead, dropped whole, never while somebody needs a row."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, NamedTuple

from store.database import Connection

Table = Literal["ingest_log", "activities", "delivery_contents", "delivery_requests", "journey_steps", "rejected_calls"]
KEYS: dict[Table, str] = {
    "ingest_log": "accepted_at",
    "activities": "recorded_at",
    "delivery_contents": "created_at",
    "delivery_requests": "created_at",
    "journey_steps": "started_at",
    "rejected_calls": "at",
}
"""The column each table is partitioned by."""
REAL_TIME: frozenset[Table] = frozenset({"ingest_log", "rejected_calls"})
"""Tables whose column is real time; in the others it is the workspace's."""
MOST_MOVED = 20_000
_CLASS = 0x5054


class Span(NamedTuple):
    """One partition: its name and the half-open range of its key."""

    name: str
    start: datetime
    end: datetime


async def take_turn(conn: Connection) -> bool:
    """Let one process at a time change partitions; and never wait long for a lock that everybody needs."""
    await conn.execute("SET LOCAL lock_timeout = '200ms'")
    return bool(await conn.fetchval("SELECT pg_try_advisory_xact_lock($1, 0)", _CLASS))


async def existing(conn: Connection, table: Table) -> set[str]:
    """The names of a table's partitions, the default one included."""
    records = await conn.fetch(
        """SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
           WHERE i.inhparent = $1::regclass""",
        table,
    )
    return {record["relname"] for record in records}


async def size(conn: Connection, table: Table) -> int:
    """How many bytes a table takes with all its partitions and indexes."""
    count: int = await conn.fetchval(
        """SELECT COALESCE(sum(pg_total_relation_size(inhrelid)), 0)::bigint FROM pg_inherits
           WHERE inhparent = $1::regclass""",
        table,
    )
    return count


async def count_default(conn: Connection, table: Table) -> int:
    """How many rows are outside every partition."""
    count: int = await conn.fetchval(f"SELECT count(*) FROM {table}_default")
    return count


async def default_range(conn: Connection, table: Table) -> tuple[datetime, datetime]:
    """The first and the last key in the default partition, which is not empty."""
    key = KEYS[table]
    first, last = await conn.fetchrow(f"SELECT min({key}), max({key}) FROM {table}_default")
    return first, last


async def oldest_stray(conn: Connection, table: Table, since: datetime, until: datetime) -> datetime | None:
    """The first key of the time between in the default partition, sandboxes apart: theirs may be of any time and stay there."""
    key, of = KEYS[table], "" if table in REAL_TIME else "JOIN workspaces w USING (workspace_id)"
    which = "" if table in REAL_TIME else "AND NOT w.sandbox"
    first: datetime | None = await conn.fetchval(
        f"SELECT min(p.{key}) FROM {table}_default p {of} WHERE p.{key} >= $1 AND p.{key} < $2 {which}", since, until
    )
    return first


async def strays(conn: Connection, table: Table, span: Span) -> int:
    """How many rows of the range stand in the default partition, counted up to one more than may be moved."""
    count: int = await conn.fetchval(
        f"""SELECT count(*) FROM (SELECT 1 FROM {table}_default
            WHERE {KEYS[table]} >= $1 AND {KEYS[table]} < $2 LIMIT {MOST_MOVED + 1}) few""",
        span.start,
        span.end,
    )
    return count


async def create(conn: Connection, table: Table, span: Span) -> None:
    """Make a partition and take the rows of its range out of the default one."""
    key = KEYS[table]
    # No INCLUDING IDENTITY: numbers come from the parent.
    await conn.execute(
        f"""CREATE TABLE {span.name} (LIKE {table} INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING INDEXES
                                      INCLUDING STORAGE INCLUDING COMPRESSION)"""
    )
    await conn.execute(f"LOCK TABLE {table}_default IN ACCESS EXCLUSIVE MODE")
    await conn.execute(
        f"""WITH moved AS (DELETE FROM {table}_default WHERE {key} >= $1 AND {key} < $2 RETURNING *)
            INSERT INTO {span.name} SELECT * FROM moved""",
        span.start,
        span.end,
    )
    bounds = f"FROM ('{span.start.isoformat()}') TO ('{span.end.isoformat()}')"
    await conn.execute(f"ALTER TABLE {table} ATTACH PARTITION {span.name} FOR VALUES {bounds}")


async def adopt_default(conn: Connection, table: Table, span: Span) -> None:
    """Make the default partition the partition of a span, without moving a row, and put an empty one in its place.

    The server reads the rows once to see that they are of the span, while everybody waits: four seconds at most.
    """
    bounds = f"FROM ('{span.start.isoformat()}') TO ('{span.end.isoformat()}')"
    await conn.execute("SET LOCAL statement_timeout = '4s'")
    await conn.execute(f"ALTER TABLE {table} DETACH PARTITION {table}_default")
    await conn.execute(f"ALTER TABLE {table}_default RENAME TO {span.name}")
    await conn.execute(f"ALTER TABLE {table} ATTACH PARTITION {span.name} FOR VALUES {bounds}")
    await conn.execute(f"CREATE TABLE {table}_default PARTITION OF {table} DEFAULT")


async def is_needed(conn: Connection, table: Table, span: Span) -> bool:
    """Whether rows of a partition are still worked with: facts not applied, journeys under way, sends still to leave."""
    if table == "ingest_log":
        query = f"SELECT EXISTS (SELECT 1 FROM {span.name} WHERE applied_at IS NULL)"
        return bool(await conn.fetchval(query))
    if table == "journey_steps":
        query = """SELECT EXISTS (SELECT 1 FROM journeys
                   WHERE state = 'in_progress' AND started_at >= $1 AND started_at < $2)"""
        return bool(await conn.fetchval(query, span.start, span.end))
    if table == "delivery_requests":
        open_one = """EXISTS (SELECT 1 FROM workspaces w JOIN deliveries d USING (workspace_id)
                      WHERE NOT w.sandbox AND d.transactional_id IS NOT NULL AND {}
                        AND d.created_at >= $1 AND d.created_at < $2)"""
        conditions = ("d.in_hand", "d.as_draft")
        query = f"SELECT {' OR '.join(open_one.format(condition) for condition in conditions)}"
        return bool(await conn.fetchval(query, span.start, span.end))
    return False


async def count_kept(conn: Connection, table: Table, span: Span, days: int) -> int:
    """How many rows of a partition are recent by the clock of their sandbox, counted up to one more than may be moved."""
    if table in REAL_TIME:
        return 0
    count: int = await conn.fetchval(
        f"""SELECT count(*) FROM (SELECT 1 FROM {span.name} p JOIN workspaces w USING (workspace_id)
            WHERE w.sandbox AND p.{KEYS[table]} >= w.clock_now - make_interval(days => $1)
            LIMIT {MOST_MOVED + 1}) few""",
        days,
    )
    return count


async def drop(conn: Connection, table: Table, span: Span, days: int) -> None:
    """Drop a partition; rows that are recent by the clock of their sandbox go into the default one."""
    await conn.execute(f"ALTER TABLE {table} DETACH PARTITION {span.name}")
    if table not in REAL_TIME:
        await conn.execute(
            f"""INSERT INTO {table}
                SELECT p.* FROM {span.name} p JOIN workspaces w USING (workspace_id)
                WHERE w.sandbox AND p.{KEYS[table]} >= w.clock_now - make_interval(days => $1)""",
            days,
        )
    await conn.execute(f"DROP TABLE {span.name}")


async def trim_default(conn: Connection, table: Table, days: int, real_now: datetime, limit: int) -> int:
    """Delete up to `limit` rows of the default partition that are too old by their workspace's clock; returns how many."""
    key = KEYS[table]
    clock = "$1" if table in REAL_TIME else "COALESCE(w.clock_now, $1)"
    guard = {
        "ingest_log": "AND p.applied_at IS NOT NULL",
        "journey_steps": """AND NOT EXISTS (SELECT 1 FROM journeys j WHERE j.workspace_id = p.workspace_id
                            AND j.journey_id = p.journey_id AND j.state = 'in_progress')""",
        "delivery_requests": """AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.workspace_id = p.workspace_id
                                AND d.delivery_id = p.delivery_id AND d.status IN ('drafted', 'queued', 'attempted'))""",
    }.get(table, "")
    gone: str = await conn.execute(
        f"""DELETE FROM {table}_default WHERE ctid = ANY (ARRAY(
                SELECT p.ctid FROM {table}_default p JOIN workspaces w USING (workspace_id)
                WHERE p.{key} < {clock}::timestamptz - make_interval(days => $2) {guard} LIMIT $3))""",
        real_now,
        days,
        limit,
    )
    return int(gone.rsplit(" ", 1)[1])


__all__ = [
    "KEYS",
    "MOST_MOVED",
    "REAL_TIME",
    "Span",
    "Table",
    "adopt_default",
    "count_default",
    "count_kept",
    "create",
    "default_range",
    "drop",
    "existing",
    "is_needed",
    "oldest_stray",
    "size",
    "strays",
    "take_turn",
    "trim_default",
]
