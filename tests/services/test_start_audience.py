"""Whom a start and a restart take in: those who come to match, or those who match already as well (CMP-21)."""

from __future__ import annotations

from typing import Any

import pytest

from clock import system_now
from domain.operations import Identifier, Identify
from services import campaigns, definitions, task_pages
from tests.support.database import Room
from tests.support.driver import Driver

CURRENT = {"audience": "current_and_future"}


def campaign(frequency: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {
        "kind": "campaign",
        "key": "c",
        "name": "C",
        "trigger": {"type": "segment", "conditions": {"attribute": {"field": "plan", "value": "pro"}}},
        "frequency": frequency,
        "exit": "never",
        "workflow": {"start": "wait", "blocks": {"wait": {"type": "time_delay", "duration": "PT1H"}}},
        **fields,
    }


ONCE, EVERY = {"mode": "once"}, {"mode": "every"}


def plan(person: str, value: str) -> Identify:
    return Identify(subject=Identifier(kind="id", value=person), attributes={"plan": value})


async def verb(room: Room, which: Any, body: Any = None) -> dict[str, Any]:
    answer: dict[str, Any] = await which(room.db, room.workspace_id, "c", body, system_now())
    return answer


async def begun(room: Room) -> dict[str, int]:
    """How many journeys each person has had."""
    rows = await room.rows(
        """SELECT p.id, count(j.journey_id) AS journeys FROM people p
           LEFT JOIN journeys j USING (workspace_id, person_id) WHERE workspace_id = $1 GROUP BY p.id"""
    )
    return {row["id"]: row["journeys"] for row in rows}


async def test_current_people_enter_and_it_is_recorded(room: Room):
    await room.define(campaign(ONCE))
    await room.apply(plan("in", "pro"), plan("out", "basic"))
    driver = Driver(room)
    async with driver.running():
        status = await verb(room, campaigns.start, CURRENT)
        assert status["state"] == "starting"
        await driver.settle()
        await room.accept(plan("out", "pro"))
        await driver.settle()
    assert await begun(room) == {"in": 1, "out": 1}
    (row,) = await room.rows("SELECT state, audience FROM definitions WHERE workspace_id = $1")
    assert row == {"state": "running", "audience": "current_and_future"}
    (task,) = await room.rows("SELECT state, done, total FROM tasks WHERE workspace_id = $1 AND type = 'trigger_build'")
    assert task == {"state": "succeeded", "done": 2, "total": 2}


async def test_the_document_says_whom_where_the_call_does_not(room: Room):
    await room.define(campaign(ONCE, start_audience="current_and_future"))
    await room.apply(plan("in", "pro"))
    driver = Driver(room)
    async with driver.running():
        await verb(room, campaigns.start)
        await driver.settle()
        assert await begun(room) == {"in": 1}
    await room.define(campaign(ONCE))


async def test_the_call_counts_more_than_the_document(room: Room):
    await room.define(campaign(ONCE, start_audience="current_and_future"))
    await room.apply(plan("in", "pro"))
    driver = Driver(room)
    async with driver.running():
        await verb(room, campaigns.start, {"audience": "future"})
        await driver.settle()
    assert await begun(room) == {"in": 0}


async def test_the_crowd_waits_behind_what_is_live(room: Room):
    await room.define(campaign(ONCE))
    await room.apply(*(plan(str(n), "pro") for n in range(3)))
    await verb(room, campaigns.start, CURRENT)
    driver = Driver(room)
    while not await room.rows("SELECT 1 FROM outbox WHERE workspace_id = $1"):
        await driver.tasks.run_once()
    lanes = await room.rows("SELECT kind, lane FROM outbox WHERE workspace_id = $1")
    assert lanes == [{"kind": "start", "lane": "bulk"}] * 3
    async with driver.running():
        await driver.settle()


@pytest.mark.parametrize(
    ("frequency", "audience", "later", "journeys"),
    [
        (ONCE, "current_and_future", "PT0S", 1),
        (EVERY, "current_and_future", "PT0S", 2),
        (EVERY, "future", "PT0S", 1),
        ({"mode": "every", "min_wait": "P1D"}, "current_and_future", "PT2H", 1),
        ({"mode": "every", "min_wait": "P1D"}, "current_and_future", "P1D", 2),
    ],
)
async def test_a_restart_takes_people_in_as_their_frequency_allows(
    room: Room, frequency: dict[str, Any], audience: str, later: str, journeys: int
):
    await room.define(campaign(frequency))
    await room.apply(plan("in", "pro"))
    driver = Driver(room)
    async with driver.running():
        await verb(room, campaigns.start, CURRENT)
        await driver.settle()
        await verb(room, campaigns.stop, {"journeys": "exit"})
        await driver.settle()
        if later != "PT0S":
            await driver.advance(by=later)
        await verb(room, campaigns.restart, {"audience": audience})
        await driver.settle()
        assert await begun(room) == {"in": journeys}
        await room.accept(plan("in", "pro"))
        await driver.settle()
    assert await begun(room) == {"in": journeys}


async def test_a_restart_for_the_future_waits_until_they_match_anew(room: Room):
    await room.define(campaign(EVERY))
    await room.apply(plan("in", "pro"))
    driver = Driver(room)
    async with driver.running():
        await verb(room, campaigns.start, CURRENT)
        await driver.settle()
        await verb(room, campaigns.stop, {"journeys": "exit"})
        await room.accept(plan("in", "basic"), plan("in", "pro"))
        await driver.settle()
        await verb(room, campaigns.restart)
        await driver.settle()
        assert await begun(room) == {"in": 1}
        await room.accept(plan("in", "basic"), plan("in", "pro"))
        await driver.settle()
    assert await begun(room) == {"in": 2}


async def test_whoever_is_touched_while_it_starts_enters_once(room: Room):
    await room.define(campaign(EVERY))
    await room.apply(*(plan(str(n), "pro") for n in range(4)))
    await verb(room, campaigns.start, CURRENT)
    # The facts are applied before the build comes to anybody.
    city = Identify(subject=Identifier(kind="id", value="2"), attributes={"city": "Rome", "plan": "pro"})
    await room.apply(city, plan("3", "basic"), plan("3", "pro"))
    driver = Driver(room)
    async with driver.running():
        await driver.settle()
    assert await begun(room) == {"0": 1, "1": 1, "2": 1, "3": 1}


async def test_a_stop_cancels_what_lets_people_in(room: Room):
    await room.define(campaign(ONCE))
    await room.apply(plan("in", "pro"))
    await verb(room, campaigns.start, CURRENT)
    await verb(room, campaigns.stop, {"journeys": "exit"})
    driver = Driver(room)
    async with driver.running():
        await driver.settle()
    assert await begun(room) == {"in": 0}
    (task,) = await room.rows("SELECT state FROM tasks WHERE workspace_id = $1 AND type = 'trigger_build'")
    assert task == {"state": "cancelled"}


async def test_an_edit_while_it_starts_lets_in_by_the_new_conditions_once(room: Room, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(task_pages, "FORGET_PAGE", 1)
    await room.define(campaign(EVERY))
    await room.apply(plan("a", "pro"), plan("b", "free"))
    driver = Driver(room)
    async with driver.running():
        await verb(room, campaigns.start, CURRENT)
        await driver.settle()
        await verb(room, campaigns.stop, {"journeys": "exit"})
        await driver.settle()
    await verb(room, campaigns.restart, CURRENT)
    both = {"attribute": {"field": "plan", "operator": "in", "value": ["pro", "free"]}}
    changed = campaign(EVERY) | {"trigger": {"type": "segment", "conditions": both}}
    await definitions.put_one(room.db, room.workspace_id, "campaign", "c", changed, now=system_now())
    driver = Driver(room)
    async with driver.running():
        await driver.settle()
    assert await begun(room) == {"a": 2, "b": 1}


async def test_a_restart_in_an_interval_takes_people_in_when_it_is_over(room: Room):
    await room.define(campaign({"mode": "interval", "interval": "P1D"}))
    await room.apply(plan("in", "pro"))
    driver = Driver(room)
    async with driver.running():
        await verb(room, campaigns.start, CURRENT)
        await driver.settle()
        await verb(room, campaigns.stop, {"journeys": "exit"})
        await driver.advance(by="PT2H")
        await verb(room, campaigns.restart, CURRENT)
        await driver.settle()
        assert await begun(room) == {"in": 1}
        await driver.advance(by="PT22H")
    assert await begun(room) == {"in": 2}
