"""Who holds up the database: transactions that stay open, locks that are waited for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from services.doctor.finding import Finding, ok
from services.doctor.sight import DATABASE, Check, Sight
from store import server_state as store

LONG_WRITE: Final = timedelta(seconds=5)
"""No transaction of the product that writes lasts longer."""
SICK_WRITE: Final = timedelta(seconds=60)
LONG_READ: Final = timedelta(hours=1)
LONG_WAIT: Final = timedelta(seconds=5)


async def open_transactions(sight: Sight) -> list[Finding]:
    """Transactions that have written and are not over; and prepared ones that somebody forgot."""
    name = "database.open-transaction"
    async with sight.db.connection() as conn:
        writers = await store.open_writers(conn, LONG_WRITE)
        prepared = await store.prepared(conn)
    if not writers and not prepared:
        return [ok(name, f"no transaction that has written is open for more than {LONG_WRITE.total_seconds():g} s")]
    findings = []
    if writers:
        oldest = max(session.age for session in writers)
        findings.append(_held(name, _told(writers), f"SELECT pg_terminate_backend({writers[0].pid});", oldest))
    if prepared:
        gid, age = prepared[0]
        summary = f"{len(prepared)} prepared, the oldest '{gid}' for {age.total_seconds():.0f} s"
        findings.append(_held(name, summary, f"ROLLBACK PREPARED '{gid}';", age))
    return findings


def _told(sessions: Sequence[store.Session]) -> str:
    return "; ".join(map(str, sessions))


def _held(name: str, who: str, remedy: str, age: timedelta) -> Finding:
    return Finding(
        name,
        "failure" if age > SICK_WRITE else "warning",
        f"a transaction that has written stays open: {who}",
        "Accepted facts are applied in order, and none can be that was accepted after it began, whatever database of "
        "the server it writes in.",
        "Calls get 200, but their facts wait; segment builds do not begin.",
        f"End it where it was begun, or: {remedy} "
        "Against the next one: ALTER SYSTEM SET idle_in_transaction_session_timeout = '60s'; SELECT pg_reload_conf();",
        "open-transaction",
    )


async def locks(sight: Sight) -> list[Finding]:
    """Sessions that have been waiting for somebody else's lock."""
    name = "database.locks"
    async with sight.db.connection() as conn:
        waiting = await store.lock_waits(conn, LONG_WAIT)
    if not waiting:
        return [ok(name, f"nobody waits for a lock for more than {LONG_WAIT.total_seconds():g} s")]
    blockers = sorted({pid for session in waiting for pid in session.blocked_by})
    return [
        Finding(
            name,
            "failure",
            f"somebody waits for a lock: {_told(waiting)}",
            "Another session holds a table or a row that the product needs.",
            "Facts of the people concerned, or all calls, wait for as long.",
            "See what it does: SELECT pid, application_name, state, xact_start, query FROM pg_stat_activity "
            f"WHERE pid IN ({', '.join(map(str, blockers)) or '...'}); end it with pg_terminate_backend(pid).",
            "lock-waits",
        )
    ]


async def snapshots(sight: Sight) -> list[Finding]:
    """Reading transactions that keep dead rows from being removed."""
    name = "database.snapshots"
    async with sight.db.connection() as conn:
        readers = await store.open_readers(conn, LONG_READ)
    if not readers:
        return [ok(name, "no snapshot is older than an hour")]
    return [
        Finding(
            name,
            "warning",
            f"a transaction keeps an old snapshot: {_told(readers)}",
            "Rows that have died since are kept for it, in every table.",
            "The outbox and the log are read through more and more dead rows: everything becomes slower.",
            f"End it where it was begun, or: SELECT pg_terminate_backend({readers[0].pid});",
            "vacuum",
        )
    ]


CHECKS: Final = (
    Check("database.open-transaction", open_transactions, DATABASE),
    Check("database.locks", locks, DATABASE),
    Check("database.snapshots", snapshots, DATABASE),
)

__all__ = ["CHECKS"]
