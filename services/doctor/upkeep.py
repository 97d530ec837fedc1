"""What grows in the database server if nobody looks after it: dead rows, transaction ids, WAL, tables."""

from __future__ import annotations

from typing import Final

from services.doctor.finding import Finding, ok
from services.doctor.sight import DATABASE, Check, Sight
from store import server_state as store

MANY_DEAD: Final = 100_000
OLD_XID, DIRE_XID = 500_000_000, 1_200_000_000
MUCH_WAL, TOO_MUCH_WAL = 4 * 2**30, 32 * 2**30
TOLD_TABLES: Final = 3


async def vacuum(sight: Sight) -> list[Finding]:
    """Dead rows, and how old the oldest transaction id is."""
    async with sight.db.connection() as conn:
        found = await store.server(conn)
        dead = await store.dead_rows(conn, MANY_DEAD)
        age = await store.xid_age(conn)
    return [_dead(dead, running=found.autovacuum), _age(age)]


def _dead(dead: list[store.DeadRows], *, running: bool) -> Finding:
    name = "database.vacuum"
    if running and not dead:
        return ok(name, "autovacuum runs, no large table is mostly dead rows")
    tables = "; ".join(f"{row.table}: {row.dead} dead, {row.live} live rows" for row in dead)
    return Finding(
        name,
        "warning" if running else "failure",
        "; ".join(part for part in ("" if running else "autovacuum is off", tables) if part),
        "Rows that are deleted or changed leave dead ones behind, which autovacuum removes.",
        "Tables grow and everything becomes slower.",
        ("" if running else "ALTER SYSTEM SET autovacuum = on; SELECT pg_reload_conf(); ")
        + "; ".join(f"VACUUM (VERBOSE, ANALYZE) {row.table}" for row in dead)
        + (" says what keeps them." if dead else ""),
        "vacuum",
    )


def _age(age: int) -> Finding:
    name = "database.xid-age"
    if age < OLD_XID:
        return ok(name, f"the oldest transaction id is {age} transactions old")
    return Finding(
        name,
        "failure" if age >= DIRE_XID else "warning",
        f"the oldest transaction id is {age} transactions old",
        "Autovacuum does not keep up with freezing rows; at two thousand million PostgreSQL refuses all writes.",
        "None yet; then every call is answered with 503.",
        "Find what holds it back (open transactions, replication slots), then: vacuumdb --all --freeze --jobs 2",
        "vacuum",
    )


async def wal(sight: Sight) -> list[Finding]:
    """WAL that is kept for somebody who does not fetch it, and the archive of it."""
    async with sight.db.connection() as conn:
        slots = await store.slots(conn)
        archive = await store.archive(conn)
    findings = [slot_finding(slot) for slot in slots if slot.wal_status == "lost" or slot.kept >= MUCH_WAL]
    findings = findings or [ok("database.replication-slots", f"{len(slots)} replication slots, none far behind")]
    return [*findings, _archive(archive)]


def slot_finding(slot: store.Slot) -> Finding:
    """What is said of a slot that is far behind."""
    kept = f"{slot.kept / 2**30:.1f} GiB of WAL are kept for it"
    if slot.wal_status == "lost":
        kept = "what it needs is gone"
    return Finding(
        "database.replication-slots",
        "failure" if slot.kept >= TOO_MUCH_WAL or slot.wal_status == "lost" else "warning",
        f"replication slot '{slot.name}' is {'behind' if slot.active else 'used by nobody'}: {kept}",
        "PostgreSQL keeps everything that a standby or a backup has not fetched yet.",
        "When the disk is full the database stops.",
        f"Start its consumer again; or, if nobody needs it: SELECT pg_drop_replication_slot('{slot.name}');",
        "replication-slots",
    )


def _archive(archive: store.Archive | None) -> Finding:
    name = "database.wal-archive"
    if archive is None:
        return ok(name, "WAL is not archived by this server")
    if archive.failed_at is None or (archive.archived_at is not None and archive.archived_at >= archive.failed_at):
        return ok(
            name,
            f"WAL is archived, last at {archive.archived_at:%Y-%m-%d %H:%M:%S}Z"
            if archive.archived_at
            else "WAL is archived, none yet",
        )
    return Finding(
        name,
        "failure",
        f"archiving WAL fails since {archive.failed_at:%Y-%m-%d %H:%M:%S}Z, at {archive.failed}",
        "`archive_command` does not succeed, and PostgreSQL keeps all WAL until it does.",
        "A restore gets no further than the last segment archived, and the disk fills.",
        "Read why in the log of PostgreSQL, and run the `archive_command` by hand as its user.",
        "wal-archive",
    )


async def sizes(sight: Sight) -> list[Finding]:
    """The largest tables, for whoever asks where the disk has gone."""
    async with sight.db.connection() as conn:
        tables = await store.largest_tables(conn, TOLD_TABLES)
    told = ", ".join(f"{name} {size / 2**20:.0f} MiB" for name, size in tables)
    return [ok("database.size", f"largest: {told}" if told else "there are no tables")]


CHECKS: Final = (
    Check("database.vacuum", vacuum, DATABASE),
    Check("database.wal", wal, DATABASE),
    Check("database.size", sizes, DATABASE, 10.0),
)

__all__ = ["CHECKS", "slot_finding"]
