"""The PostgreSQL server itself, as its own views tell of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from store.database import Connection


@dataclass(frozen=True, slots=True)
class Server:
    """What a server is and how it is set for our sessions; a `collation` is two versions where its library has changed."""

    version_num: int
    version: str
    synchronous_commit: str
    fsync: bool
    full_page_writes: bool
    autovacuum: bool
    encoding: str
    collation: tuple[str, str] | None
    in_recovery: bool


@dataclass(frozen=True, slots=True)
class Session:
    """A session that holds something up, with what it is known by."""

    pid: int
    database: str | None
    application: str
    state: str | None
    age: timedelta
    query: str
    blocked_by: Sequence[int] = ()

    def __str__(self) -> str:
        who = f"process {self.pid}, database {self.database or '?'}, application '{self.application}', {self.state or 'state unknown'}"
        blockers = f", waits for {', '.join(map(str, self.blocked_by))}" if self.blocked_by else ""
        return (
            f"{who}, since {self.age.total_seconds():.0f} s{blockers}: {self.query or '(not to be seen by this user)'}"
        )


@dataclass(frozen=True, slots=True)
class Connections:
    """How many connections are used of how many that there may be for such as us."""

    used: int
    most: int


@dataclass(frozen=True, slots=True)
class Slot:
    """A replication slot and how many bytes of WAL are kept for it."""

    name: str
    active: bool
    wal_status: str | None
    kept: int


@dataclass(frozen=True, slots=True)
class Archive:
    """The archiver of WAL: when it last succeeded and last failed."""

    archived_at: datetime | None
    failed_at: datetime | None
    failed: str | None


@dataclass(frozen=True, slots=True)
class DeadRows:
    """A table with its live and dead rows, and when it was last vacuumed."""

    table: str
    live: int
    dead: int
    vacuumed_at: datetime | None


async def server(conn: Connection) -> Server:
    """What the server is."""
    record = await conn.fetchrow(
        """SELECT current_setting('server_version_num')::int AS version_num, current_setting('server_version') AS version,
                  current_setting('synchronous_commit') AS synchronous_commit, current_setting('fsync')::bool AS fsync,
                  current_setting('full_page_writes')::bool AS full_page_writes,
                  current_setting('autovacuum')::bool AS autovacuum, current_setting('server_encoding') AS encoding,
                  datcollversion AS recorded, pg_database_collation_actual_version(oid) AS actual,
                  pg_is_in_recovery() AS in_recovery
           FROM pg_database WHERE datname = current_database()"""
    )
    recorded, actual = record["recorded"], record["actual"]
    changed = (recorded, actual) if recorded is not None and recorded != actual else None
    names = ("version_num", "version", "synchronous_commit", "fsync", "full_page_writes", "autovacuum", "encoding")
    return Server(**{name: record[name] for name in names}, collation=changed, in_recovery=record["in_recovery"])


async def clock(conn: Connection) -> datetime:
    """What time the server has."""
    at: datetime = await conn.fetchval("SELECT clock_timestamp()")
    return at


async def backend(conn: Connection) -> int:
    """Which process of the server answers this statement."""
    pid: int = await conn.fetchval("SELECT pg_backend_pid()")
    return pid


async def connections(conn: Connection) -> Connections:
    """How many connections are used, of all that the server, this database and this role leave to us."""
    record = await conn.fetchrow(
        """SELECT count(*) FILTER (WHERE datid IS NOT NULL AND COALESCE(backend_type, 'client backend') = 'client backend') AS used,
                  current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int AS most,
                  count(*) FILTER (WHERE datname = current_database()) AS used_here,
                  (SELECT NULLIF(datconnlimit, -1) FROM pg_database WHERE datname = current_database()) AS most_here,
                  count(*) FILTER (WHERE usename = current_user) AS used_by_us,
                  (SELECT NULLIF(rolconnlimit, -1) FROM pg_roles WHERE rolname = current_user) AS most_for_us
           FROM pg_stat_activity"""
    )
    bounds = [(record["used"], record["most"])]
    bounds += [(record[f"used_{of}"], record[f"most_{of}"]) for of in ("here",)] if record["most_here"] else []
    bounds += [(record["used_by_us"], record["most_for_us"])] if record["most_for_us"] else []
    return Connections(*max(bounds, key=lambda bound: bound[0] / max(bound[1], 1)))


_SESSION = """pid, datname AS database, application_name AS application, state,
              left(regexp_replace(query, '\\s+', ' ', 'g'), 80) AS query"""


async def open_writers(conn: Connection, longer_than: timedelta) -> list[Session]:
    """Transactions that have written and stay open, of any database, oldest first: facts wait behind them."""
    records = await conn.fetch(
        f"""SELECT {_SESSION}, clock_timestamp() - xact_start AS age FROM pg_stat_activity
            WHERE backend_xid IS NOT NULL AND pid <> pg_backend_pid() AND clock_timestamp() - xact_start > $1
            ORDER BY xact_start LIMIT 5""",
        longer_than,
    )
    return [Session(**record) for record in records]


async def open_readers(conn: Connection, longer_than: timedelta) -> list[Session]:
    """Sessions whose snapshot is old: dead rows of all tables are kept for them."""
    records = await conn.fetch(
        f"""SELECT {_SESSION}, clock_timestamp() - xact_start AS age FROM pg_stat_activity
            WHERE backend_xmin IS NOT NULL AND pid <> pg_backend_pid() AND clock_timestamp() - xact_start > $1
              AND backend_type <> 'autovacuum worker'
            ORDER BY xact_start LIMIT 5""",
        longer_than,
    )
    return [Session(**record) for record in records]


async def prepared(conn: Connection) -> list[tuple[str, timedelta]]:
    """Transactions that were prepared and never ended, with their age."""
    records = await conn.fetch(
        "SELECT gid, clock_timestamp() - prepared AS age FROM pg_prepared_xacts ORDER BY prepared"
    )
    return [(record["gid"], record["age"]) for record in records]


async def lock_waits(conn: Connection, longer_than: timedelta) -> list[Session]:
    """Sessions of this database that wait for a lock of somebody else, but for the locks that workers take turns by."""
    records = await conn.fetch(
        f"""SELECT {_SESSION}, clock_timestamp() - state_change AS age, pg_blocking_pids(pid) AS blocked_by
            FROM pg_stat_activity
            WHERE datname = current_database() AND wait_event_type = 'Lock' AND wait_event <> 'advisory'
              AND clock_timestamp() - state_change > $1 ORDER BY state_change LIMIT 5""",
        longer_than,
    )
    return [Session(**record) for record in records]


async def xid_age(conn: Connection) -> int:
    """How many transactions ago the oldest of all databases was frozen; at two thousand million the server refuses writes."""
    age: int = await conn.fetchval("SELECT max(age(datfrozenxid)) FROM pg_database")
    return age


async def dead_rows(conn: Connection, least: int) -> list[DeadRows]:
    """Tables with more dead rows than live ones, and at least so many, the worst first."""
    records = await conn.fetch(
        """SELECT relname AS table, n_live_tup AS live, n_dead_tup AS dead,
                  GREATEST(last_vacuum, last_autovacuum) AS vacuumed_at
           FROM pg_stat_user_tables WHERE n_dead_tup >= $1 AND n_dead_tup > n_live_tup ORDER BY n_dead_tup DESC LIMIT 5""",
        least,
    )
    return [DeadRows(**record) for record in records]


async def largest_tables(conn: Connection, most: int) -> list[tuple[str, int]]:
    """The largest tables with their indexes, partitions counted together, and the bytes they take."""
    records = await conn.fetch(
        """SELECT COALESCE(p.relname, c.relname) AS name, sum(pg_total_relation_size(c.oid))::bigint AS size
           FROM pg_class c LEFT JOIN pg_inherits i ON i.inhrelid = c.oid LEFT JOIN pg_class p ON p.oid = i.inhparent
           JOIN pg_namespace n ON n.oid = c.relnamespace
           WHERE c.relkind = 'r' AND n.nspname NOT IN ('pg_catalog', 'information_schema')
           GROUP BY 1 ORDER BY 2 DESC LIMIT $1""",
        most,
    )
    return [(record["name"], record["size"]) for record in records]


async def slots(conn: Connection) -> list[Slot]:
    """The replication slots of the server."""
    records = await conn.fetch(
        """SELECT slot_name AS name, active, wal_status,
                  COALESCE(pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn()
                                                ELSE pg_current_wal_lsn() END, restart_lsn), 0)::bigint AS kept
           FROM pg_replication_slots ORDER BY slot_name"""
    )
    return [Slot(**record) for record in records]


async def archive(conn: Connection) -> Archive | None:
    """How archiving WAL goes; None where it is off."""
    record = await conn.fetchrow(
        """SELECT last_archived_time AS archived_at, last_failed_time AS failed_at, last_failed_wal AS failed
           FROM pg_stat_archiver WHERE current_setting('archive_mode') <> 'off'"""
    )
    return Archive(**record) if record else None


__all__ = [
    "Archive",
    "Connections",
    "DeadRows",
    "Server",
    "Session",
    "Slot",
    "archive",
    "backend",
    "clock",
    "connections",
    "dead_rows",
    "largest_tables",
    "lock_waits",
    "open_readers",
    "open_writers",
    "prepared",
    "server",
    "slots",
    "xid_age",
]
