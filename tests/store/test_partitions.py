"""Partitions: made ahead, filled from the default one, dropped past retention, never while a row is needed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio

from services import partitions
from store import partitions as store
from store import workspaces
from store.database import Database
from tests.support.database import migrated

DAYS: partitions.Days = {
    "ingest_log": 30,
    "activities": 30,
    "delivery_contents": 90,
    "delivery_requests": 30,
    "journey_steps": 400,
    "rejected_calls": 30,
}
NOW = datetime(2026, 11, 24, 15, 30, tzinfo=UTC)
LOG = """INSERT INTO ingest_log (workspace_id, accepted_at, received_at, source, op, keys, body, applied_at)
         VALUES ($1, $2, $2, 's', 'event', '{}', '', $3)"""
ACTIVITY = """INSERT INTO activities (workspace_id, recorded_at, type, data, at, processed_at, seq)
              VALUES ($1, $2, 'event', '{}', $2, $2, 0) RETURNING activity_id"""
REJECTED = """INSERT INTO rejected_calls (workspace_id, at, source, path, status, errors, body)
              VALUES ($1, $2, 's', '/p', 400, '[]', '{')"""
DELIVERY = """INSERT INTO deliveries (workspace_id, delivery_id, channel, status, created_at, metrics, attempts, ambiguous,
                draft, holdout, edited, forgotten, transactional_id)
              VALUES ($1, $2, 'email', 'queued', $3, '{}', 0, false, false, false, false, false, 1)"""
REQUEST = "INSERT INTO delivery_requests (workspace_id, delivery_id, created_at, request) VALUES ($1, $2, $3, '{}')"
STEP = """INSERT INTO journey_steps (workspace_id, journey_id, action_id, started_at, seq_num, block, output_type,
            outcome, effect, created_at) VALUES ($1, 'J', 1, $2, 1, 'b', 'delay', 'waiting', '{}', $2)"""
JOURNEY = """INSERT INTO journeys (workspace_id, journey_id, workflow_id, campaign_id, person_id, entry, single, state,
               version, arrived_seq, started_at, started_seq, trigger, attributes, created_at, wanted, seen, steps)
             VALUES ($1, 'J', 'w', 1, 1, '1', false, 'in_progress', 1, 0, $2, 0, '{}', '{}', $2, 1, 1, 1)"""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def own_database() -> AsyncIterator[Database]:
    async with migrated() as db:
        yield db


@pytest_asyncio.fixture(loop_scope="session")
async def db(own_database: Database) -> Database:
    """The database as a migration leaves it."""
    async with own_database.transaction() as conn:
        for table in store.KEYS:
            for name in await store.existing(conn, table):
                await conn.execute(f"TRUNCATE {name}" if name.endswith("_default") else f"DROP TABLE {name}")
        await conn.execute("TRUNCATE workspaces, journeys, deliveries")
        for number, clock in ((1, None), (2, NOW - timedelta(days=300))):
            await conn.execute(
                """INSERT INTO workspaces (workspace_id, name, colour, sandbox, clock_now, delivery_key,
                     definitions_rev, created_at) VALUES ($1, 'w', '', $2, $3, '', 1, $4)""",
                number,
                clock is not None,
                clock,
                NOW,
            )
    return own_database


async def execute(db: Database, query: str, *arguments) -> None:
    async with db.transaction() as conn:
        await conn.execute(query, *arguments)


async def names(db: Database, table: store.Table) -> list[str]:
    async with db.connection() as conn:
        return sorted(await store.existing(conn, table) - {f"{table}_default"})


async def place(db: Database, table: str) -> list[str]:
    async with db.connection() as conn:
        return [r["t"] for r in await conn.fetch(f"SELECT tableoid::regclass::text AS t FROM {table} ORDER BY 1")]


async def test_partitions_are_made_ahead_and_only_once(db: Database):
    for _ in range(2):
        assert await partitions.maintain(db, DAYS, NOW) == []
        ahead = [NOW + timedelta(days=day) for day in range(8)]
        assert await names(db, "ingest_log") == [f"ingest_log_{day:%Y%m%d}" for day in ahead]
        for table in ("activities", "delivery_contents", "journey_steps"):
            assert await names(db, table) == [f"{table}_{month}" for month in (202611, 202612, 202701, 202702)]
    await execute(db, LOG, 1, NOW, None)
    await execute(db, LOG, 1, NOW + timedelta(days=9), None)
    assert await place(db, "ingest_log") == ["ingest_log_20261124", "ingest_log_default"]
    await partitions.maintain(db, DAYS, datetime(2026, 12, 30, tzinfo=UTC))
    assert "activities_202703" in await names(db, "activities")


async def test_rows_that_came_before_their_partition_are_moved(db: Database):
    await execute(db, LOG, 1, NOW, None)
    async with db.transaction() as conn:
        first = await conn.fetchval(ACTIVITY, 1, NOW)
        await conn.execute(ACTIVITY, 2, NOW - timedelta(days=299))
    await partitions.maintain(db, DAYS, NOW)
    assert await place(db, "ingest_log") == ["ingest_log_20261124"]
    assert await place(db, "activities") == ["activities_202611", "activities_default"]
    async with db.transaction() as conn:
        assert await conn.fetchval(ACTIVITY, 1, NOW) > first, "numbers go on where they were"
    assert await place(db, "activities") == ["activities_202611", "activities_202611", "activities_default"]


async def test_rows_of_days_for_which_nobody_made_room_are_moved_when_somebody_is_back(db: Database):
    await partitions.maintain(db, DAYS, NOW)
    back = NOW + timedelta(days=12)
    for day in (7, 8, 9, 10, 12):
        await execute(db, LOG, 1, NOW + timedelta(days=day), None)
    assert (await place(db, "ingest_log"))[1:] == ["ingest_log_default"] * 4
    report = await partitions.keep(db, "ingest_log", 30, back)
    assert await place(db, "ingest_log") == [f"ingest_log_202612{day:02}" for day in (1, 2, 3, 4, 6)]
    assert "ingest_log_20261205" in report.made, "a day without rows has its place, too"
    assert report.found == {"default_rows": 0, "room_until": "2026-12-14T00:00:00+00:00"}


async def test_of_sandboxes_only_what_is_of_now_is_moved(db: Database):
    async with db.transaction() as conn:
        await conn.execute(ACTIVITY, 2, NOW - timedelta(days=10))
        await conn.execute(ACTIVITY, 1, NOW + timedelta(days=40))
    await partitions.maintain(db, DAYS, NOW + timedelta(days=62))
    assert await place(db, "activities") == ["activities_202701", "activities_default"]


async def test_too_many_rows_to_move_become_a_partition_once_their_day_is_over(db: Database, monkeypatch):
    monkeypatch.setattr(store, "MOST_MOVED", 1)
    for day in (0, 0, 1, 2, 2):
        await execute(db, LOG, 1, NOW + timedelta(days=day), None)
    now = NOW + timedelta(days=2)
    await partitions.maintain(db, DAYS, now)
    assert (await names(db, "ingest_log"))[0] == "ingest_log_20261127", "rows of the day are still being added"
    assert await place(db, "ingest_log") == ["ingest_log_default"] * 5
    async with db.transaction() as conn:
        before = [dict(r) for r in await conn.fetch("SELECT * FROM ingest_log ORDER BY seq")]
    report = await partitions.keep(db, "ingest_log", 30, now + timedelta(days=1))
    assert report.made[2] == "ingest_log_20261124_to_20261126"
    assert "ingest_log_20261204" in report.made
    assert report.found["default_rows"] == 0
    assert await place(db, "ingest_log") == ["ingest_log_20261124_to_20261126"] * 5
    async with db.transaction() as conn:
        assert [dict(r) for r in await conn.fetch("SELECT * FROM ingest_log ORDER BY seq")] == before
        await conn.execute(LOG, 1, NOW + timedelta(days=90), None)
        assert await conn.fetchval("SELECT max(seq) FROM ingest_log") > before[-1]["seq"]
        await conn.execute("DELETE FROM ingest_log_default")
        await conn.execute("UPDATE ingest_log SET applied_at = $1", now)
    assert await partitions.maintain(db, DAYS, NOW + timedelta(days=32)) == []
    assert await partitions.maintain(db, DAYS, NOW + timedelta(days=33)) == ["ingest_log_20261124_to_20261126"]


async def test_the_log_is_dropped_by_the_day_once_everything_in_it_is_applied(db: Database):
    await partitions.maintain(db, DAYS, NOW)
    await execute(db, LOG, 1, NOW, NOW)
    await execute(db, LOG, 1, NOW + timedelta(days=1), None)
    later = NOW + timedelta(days=31)
    assert await partitions.maintain(db, DAYS, later) == ["ingest_log_20261124"]
    assert await place(db, "ingest_log") == ["ingest_log_20261125"]
    later += timedelta(days=2)
    assert await partitions.maintain(db, DAYS, later) == ["ingest_log_20261126"]
    await execute(db, "UPDATE ingest_log SET applied_at = $1", later)
    assert await partitions.maintain(db, DAYS, later) == ["ingest_log_20261125"]


async def test_steps_of_journeys_under_way_are_kept(db: Database):
    await partitions.maintain(db, DAYS, NOW)
    await execute(db, STEP, 1, NOW)
    await execute(db, JOURNEY, 1, NOW)
    later = NOW + timedelta(days=450)
    assert "journey_steps_202611" not in await partitions.maintain(db, DAYS, later)
    assert await place(db, "journey_steps") == ["journey_steps_202611"]
    await execute(db, "UPDATE journeys SET state = 'finished'")
    assert "journey_steps_202611" in await partitions.maintain(db, DAYS, later)
    assert await place(db, "journey_steps") == []


async def test_what_was_asked_for_is_kept_until_it_is_sent(db: Database):
    await partitions.maintain(db, DAYS, NOW)
    old = NOW - timedelta(days=299)
    for name, at in (("a", NOW), ("b", NOW), ("c", old)):
        await execute(db, DELIVERY, 1, name, at)
        await execute(db, REQUEST, 1, name, at)
    later = NOW + timedelta(days=60)
    assert "delivery_requests_202611" not in await partitions.maintain(db, DAYS, later)
    await execute(db, "UPDATE deliveries SET status = 'sent' WHERE delivery_id <> 'b'")
    await execute(db, "UPDATE deliveries SET status = 'drafted', draft = true WHERE delivery_id = 'b'")
    assert "delivery_requests_202611" not in await partitions.maintain(db, DAYS, later)
    assert await place(db, "delivery_requests") == ["delivery_requests_202611"] * 2
    await execute(db, "UPDATE deliveries SET status = 'sent', draft = false")
    assert "delivery_requests_202611" in await partitions.maintain(db, DAYS, later)
    assert await place(db, "delivery_requests") == []


async def test_a_sandbox_keeps_what_is_recent_by_its_own_clock(db: Database):
    await partitions.maintain(db, DAYS, NOW)
    await execute(db, "UPDATE workspaces SET clock_now = $1 WHERE workspace_id = 2", NOW + timedelta(days=1))
    for workspace in (1, 2):
        await execute(db, ACTIVITY, workspace, NOW)
    later = NOW + timedelta(days=60)
    assert "activities_202611" in await partitions.maintain(db, DAYS, later)
    async with db.connection() as conn:
        assert [r["workspace_id"] for r in await conn.fetch("SELECT workspace_id FROM activities")] == [2]
    assert await place(db, "activities") == ["activities_default"]
    await execute(db, "UPDATE workspaces SET clock_now = $1 WHERE workspace_id = 2", later)
    await partitions.maintain(db, DAYS, later)
    assert await place(db, "activities") == []


async def test_refused_calls_of_sandboxes_go_by_real_time_too(db: Database):
    await execute(db, REJECTED, 2, NOW - timedelta(days=31))
    await partitions.maintain(db, DAYS, NOW)
    assert await place(db, "rejected_calls") == []
    await execute(db, "UPDATE workspaces SET clock_now = $1 WHERE workspace_id = 2", NOW - timedelta(days=300))
    for workspace in (1, 2):
        await execute(db, REJECTED, workspace, NOW)
    assert await place(db, "rejected_calls") == ["rejected_calls_202611"] * 2
    assert "rejected_calls_202611" in await partitions.maintain(db, DAYS, NOW + timedelta(days=60))
    assert await place(db, "rejected_calls") == []


async def test_a_table_in_use_is_left_for_the_next_time(db: Database):
    await partitions.maintain(db, DAYS, NOW)
    later = NOW + timedelta(days=31)
    async with db.transaction() as reader:
        await reader.fetch("SELECT * FROM ingest_log")
        assert await partitions.maintain(db, {"ingest_log": 30}, later) == []
    assert await partitions.maintain(db, {"ingest_log": 30}, later) == ["ingest_log_20261124"]


@pytest.mark.parametrize(
    ("name", "span"),
    [
        ("ingest_log_20261231", ("ingest_log_20261231", "2026-12-31", "2027-01-01")),
        ("ingest_log_202612", ("ingest_log_202612", "2026-12-01", "2027-01-01")),
        ("ingest_log_20261230_to_20261231", ("ingest_log_20261230_to_20261231", "2026-12-30", "2027-01-01")),
        ("ingest_log_default", None),
        ("ingest_log_2026", None),
    ],
)
def test_names_mean_spans(name, span):
    found = partitions.span_of("ingest_log", name)
    assert (found and (found.name, f"{found.start:%F}", f"{found.end:%F}")) == span


async def test_a_workspace_can_be_made_after_all_this(db: Database):
    async with db.transaction() as conn:
        await conn.execute("SELECT setval(pg_get_serial_sequence('workspaces', 'workspace_id'), 10)")
        assert await workspaces.create(conn, name="x", sandbox=False, clock_now=None, delivery_key=b"", now=NOW) > 2
