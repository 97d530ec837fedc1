"""Builds of segments as tasks: they wait for older transactions, are cancelled, fail, and are asked for again (PPL-41)."""

from __future__ import annotations

from typing import Any

import pytest

from clock import system_now
from domain.errors import DomainError, NotFound
from domain.operations import Identifier, Identify
from domain.task_steps import TaskRef
from services import long_tasks, segment_builds, tasks
from tests.support.building import Building
from tests.support.database import START, Room
from tests.support.tasks import Tasks


def pro(plan: str = "pro") -> dict[str, Any]:
    return {
        "kind": "segment",
        "key": "pro",
        "name": "Pro",
        "conditions": {"attribute": {"field": "plan", "value": plan}},
    }


MANUAL = {"kind": "segment", "key": "vip", "name": "VIP", "type": "manual"}
ON_PRO = {
    "kind": "campaign",
    "key": "hello",
    "name": "Hello",
    "trigger": {"type": "segment", "conditions": {"segment": "pro"}},
    "workflow": {"start": "hold", "blocks": {"hold": {"type": "time_delay", "duration": "P1D"}}},
}


def identify(number: int, **attributes: Any) -> Identify:
    return Identify(subject=Identifier(kind="id", value=str(number)), attributes=attributes)


@pytest.fixture
async def building(room: Room, monkeypatch: pytest.MonkeyPatch) -> Building:
    """Six people, three of them pro, in pages of two."""
    monkeypatch.setattr("ingest.builds.SPAN", 2)
    await room.apply(*(identify(n, plan="pro" if n % 2 else "free") for n in range(6)))
    return Building(room)


async def cancel(room: Room, task_id: str) -> dict[str, Any]:
    return await long_tasks.cancel(room.db, room.workspace_id, task_id, system_now())


async def rebuild(room: Room, ref: str | int = "pro") -> dict[str, Any]:
    return await segment_builds.rebuild(room.db, room.workspace_id, ref, system_now())


async def test_a_build_tells_how_far_it_is(room: Room, building: Building):
    [task_id] = await building.save(pro())
    found = await tasks.get(room.db, room.workspace_id, task_id)
    assert (found["state"], found["started_at"]) == ("queued", None)
    progress = [await building.step(task_id) for _ in range(5)]
    assert [(p.state, p.done, p.total) for p in progress] == [
        ("queued", 0, None),
        ("running", 2, 6),
        ("running", 4, 6),
        ("running", 6, 6),
        ("succeeded", 6, 6),
    ]
    number = (await room.rows("SELECT definition_id FROM definitions WHERE workspace_id = $1"))[0]["definition_id"]
    assert progress[1].details == f"build of segment {number}: 2 of 6 (running)"
    assert await building.state("pro") == "ready"
    assert await room.members("pro") == ["1", "3", "5"]


async def test_a_build_waits_for_transactions_that_may_go_by_older_definitions(room: Room, building: Building):
    async with room.db.transaction() as older:
        await older.execute("SELECT pg_current_xact_id()")
        [task_id] = await building.save(pro())
        assert [(await building.step(task_id)).state for _ in range(3)] == ["queued"] * 3
    assert (await building.finish(task_id)).state == "succeeded"


async def test_a_build_says_what_it_waits_for(
    room: Room, building: Building, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.setattr("services.long_tasks.TURN_SECONDS", 0.1)
    async with room.db.transaction() as older:
        await older.execute("SELECT pg_current_xact_id()")
        process = await older.fetchval("SELECT pg_backend_pid()")
        [task_id] = await building.save(pro())
        ref = TaskRef(workspace_id=room.workspace_id, task_id=task_id)
        progress = await building.tasks.run(ref, lambda: False)
    assert progress.details.endswith(": 0 (queued, waits for transactions that began before it)")
    [said] = caplog.messages
    assert f"process {process} of PostgreSQL" in said
    assert (await building.tasks.run(ref, lambda: False)).state == "succeeded"


async def test_a_cancelled_build_leaves_its_segment_unbuilt_until_it_is_built_again(room: Room, building: Building):
    [task_id] = await building.save(pro())
    for _ in range(2):
        await building.step(task_id)
    answer = await cancel(room, task_id)
    assert (answer["state"], answer["progress"]) == ("cancelled", {"done": 2, "total": 6})
    assert (await building.state("pro"), await room.members("pro")) == ("unbuilt", ["1"])
    assert (await building.step(task_id)).state == "cancelled"
    with pytest.raises(DomainError, match="over already"):
        await cancel(room, task_id)
    again = await rebuild(room)
    assert (again["type"], again["state"]) == ("segment_build", "queued")
    assert await building.state("pro") == "building"
    assert (await building.finish(again["id"])).state == "succeeded"
    assert (await building.state("pro"), await room.members("pro")) == ("ready", ["1", "3", "5"])
    assert await building.counted("pro") == 3
    reasons = await room.rows(
        "SELECT data ->> 'reason' AS reason FROM activities WHERE workspace_id = $1 AND type = 'segment_enter' ORDER BY activity_id"
    )
    assert [row["reason"] for row in reasons] == [
        "built: its conditions were saved",
        *["built: a build was asked for"] * 2,
    ]


async def test_nobody_whom_no_build_reached_enters_by_another_fact(room: Room, building: Building):
    await room.define(pro("none"), ON_PRO)
    await room.run_campaign("hello")
    [task_id] = await building.save(pro())
    await cancel(room, task_id)
    assert await building.state("pro") == "unbuilt"
    await room.apply(identify(1, plan="PRO", x=1), identify(2, plan="pro"), identify(9, plan="pro"))
    assert (await room.members("pro"), len(await room.journeys())) == (["2", "9"], 2)
    await building.finish((await rebuild(room))["id"])
    assert (await room.members("pro"), len(await room.journeys())) == (["1", "2", "3", "5", "9"], 2)


async def test_a_build_that_fails_leaves_its_segment_unbuilt(room: Room, building: Building, monkeypatch):
    [task_id] = await building.save(pro())
    for _ in range(2):
        await building.step(task_id)

    async def broken(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr("ingest.builds.read_facts", broken)
        assert (await building.step(task_id)).state == "failed"
    found = await tasks.get(room.db, room.workspace_id, task_id)
    assert found["error"] == "It failed after 2; the log of the worker says why."
    assert await building.state("pro") == "unbuilt"
    [newer] = await building.save(pro("free"))
    assert (await building.finish(newer)).state == "succeeded"
    assert (await building.state("pro"), await room.members("pro")) == ("ready", ["0", "2", "4"])


async def test_cancelling_a_build_that_a_newer_one_replaced_leaves_the_segment_building(room: Room, building: Building):
    [older] = await building.save(pro())
    [newer] = await building.save(pro("free"))
    await cancel(room, older)
    assert await building.state("pro") == "building"
    await cancel(room, newer)
    assert await building.state("pro") == "unbuilt"


async def test_what_cannot_be_built_again_says_so(room: Room, building: Building):
    await room.define(MANUAL)
    await building.save(pro())
    with pytest.raises(DomainError, match="being built already") as refused:
        await rebuild(room)
    assert refused.value.code == "invalid_state"
    with pytest.raises(DomainError, match="by hand"):
        await rebuild(room, "vip")
    for ref in ("nobody", 999):
        with pytest.raises(NotFound):
            await rebuild(room, ref)


async def test_a_ready_segment_is_built_again_without_anybody_moving(room: Room, building: Building):
    await building.finish(*await building.save(pro()))
    assert (await building.finish((await rebuild(room))["id"])).state == "succeeded"
    assert (await room.members("pro"), await building.counted("pro")) == (["1", "3", "5"], 3)
    lines = await room.rows("SELECT 1 FROM activities WHERE workspace_id = $1 AND type LIKE 'segment%'")
    assert len(lines) == 3


async def test_a_build_of_a_segment_that_is_gone_is_cancelled(room: Room, building: Building):
    [task_id] = await building.save(pro())
    async with room.db.transaction() as conn:
        gone = await tasks.create(conn, room.workspace_id, "segment_build", {"segment_id": 999}, now=START)
        broken = await tasks.create(conn, room.workspace_id, "segment_build", {}, now=START)
    assert (await building.step(gone)).state == "cancelled"
    assert (await building.step(broken)).state == "failed"
    assert (await building.finish(task_id)).state == "succeeded"


async def test_looking_for_who_matches_a_trigger_is_not_cancelled(room: Room):
    async with room.db.transaction() as conn:
        task_id = await tasks.create(conn, room.workspace_id, "trigger_build", {"campaign_id": 1}, now=START)
    with pytest.raises(DomainError, match="stop the campaign instead") as refused:
        await cancel(room, task_id)
    assert refused.value.code == "invalid_state"
    await Tasks(room.db).drain()
    assert (await tasks.get(room.db, room.workspace_id, task_id))["state"] == "cancelled"
