"""Tasks: one runner at a time each, pages that roll back with whoever is killed, turns, barriers, supersession."""

from __future__ import annotations

import asyncio

import pytest

from clock import system_now
from domain.errors import DomainError, NotFound
from domain.operations import Identifier, Identify
from services import tasks as service
from services.task_runner import TaskRunner
from store import tasks
from store.database import Database
from store.notify import Notifier
from tests.support.database import START, Room

PRO = {
    "kind": "campaign",
    "key": "pro",
    "name": "Pro",
    "trigger": {"type": "segment", "conditions": {"attribute": {"field": "plan", "value": "pro"}}},
    "workflow": {"start": "hold", "blocks": {"hold": {"type": "time_delay", "duration": "P1D"}}},
}


@pytest.fixture(autouse=True)
async def _no_other_tasks(database: Database):
    async with database.transaction() as conn:
        await conn.execute("UPDATE tasks SET state = 'cancelled' WHERE state IN ('queued', 'running')")


def runner(room: Room) -> TaskRunner:
    return TaskRunner(room.db, room.catalogs, Notifier(room.db.pool), system_now)


async def drain(room: Room) -> None:
    own = runner(room)
    async with asyncio.timeout(20):
        while await own.run_once():
            pass


async def create(room: Room, kind: str = "trigger_build", **payload) -> str:
    async with room.db.transaction() as conn:
        return await service.create(conn, room.workspace_id, kind, payload, now=START)


async def with_people(room: Room, count: int) -> None:
    await room.apply(
        *(
            Identify(subject=Identifier(kind="id", value=str(n)), attributes={"plan": "pro" if n % 2 else "basic"})
            for n in range(count)
        )
    )


async def campaign(room: Room) -> int:
    await room.define(PRO)
    (row,) = await room.rows("SELECT definition_id FROM definitions WHERE workspace_id = $1 AND kind = 'campaign'")
    await room.run_campaign("pro", "starting")
    await room.rows("DELETE FROM memberships WHERE workspace_id = $1 RETURNING 1")
    return row["definition_id"]


async def matching(room: Room) -> list[str]:
    rows = await room.rows(
        """SELECT p.id FROM memberships m JOIN people p USING (workspace_id, person_id)
           WHERE m.workspace_id = $1 AND m.kind = 'trigger' AND m.member ORDER BY p.id"""
    )
    return [row["id"] for row in rows]


async def state(room: Room, task_id: str) -> dict:
    return await service.get(room.db, room.workspace_id, task_id)


async def test_a_build_goes_page_by_page_and_the_campaign_runs(room: Room, monkeypatch):
    monkeypatch.setattr("ingest.builds.SPAN", 4)
    await with_people(room, 10)
    campaign_id = await campaign(room)
    task_id = await create(room, campaign_id=campaign_id)
    assert await state(room, task_id) == {
        "id": task_id,
        "type": "trigger_build",
        "priority": "medium",
        "state": "queued",
        "progress": {"done": 0, "total": None},
        "about": {"kind": "campaign", "id": campaign_id},
        "error": None,
        "created_at": 1767261600,
        "started_at": None,
        "ended_at": None,
    }
    own = runner(room)
    assert await own.run_once()
    assert await own.run_once()
    found = await state(room, task_id)
    assert (found["state"], found["progress"]) == ("running", {"done": 4, "total": 10})
    assert len(await matching(room)) == 2
    await drain(room)
    found = await state(room, task_id)
    assert (found["state"], found["progress"]) == ("succeeded", {"done": 10, "total": 10})
    assert await matching(room) == ["1", "3", "5", "7", "9"]
    rows = await room.rows("SELECT state FROM definitions WHERE workspace_id = $1")
    assert rows == [{"state": "running"}]
    assert await room.rows("SELECT 1 FROM outbox WHERE workspace_id = $1") == []


async def test_a_page_of_a_killed_run_is_taken_again_by_another(room: Room, monkeypatch):
    monkeypatch.setattr("ingest.builds.SPAN", 4)
    await with_people(room, 6)
    task_id = await create(room, campaign_id=await campaign(room))
    own = runner(room)
    await own.run_once()
    async with room.db.connection() as killed:
        transaction = killed.transaction()
        await transaction.start()
        task = await tasks.claim(killed, (0, ""))
        assert task is not None
        assert task.task_id == task_id
        await own._work(killed, task)
        assert not await own.run_once(), "somebody else holds the task"
        await transaction.rollback()
    assert await matching(room) == []
    assert (await state(room, task_id))["progress"]["done"] == 0
    await drain(room)
    assert await matching(room) == ["1", "3", "5"]
    assert (await state(room, task_id))["progress"] == {"done": 6, "total": 6}


async def test_a_build_waits_for_transactions_that_may_go_by_older_definitions(room: Room):
    number = await campaign(room)
    async with room.db.transaction() as older:
        await older.execute("SELECT pg_current_xact_id()")
        task_id = await create(room, campaign_id=number)
        own = runner(room)
        for _ in range(3):
            assert await own.run_once()
        assert (await state(room, task_id))["state"] == "queued"
    await drain(room)
    assert (await state(room, task_id))["state"] == "succeeded"


async def test_a_later_revision_takes_over(room: Room):
    number = await campaign(room)
    older, other = await create(room, campaign_id=number), await create(room, campaign_id=number + 1)
    newer = await create(room, campaign_id=number)
    await drain(room)
    assert [(await state(room, t))["state"] for t in (older, other, newer)] == ["cancelled", "cancelled", "succeeded"]


async def test_tasks_take_turns_and_urgent_ones_come_first(room: Room, monkeypatch):
    monkeypatch.setattr("ingest.builds.SPAN", 1)
    await with_people(room, 2)
    number = await campaign(room)
    other = await Room.make(room.db)
    await with_people(other, 2)
    ids = [
        (room, await create(room, campaign_id=number)),
        (other, await create(other, campaign_id=await campaign(other))),
    ]
    own = runner(room)
    for _ in range(4):
        await own.run_once()
    assert [(await state(*place))["progress"]["done"] for place in ids] == [1, 1]
    async with room.db.transaction() as conn:
        payload = {"campaign_id": 1, "reason": "stopped"}
        urgent = await service.create(conn, room.workspace_id, "end_journeys", payload, now=START, priority="high")
    await own.run_once()
    await own.run_once()
    assert (await state(room, urgent))["state"] == "succeeded"
    await drain(room)


async def test_a_task_that_fails_says_so_and_the_others_go_on(room: Room):
    number = await campaign(room)
    broken, sound = await create(room, kind="trigger_build"), await create(room, campaign_id=number)
    await drain(room)
    found = await state(room, broken)
    assert found["state"] == "failed"
    assert found["error"].startswith("A page failed")
    assert (await state(room, sound))["state"] == "succeeded"


async def test_tasks_are_listed_newest_first(room: Room):
    ids = [await create(room, campaign_id=n) for n in range(3)]
    page = await service.list_page(room.db, room.workspace_id, limit=2)
    assert ([task["id"] for task in page["tasks"]], page["next"]) == ([ids[2], ids[1]], ids[1])
    page = await service.list_page(room.db, room.workspace_id, limit=2, start=page["next"])
    assert ([task["id"] for task in page["tasks"]], page["next"]) == ([ids[0]], "")
    assert (await service.list_page(room.db, room.workspace_id, state="failed"))["tasks"] == []
    with pytest.raises(DomainError, match="state"):
        await service.list_page(room.db, room.workspace_id, state="busy")
    with pytest.raises(NotFound):
        await service.get(room.db, room.workspace_id, "task_9")
