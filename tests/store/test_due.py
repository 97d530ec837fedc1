"""What the clock asks for: the next instant, flips taken once, due rows held by one process at a time."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

from clock import system_now
from services import due
from services.due import DueRunner
from store import due as store
from store.due import DueKey
from store.notify import Notifier
from tests.store.rows import DUE, FLIP, JOURNEY, execute
from tests.support.database import START, Room

LATER = START + timedelta(hours=1)


async def next_instant(room: Room, after: datetime = START) -> store.Instant | None:
    async with room.db.connection() as conn:
        return await store.next_instant(conn, room.workspace_id, after)


async def test_the_next_instant_is_the_earliest_of_all_kinds(room: Room):
    assert await next_instant(room) is None
    await execute(room, DUE, LATER)
    assert await next_instant(room) == (LATER, "delivery", None, None)
    await execute(room, FLIP, START, LATER - timedelta(minutes=1))
    assert await next_instant(room) == (LATER - timedelta(minutes=1), "flip", None, None)
    await execute(room, JOURNEY, "in_progress", LATER - timedelta(minutes=2), START, 1, 1)
    assert await next_instant(room) == (LATER - timedelta(minutes=2), "journey", 1, "b")
    assert await next_instant(room, LATER) is None
    await execute(room, "DELETE FROM due WHERE workspace_id = $1")


async def test_flips_become_one_log_row_a_person_and_are_asked_for_once(room: Room):
    for person, ref, at in ((1, 1, START), (1, 2, START), (2, 1, START), (3, 1, LATER)):
        await execute(
            room,
            """INSERT INTO memberships (workspace_id, person_id, kind, ref_id, member, since, flips_at)
               VALUES ($1, $2, 'segment', $3, true, $4, $5)""",
            person,
            ref,
            START,
            at,
        )
    for expected in (3, 0):
        async with room.db.transaction() as conn:
            fired = await due.fire(conn, await room.catalogs.get(conn, room.workspace_id), system_now())
        assert fired.counts["segment_flip"] == expected
    log = await room.rows("SELECT op, received_at, body FROM ingest_log WHERE workspace_id = $1 ORDER BY seq")
    assert [row["op"] for row in log] == ["reevaluate", "reevaluate"]
    assert b'"refs":[["segment",1],["segment",2]]' in log[0]["body"]
    assert {row["received_at"] for row in log} == {START}
    left = await room.rows("SELECT person_id FROM memberships WHERE workspace_id = $1 AND flips_at IS NOT NULL")
    assert [row["person_id"] for row in left] == [3]
    await room.apply()


async def test_flips_of_a_real_workspace_wait_for_those_before_them(room: Room):
    await execute(room, "UPDATE workspaces SET sandbox = false, clock_now = NULL WHERE workspace_id = $1")
    many = """INSERT INTO memberships (workspace_id, person_id, kind, ref_id, member, since, flips_at)
              SELECT $1, n, 'segment', 1, true, $2, $2 FROM generate_series(1, $3) AS n"""
    await execute(room, many, START, 2 * due.FLIPS_AHEAD)
    waiting = "SELECT count(*) AS facts FROM ingest_log WHERE workspace_id = $1 AND applied_at IS NULL"
    for expected in (due.FLIPS_AHEAD, due.FLIPS_AHEAD + due.LEAST_FLIPS):
        async with room.db.transaction() as conn:
            catalog = await room.catalogs.get(conn, room.workspace_id)
            fired = await due.fire(conn, catalog, system_now(), await due.most_flips(conn, catalog))
        assert fired.more
        assert await room.rows(waiting) == [{"facts": expected}]
    await room.apply()
    runner = DueRunner(room.db, room.catalogs, Notifier(room.db.pool), None, system_now)
    await runner.look_once()
    await runner.drain()
    left = await room.rows("SELECT count(*) AS flips FROM memberships WHERE workspace_id = $1 AND flips_at IS NOT NULL")
    assert left == [{"flips": 0}]
    await room.apply()


async def test_no_more_flips_are_taken_than_asked_for_however_few_the_planner_expects(room: Room):
    many = """INSERT INTO memberships (workspace_id, person_id, kind, ref_id, member, since, flips_at)
              SELECT $1, n, 'segment', 1, true, $2, $2 FROM generate_series($3::int, $4::int) AS n"""
    await execute(room, many, START, 1, 1)
    async with room.db.connection() as conn:
        await conn.execute("VACUUM ANALYZE memberships")
    await execute(room, many, START, 2, 200)
    async with room.db.transaction() as conn:
        flips = await store.take_flips(conn, room.workspace_id, START, 100)
    assert len(flips) == 100


async def test_flips_of_people_held_elsewhere_are_left_for_later(room: Room):
    await execute(room, FLIP, START, START)
    async with room.db.transaction() as holder:
        await holder.execute("SELECT 1 FROM memberships WHERE workspace_id = $1 FOR UPDATE", room.workspace_id)
        async with room.db.transaction() as conn:
            assert await store.take_flips(conn, room.workspace_id, START, 10) == []
    async with room.db.transaction() as conn:
        assert await store.take_flips(conn, room.workspace_id, START, 10) == [(1, [("segment", 1)], [START])]


async def test_journeys_of_a_sandbox_are_woken_once(room: Room):
    await execute(room, JOURNEY, "in_progress", START, START, 1, 1)
    for expected in ({"wait": 1}, {}):
        async with room.db.transaction() as conn:
            fired = await due.fire(conn, await room.catalogs.get(conn, room.workspace_id), system_now())
        assert fired.counts == expected
    assert len(await room.rows("SELECT 1 FROM outbox WHERE workspace_id = $1")) == 1


async def test_journeys_of_a_real_workspace_have_their_own_timers(room: Room):
    await execute(room, "UPDATE workspaces SET sandbox = false, clock_now = NULL WHERE workspace_id = $1")
    await execute(room, JOURNEY, "in_progress", START, START, 1, 1)
    async with room.db.transaction() as conn:
        fired = await due.fire(conn, await room.catalogs.get(conn, room.workspace_id), system_now())
        found = await store.ripe(conn, system_now())
    assert fired.counts == {}
    assert room.workspace_id not in [ripe.workspace_id for ripe in found]


async def test_only_workspaces_with_something_due_are_ripe(room: Room):
    async def mine() -> list[tuple[bool, bool, bool]]:
        async with room.db.connection() as conn:
            found = await store.ripe(conn, system_now())
        return [(r.flips, r.rows, r.journeys) for r in found if r.workspace_id == room.workspace_id]

    await execute(room, DUE, LATER)
    await execute(room, FLIP, START, LATER)
    await execute(room, JOURNEY, "in_progress", LATER, START, 1, 1)
    assert await mine() == []
    await room.move(hours=1)
    assert await mine() == [(True, True, True)]
    await execute(room, "UPDATE journeys SET wanted = 2 WHERE workspace_id = $1")
    await execute(room, "DELETE FROM due WHERE workspace_id = $1")
    assert await mine() == [(True, False, False)]


async def test_a_due_row_is_held_by_one_connection_at_a_time(room: Room):
    key = DueKey(room.workspace_id, "delivery", "D")
    await execute(room, DUE, START)
    async with room.db.connection() as one, room.db.connection() as two:
        assert await store.hold_rows(one, room.workspace_id, START, 10) == [key]
        assert await store.hold_rows(two, room.workspace_id, START, 10) == []
        await store.release_rows(one)
        assert await store.hold_rows(two, room.workspace_id, START, 10, [key]) == []
        assert await store.hold_rows(two, room.workspace_id, START, 10) == [key]
        await store.release_rows(two)
        await execute(room, "UPDATE due SET due_at = $2 WHERE workspace_id = $1", LATER)
        assert await store.hold_rows(one, room.workspace_id, START, 10) == []
        await execute(room, "DELETE FROM due WHERE workspace_id = $1")


class Retries:
    """Tries deliveries again by taking their rows away; `broken` ones raise."""

    def __init__(self, room: Room, broken: frozenset[str] = frozenset()) -> None:
        self.room = room
        self.broken = broken
        self.tried: list[str] = []

    async def retry(self, workspace_id: int, delivery_id: str, clock) -> None:
        if workspace_id != self.room.workspace_id:
            return
        self.tried.append(delivery_id)
        if delivery_id in self.broken:
            raise RuntimeError(delivery_id)
        async with self.room.db.transaction() as conn:
            await conn.execute("DELETE FROM due WHERE workspace_id = $1 AND ref = $2", workspace_id, delivery_id)


async def test_runners_share_due_rows_and_let_broken_ones_rest(room: Room):
    names = [f"D{number:03d}" for number in range(120)]
    for name in names:
        await execute(
            room, "INSERT INTO due (workspace_id, kind, ref, due_at) VALUES ($1, 'delivery', $2, $3)", name, START
        )
    retries = Retries(room, frozenset({"D007"}))
    frozen = system_now()
    runners = [DueRunner(room.db, room.catalogs, Notifier(room.db.pool), retries, lambda: frozen) for _ in range(2)]
    # How many rounds it takes depends on who else has rows due in this database, and on who comes first to a page.
    for _ in range(100):
        await asyncio.gather(*(runner.look_once() for runner in runners))
        await asyncio.gather(*(runner.drain() for runner in runners))
        left = await room.rows("SELECT ref FROM due WHERE workspace_id = $1")
        if left == [{"ref": "D007"}]:
            break
    assert left == [{"ref": "D007"}]
    assert sorted(set(retries.tried)) == names
    assert all(retries.tried.count(name) == 1 for name in names if name != "D007")
    assert 1 <= retries.tried.count("D007") <= len(runners)
    await execute(room, "DELETE FROM due WHERE workspace_id = $1")
