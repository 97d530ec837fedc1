"""The doctor and a sick PostgreSQL: each sickness is made for real, and has to be named."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest
import pytest_asyncio
import trustme

import migrations
from clock import system_now
from domain.operations.base import Identifier
from domain.operations.people import Identify
from services.doctor.upkeep import slot_finding
from services.health import ROLES
from services.partitions import maintain, span_of, wanted
from settings import CHECKOUT, Retention
from stack.commands import product_environment, run_tool
from stack.services import postgres_alone
from store import (
    definitions,
    domain_checks,
    journeys,
    log,
    outbox,
    partitions,
    provider_turns,
    tasks,
    workers,
    workspaces,
)
from store.database import Database
from store.definitions import DefinitionRow
from store.journeys import JourneyRow
from store.provider_turns import ProviderTurn
from store.server_state import Slot
from store.tasks import TaskRow
from tests.support.doctoring import explained, findings
from tests.support.eventually import eventually
from tests.support.pooling import transaction_pooler
from workflows.cluster import TemporalCluster

DAYS = Retention.model_validate({}).days_by_table()


class Patient:
    """A migrated PostgreSQL that tests may make sick, with one workspace on real time."""

    def __init__(self, db: Database, url: str, workspace_id: int) -> None:
        self.db = db
        self.url = url
        self.workspace_id = workspace_id

    async def execute(self, *statements: str) -> None:
        """Statements, each for itself."""
        async with self.db.connection() as conn:
            for statement in statements:
                await conn.execute(statement)

    @contextlib.asynccontextmanager
    async def session(self, application: str) -> AsyncIterator[asyncpg.Connection]:
        """A connection of somebody else."""
        conn = await asyncpg.connect(self.url, server_settings={"application_name": application})
        try:
            yield conn
        finally:
            await conn.close()

    @contextlib.asynccontextmanager
    async def with_rows(self, *inserted: tuple[str, tuple[object, ...]]) -> AsyncIterator[None]:
        """Rows that are there for a while."""
        async with self.db.connection() as conn:
            for statement, values in inserted:
                await conn.execute(statement, *values)
        try:
            yield
        finally:
            await self.execute(f"TRUNCATE {', '.join(statement.split()[2] for statement, _ in inserted)}")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def patient() -> AsyncIterator[Patient]:
    async with postgres_alone() as services:
        await run_tool(["alembic", "upgrade", "head"], product_environment(services.settings, {}, CHECKOUT), CHECKOUT)
        db = await Database.connect(services.database_url)
        try:
            await maintain(db, DAYS, system_now())
            async with db.transaction() as conn:
                number = await workspaces.create(
                    conn, name="test", sandbox=False, clock_now=None, delivery_key=b"k" * 32, now=system_now()
                )
            yield Patient(db, services.database_url, number)
        finally:
            await db.close()


async def test_a_healthy_database(patient: Patient) -> None:
    found = await findings(patient.url, "database", "partitions", "flow", "sending", "journeys.late")
    # The tests' server does not write through to the disk, for speed.
    sick = {check: finding for check, finding in found.items() if finding.level != "ok"}
    assert set(sick) == {"database.durability", "temporal"}
    explained(sick["database.durability"], "failure", "database-settings", "fsync is off")


async def test_synchronous_commit_off(patient: Patient) -> None:
    await patient.execute("ALTER DATABASE sojourn SET synchronous_commit = off")
    try:
        found = await findings(patient.url, "database.server")
    finally:
        await patient.execute("ALTER DATABASE sojourn RESET synchronous_commit")
    explained(found["database.durability"], "failure", "database-settings", "synchronous_commit is off")


async def test_autovacuum_off(patient: Patient) -> None:
    async def level() -> bool:
        return (await findings(patient.url, "database.vacuum"))["database.vacuum"].level == wanted_level

    wanted_level = "failure"
    await patient.execute("ALTER SYSTEM SET autovacuum = off", "SELECT pg_reload_conf()")
    try:
        await eventually(level, "the finding on autovacuum")
        found = await findings(patient.url, "database.vacuum")
    finally:
        await patient.execute("ALTER SYSTEM RESET autovacuum", "SELECT pg_reload_conf()")
    explained(found["database.vacuum"], "failure", "vacuum", "autovacuum is off", "ALTER SYSTEM SET autovacuum = on")
    wanted_level = "ok"
    await eventually(level, "autovacuum is on again")


async def test_connections_are_used_up(patient: Patient) -> None:
    await patient.execute("ALTER DATABASE sojourn CONNECTION LIMIT 3")
    try:
        found = await findings(patient.url, "database.connections")
    finally:
        await patient.execute("ALTER DATABASE sojourn CONNECTION LIMIT -1")
    explained(found["database.connections"], "failure", "database-connections", "of 3 connections are used")


async def test_a_transaction_stays_open_and_somebody_waits_for_its_locks(patient: Patient) -> None:
    async with patient.session("forgotten psql") as holder, patient.session("waiting tool") as waiter:
        await holder.execute("BEGIN; LOCK TABLE people IN ACCESS EXCLUSIVE MODE; SELECT pg_current_xact_id()")
        pid = holder.get_server_pid()
        waiting = asyncio.create_task(waiter.fetchval("SELECT count(*) FROM people"))

        async def named() -> bool:
            found = await findings(patient.url, "database.open", "database.locks")
            return all(found[name].level != "ok" for name in ("database.open-transaction", "database.locks"))

        await eventually(named, "both are named")
        found = await findings(patient.url, "database.open", "database.locks")
        await holder.execute("ROLLBACK")
        await waiting
    held = found["database.open-transaction"]
    explained(held, "warning", "open-transaction", f"process {pid}", "forgotten psql", f"pg_terminate_backend({pid})")
    assert "idle in transaction" in held.summary
    assert "BEGIN; LOCK TABLE people" in held.summary
    explained(found["database.locks"], "failure", "lock-waits", "waiting tool", f"waits for {pid}", f"({pid})")
    found = await findings(patient.url, "database.open", "database.locks")
    assert {found[name].level for name in ("database.open-transaction", "database.locks")} == {"ok"}


async def test_connections_are_shared_by_transaction(patient: Patient) -> None:
    parts = urlsplit(patient.url)
    async with transaction_pooler(parts.hostname or "", parts.port or 0) as port:
        through = patient.url.replace(f":{parts.port}/", f":{port}/")
        found = await findings(through, "database.pooler")
    explained(found["database.pooler"], "failure", "connection-pooler", "pool_mode = session")
    assert (await findings(patient.url, "database.pooler"))["database.pooler"].level == "ok"


@pytest.mark.parametrize(("off", "level"), [(timedelta(seconds=20), "warning"), (-timedelta(minutes=5), "failure")])
async def test_clocks_differ(patient: Patient, off: timedelta, level: str) -> None:
    found = await findings(patient.url, "database.clock", clock=lambda: system_now() + off)
    word = "behind" if off > timedelta() else "ahead of"
    explained(found["database.clock"], level, "clock-skew", f"{abs(off.total_seconds()):.0f} s {word}", "timedatectl")


@pytest.mark.parametrize(
    ("revision", "level", "words"),
    [
        ("'2026_11_24_foundation'", "failure", ("2026_11_24_foundation", "sojourn setup")),
        ("'2099_01_01_later'", "warning", ("newer than this version",)),
    ],
)
async def test_another_schema(patient: Patient, revision: str, level: str, words: tuple[str, ...]) -> None:
    await patient.execute(f"UPDATE alembic_version SET version_num = {revision}")
    try:
        found = await findings(patient.url)
    finally:
        await patient.execute(f"UPDATE alembic_version SET version_num = '{migrations.head()}'")
    explained(found["schema"], level, "schema", *words)
    assert (found["flow.facts"].level == "unknown") == (level == "failure")


async def test_an_empty_database(patient: Patient) -> None:
    await patient.execute("CREATE DATABASE bare")
    try:
        found = await findings(patient.url.rsplit("/", 1)[0] + "/bare")
    finally:
        await patient.execute("DROP DATABASE bare")
    explained(found["schema"], "failure", "schema", "never set up", "sojourn setup")
    assert found["database.version"].level == "ok"
    assert {found[name].level for name in ("partitions", "flow.outbox", "workers")} == {"unknown"}


async def test_partitions_missing_kept_too_long_and_rows_beside_them(patient: Patient) -> None:
    now = system_now()
    dropped, old = wanted("ingest_log", now)[2], span_of("activities", "activities_202401")
    assert old is not None
    async with patient.db.transaction() as conn:
        await conn.execute(f"DROP TABLE {dropped.name}")
        await partitions.create(conn, "activities", old)
        await log.append(conn, [_fact(patient)], dropped.start)
    try:
        found = await findings(patient.url, "partitions")
    finally:
        await patient.execute("TRUNCATE ingest_log")
        await maintain(patient.db, DAYS, now)
    explained(found["partitions.ahead"], "failure", "partitions", dropped.name)
    explained(found["partitions.kept"], "warning", "partitions", "activities_202401")
    explained(found["partitions.beside"], "warning", "partitions", "ingest_log_default (1)")
    found = await findings(patient.url, "partitions")
    assert {found[name].level for name in found if name.startswith("partitions")} == {"ok"}


def _fact(patient: Patient) -> log.LogEntry:
    fact = Identify(subject=Identifier(kind="id", value="ann"), attributes={"plan": "pro"})
    return log.entry_of(patient.workspace_id, fact, "track")


async def test_facts_are_not_applied(patient: Patient) -> None:
    async with patient.db.transaction() as conn:
        await log.append(conn, [_fact(patient)], system_now() - timedelta(minutes=2))
    try:
        found = await findings(patient.url, "flow.facts")
        explained(found["flow.facts"], "failure", "facts-are-not-applied", "1 facts wait")
        await patient.execute("UPDATE ingest_log SET xid = '4000000000'")
        found = await findings(patient.url, "flow.facts")
    finally:
        await patient.execute("TRUNCATE ingest_log")
    explained(found["flow.facts"], "failure", "facts-of-another-server", "1 facts wait", "sojourn after-restore")


async def test_facts_wait_behind_an_open_transaction(patient: Patient) -> None:
    async with patient.session("forgotten") as holder:
        await holder.execute("BEGIN; SELECT pg_current_xact_id()")
        async with patient.db.transaction() as conn:
            await log.append(conn, [_fact(patient)], system_now() - timedelta(minutes=2))
        try:
            found = await findings(patient.url, "flow.facts")
        finally:
            await patient.execute("TRUNCATE ingest_log")
    explained(found["flow.facts"], "failure", "open-transaction", "is still open", "pg_read_all_stats")


async def test_the_outbox_stands(patient: Patient) -> None:
    async with patient.db.transaction() as conn:
        await outbox.ask_sends(conn, patient.workspace_id, [("one", 1), ("two", 1)])
    try:
        found = await findings(patient.url, "flow.outbox")
    finally:
        await patient.execute("TRUNCATE outbox")
    explained(found["flow.outbox"], "failure", "outbox-does-not-drain", "now 2")


async def test_the_outbox_drains(patient: Patient) -> None:
    async with patient.db.transaction() as conn:
        await outbox.ask_sends(conn, patient.workspace_id, [("one", 1), ("two", 1)])
    looking = asyncio.create_task(findings(patient.url, "flow.outbox"))

    async def looked() -> bool:
        await patient.execute("DELETE FROM outbox WHERE outbox_id = (SELECT min(outbox_id) FROM outbox)")
        async with patient.db.transaction() as conn:
            await outbox.ask_sends(conn, patient.workspace_id, [("more", 1)])
        return looking.done()

    try:
        await eventually(looked, "the doctor has looked twice")
    finally:
        await patient.execute("TRUNCATE outbox")
    assert (await looking)["flow.outbox"].level == "ok"


async def test_the_clock_does_not_ask(patient: Patient) -> None:
    late = system_now() - timedelta(minutes=10)
    rows = (
        (
            "INSERT INTO due (workspace_id, kind, ref, due_at) VALUES ($1, 'delivery', 'x', $2)",
            (patient.workspace_id, late),
        ),
        (
            """INSERT INTO memberships (workspace_id, person_id, kind, ref_id, member, since, flips_at)
               VALUES ($1, 1, 'segment', 1, true, $2, $2)""",
            (patient.workspace_id, late),
        ),
    )
    async with patient.with_rows(*rows):
        found = await findings(patient.url, "flow.due")
    explained(found["flow.due"], "failure", "due-is-late", "1 of kind 'delivery'", "1 of kind 'segment'", "--roles due")


async def test_a_task_stands_still(patient: Patient) -> None:
    task = TaskRow(patient.workspace_id, "task-1", "build", "running", "normal", {}, system_now())
    async with patient.db.transaction() as conn:
        await tasks.insert(conn, task)
    try:
        found = await findings(patient.url, "flow.tasks")
    finally:
        await patient.execute("TRUNCATE tasks")
    explained(found["flow.tasks"], "warning", "tasks-stand-still", "task-1", "build")


async def test_a_journey_stands_although_its_wait_is_over(patient: Patient) -> None:
    now = system_now()
    late = JourneyRow(
        patient.workspace_id, "01JLATE", "journey/1/1/1", 1, 1, "1", False, "in_progress", 1, now, 1, now,
        due_at=now - timedelta(minutes=5), wait={}, steps=1,
    )  # fmt: skip
    async with patient.db.transaction() as conn:
        await journeys.insert(conn, [late])
    try:
        found = await findings(patient.url, "journeys.late")
    finally:
        await patient.execute("TRUNCATE journeys")
    explained(found["journeys.late"], "failure", "journeys-stand-still", "01JLATE", "sojourn journeys wedged")


async def test_providers_away_domains_wrong_keys_missing(patient: Patient) -> None:
    now = system_now()
    turn = ProviderTurn(patient.workspace_id, "smtp", 1, now + timedelta(minutes=1), "connection refused")
    async with patient.db.transaction() as conn:
        await provider_turns.begin(conn, turn)
        await definitions.insert(
            conn,
            DefinitionRow(
                workspace_id=patient.workspace_id, kind="domain", definition_id=1, key="main", name="Main",
                document={"domain": "example.com"}, source=None, revision=1, version=1, state="unverified", created_at=now, updated_at=now,
            ),
        )  # fmt: skip
        await domain_checks.save(conn, patient.workspace_id, 1, "unverified", [], at=now)
    await patient.execute("UPDATE workspaces SET delivery_key = ''")
    try:
        found = await findings(patient.url, "sending")
    finally:
        await patient.execute(
            "TRUNCATE provider_turns, due, definitions, domain_checks",
            f"UPDATE workspaces SET delivery_key = '{'k' * 32}'",
        )
    explained(found["sending.providers"], "failure", "provider-away", "'smtp'", "connection refused", "sojourn apply")
    explained(found["sending.domains"], "warning", "sending-domain", "example.com")
    explained(found["sending.keys"], "failure", "settings", str(patient.workspace_id))


async def test_no_worker_for_any_role_and_one_whose_clock_is_ahead(patient: Patient) -> None:
    found = await findings(patient.url, "workers")
    assert {name for name in found if name.startswith("workers.")} == {f"workers.{role}" for role in ROLES}
    explained(found["workers.ingest"], "failure", "no-worker-for-a-role", "`ingest`", "python worker.py --roles ingest")
    now = system_now()
    async with patient.db.transaction() as conn:
        await workers.beat(conn, "elsewhere", sorted(ROLES), now, now + timedelta(minutes=1))
    try:
        found = await findings(patient.url, "workers")
    finally:
        await patient.execute("TRUNCATE workers")
    assert found["workers"].level == "ok"
    explained(found["workers.clock"], "warning", "clock-skew", "elsewhere")


async def test_a_server_that_says_nothing_holds_nobody_up() -> None:
    async def silent(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await said.wait()
        writer.close()

    said = asyncio.Event()
    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        async with asyncio.timeout(40):
            found = await findings(
                f"postgresql://sojourn@127.0.0.1:{port}/sojourn",
                api_urls=[f"http://127.0.0.1:{port}"],
                connect=lambda: TemporalCluster.connect(f"127.0.0.1:{port}", "sojourn"),
            )
    finally:
        said.set()
        server.close()
    explained(
        found["database"], "failure", "database-does-not-answer", "no answer in time", f"127.0.0.1:{port}/sojourn"
    )
    explained(found["temporal"], "failure", "temporal-does-not-answer", "no answer in time")
    explained(found["api"], "failure", "api-errors")
    assert found["database.server"].level == found["temporal.queues"].level == "unknown"


async def test_certificates(tmp_path: Path) -> None:
    now, file = system_now(), tmp_path / "chain.pem"
    levels = {}
    for left in (timedelta(days=400), timedelta(days=10), timedelta(days=-1)):
        issued = trustme.CA().issue_cert("mail.example.com", not_before=now - timedelta(days=30), not_after=now + left)
        file.write_bytes(b"".join(part.bytes() for part in issued.cert_chain_pems))
        levels[left.days] = (await findings(None, "certificate", tls_cert_file=file))["certificate"]
    assert levels[400].level == "ok"
    explained(levels[10], "warning", "certificate", "expires on")
    explained(levels[-1], "failure", "certificate", "expired on")
    found = await findings(None, "certificate", tls_cert_file=tmp_path / "none.pem")
    explained(found["certificate"], "failure", "certificate", "none.pem cannot be read")


async def test_private_urls_in_production() -> None:
    found = await findings(None, "sending.private", production=True, allow_private_urls=True)
    explained(found["sending.private-urls"], "warning", "private-urls", "SOJOURN_ALLOW_PRIVATE_URLS")


@pytest.mark.parametrize(
    ("slot", "level"),
    [
        (Slot("standby", active=True, wal_status="extended", kept=5 * 2**30), "warning"),
        (Slot("forgotten", active=False, wal_status="extended", kept=40 * 2**30), "failure"),
        (Slot("gone", active=False, wal_status="lost", kept=0), "failure"),
    ],
)
def test_what_is_said_of_replication_slots(slot: Slot, level: str) -> None:
    explained(slot_finding(slot), level, "replication-slots", f"'{slot.name}'")
