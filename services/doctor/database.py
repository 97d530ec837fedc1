"""The database server: what it is, how it is set, whether something shares its connections, what time it has."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from services.doctor.finding import Finding, ok
from services.doctor.sight import DATABASE, Check, Sight
from store import server_state as store

LEAST_VERSION: Final = 150_000
SAFE_COMMITS: Final = frozenset({"on", "remote_apply"})
MOST_SKEW: Final = timedelta(seconds=2)
BUSY, FULL = 0.8, 0.95
ROUNDS: Final = 5


async def server(sight: Sight) -> list[Finding]:
    """Version and settings of the server."""
    async with sight.db.connection() as conn:
        found = await store.server(conn)
    findings = [_version(found), _durability(found), _encoding(found)]
    if found.in_recovery:
        findings.append(
            Finding(
                "database.primary",
                "failure",
                "this PostgreSQL is a standby, or is still being restored: it takes no writes",
                "SOJOURN_DATABASE_URL names a server that only reads.",
                "Calls are answered with 503.",
                "Name the primary in SOJOURN_DATABASE_URL; or, after a restore, end the recovery: "
                '`psql "$SOJOURN_DATABASE_URL" -c "SELECT pg_promote()"`.',
                "database-settings",
            )
        )
    return findings


def _version(found: store.Server) -> Finding:
    if found.version_num >= LEAST_VERSION:
        return ok("database.version", f"PostgreSQL {found.version}")
    return Finding(
        "database.version",
        "failure",
        f"PostgreSQL {found.version} is older than 15",
        "Sojourn uses what PostgreSQL has since version 15.",
        "Set-up fails, or calls do.",
        "Move to a newer PostgreSQL with `pg_upgrade`, or `pg_dump` and `pg_restore` (docs/backup.md).",
        "database-settings",
    )


def _durability(found: store.Server) -> Finding:
    loose = [] if found.synchronous_commit in SAFE_COMMITS else [f"synchronous_commit is {found.synchronous_commit}"]
    loose += [] if found.fsync else ["fsync is off"]
    loose += [] if found.full_page_writes else ["full_page_writes is off"]
    if not loose:
        return ok("database.durability", f"synchronous_commit is {found.synchronous_commit}, fsync is on")
    return Finding(
        "database.durability",
        "failure",
        ", ".join(loose),
        "What was committed may not be on the disk yet.",
        "A power cut loses calls that were answered with 200, or damages the database.",
        "ALTER SYSTEM RESET synchronous_commit; ALTER SYSTEM RESET fsync; ALTER SYSTEM RESET full_page_writes; "
        "SELECT pg_reload_conf(); also look for them in `ALTER ROLE`, `ALTER DATABASE` and the server's command line.",
        "database-settings",
    )


def _encoding(found: store.Server) -> Finding:
    if found.encoding != "UTF8":
        return Finding(
            "database.encoding",
            "failure",
            f"the encoding of the database is {found.encoding}, not UTF8",
            "Not every name or text can be stored.",
            "Facts with other letters are refused.",
            "Make a database with `createdb --encoding=UTF8 --template=template0` and move the data with `pg_dump`.",
            "database-settings",
        )
    if found.collation is not None:
        recorded, actual = found.collation
        return Finding(
            "database.encoding",
            "warning",
            f"the collation library has changed from {recorded} to {actual}",
            "The order of texts may have changed under the indexes that were built by it.",
            "Somebody may not be found by a name that is there.",
            'REINDEX DATABASE; ALTER DATABASE "..." REFRESH COLLATION VERSION;',
            "database-settings",
        )
    return ok("database.encoding", "UTF8")


async def pooler(sight: Sight) -> list[Finding]:
    """Whether two connections of ours are really two of the server's: else somebody shares them by transaction."""
    name = "database.pooler"
    async with sight.db.connection() as one, sight.db.connection() as other:
        for _ in range(ROUNDS):
            first, second = await store.backend(one), await store.backend(other)
            if first == second or await store.backend(one) != first:
                return [
                    Finding(
                        name,
                        "failure",
                        "connections are shared by transaction between Sojourn and PostgreSQL",
                        "Locks that a session holds, and prepared statements, do not belong to one client there.",
                        "Two workers may do the same work: a message may be sent twice; or calls fail.",
                        "Set `pool_mode = session` for this database in the pooler, or connect to PostgreSQL itself.",
                        "connection-pooler",
                    )
                ]
    return [ok(name, "connections belong to one session each")]


async def skew(sight: Sight) -> list[Finding]:
    """How far the clock of this machine is from the server's."""
    before = sight.clock()
    async with sight.db.connection() as conn:
        theirs = await store.clock(conn)
    return [compared("database.clock", "the database", theirs, before, sight.clock())]


def compared(check: str, whose: str, theirs: datetime, before: datetime, after: datetime) -> Finding:
    """The finding on somebody's clock that was read between two instants of ours."""
    off = timedelta()
    if theirs < before:
        off = before - theirs
    elif theirs > after:
        off = theirs - after
    word = "behind" if theirs < before else "ahead of"
    if off <= MOST_SKEW:
        return ok(check, f"the clocks of this machine and of {whose} agree to {MOST_SKEW.total_seconds():g} s")
    return Finding(
        check,
        "warning" if off < timedelta(minutes=1) else "failure",
        f"the clock of {whose} is {off.total_seconds():.0f} s {word} that of this machine",
        "Instants of facts, waits and leases are compared between machines.",
        "Waits end early or late by as much, and workers may count as silent that are there.",
        "Let all machines follow a time server: `timedatectl set-ntp true`, then `timedatectl status`.",
        "clock-skew",
    )


async def connections(sight: Sight) -> list[Finding]:
    """How much room is left for connections."""
    async with sight.db.connection() as conn:
        found = await store.connections(conn)
    name, summary = "database.connections", f"{found.used} of {found.most} connections are used"
    if found.used < BUSY * found.most:
        return [ok(name, summary)]
    return [
        Finding(
            name,
            "failure" if found.used >= FULL * found.most else "warning",
            summary,
            "A process opens up to 20 connections and two more to listen; the rest belongs to others.",
            "Processes that start, and calls when there are many, find no connection: 503.",
            "Raise `max_connections`, run fewer processes, or see who holds them: "
            "SELECT application_name, usename, state, count(*) FROM pg_stat_activity GROUP BY 1, 2, 3 ORDER BY 4 DESC;",
            "database-connections",
        )
    ]


CHECKS: Final = (
    Check("database.server", server, DATABASE),
    Check("database.pooler", pooler, DATABASE),
    Check("database.clock", skew, DATABASE),
    Check("database.connections", connections, DATABASE),
)

__all__ = ["CHECKS", "compared"]
