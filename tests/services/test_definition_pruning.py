"""Pruning campaigns that somebody is still in: they leave as at a deletion, and nothing is sent to them any more."""

from __future__ import annotations

from typing import Any

import pytest

from clock import system_now
from domain.operations import Identifier, Identify, TrackEvent
from services import definitions
from tests.support.database import Room
from tests.support.tasks import Tasks
from tests.support.walking import Walk

BLOCKS = {
    "wait": {"type": "time_delay", "duration": "P1D", "next": "mail"},
    "mail": {"type": "email", "sending_state": "automatic", "message": {"subject": "Hi", "body": "Hi"}},
}
CAMPAIGN = {
    "kind": "campaign",
    "key": "c",
    "name": "C",
    "trigger": {"type": "event", "event": "go"},
    "workflow": {"start": "wait", "blocks": BLOCKS},
}
SENDER = {"kind": "sender", "key": "us", "name": "Us", "email": "us@example.com"}
GONE = ("exited_early", "archived", "The campaign was deleted.")


async def apply(room: Room, *documents: dict[str, Any]) -> list[dict[str, Any]]:
    body = {"source": "repository", "prune": True, "definitions": list(documents)}
    answer = await definitions.apply(room.db, room.workspace_id, body, now=system_now())
    changes: list[dict[str, Any]] = answer["changes"]
    return changes


async def inside(room: Room, state: str, people: int = 3) -> Walk:
    """So many people wait in the campaign, which is in a state in which nobody begins it."""
    await apply(room, SENDER, CAMPAIGN)
    await room.run_campaign("c")
    for number in range(people):
        who = Identifier(kind="id", value=str(number))
        await room.apply(Identify(subject=who, attributes={"email": f"{number}@example.com"}))
        await room.apply(TrackEvent(subject=who, name="go"))
    walk = Walk(room)
    await walk.go()
    await room.run_campaign("c", state)
    return walk


async def ends(room: Room) -> list[tuple[Any, ...]]:
    return [(row["state"], row["reason"], row["explanation"]) for row in await room.journeys()]


@pytest.mark.parametrize("state", ["stopped", "draft", "archived"])
async def test_who_is_inside_leaves_by_the_task(room: Room, state: str):
    await inside(room, state)
    changes = await apply(room, SENDER)
    assert [(change["action"], change["key"]) for change in changes] == [("unchanged", "us"), ("delete", "c")]
    await Tasks(room.db, room.catalogs).drain()
    assert await ends(room) == [GONE] * 3


async def test_who_goes_on_before_the_task_comes_finds_the_campaign_gone(room: Room):
    walk = await inside(room, "stopped", people=1)
    await apply(room, SENDER)
    (journey,) = await room.journeys()
    assert journey["state"] == "in_progress"
    await room.move(days=2)
    assert (await walk.one(journey["journey_id"])).kind == "ended"
    assert await ends(room) == [GONE]
    async with room.db.connection() as conn:
        assert await conn.fetchval("SELECT count(*) FROM mailbox WHERE workspace_id = $1", room.workspace_id) == 0
    await Tasks(room.db, room.catalogs).drain()
    assert await ends(room) == [GONE]


async def test_the_members_of_what_went_are_forgotten(room: Room):
    segment = {
        "kind": "segment",
        "key": "s",
        "name": "S",
        "conditions": {"attribute": {"field": "plan", "operator": "exists"}},
    }
    await apply(room, segment)
    tasks = Tasks(room.db, room.catalogs)
    await tasks.drain()
    await room.apply(Identify(subject=Identifier(kind="id", value="1"), attributes={"plan": "pro"}))
    assert await room.members("s") == ["1"]
    await apply(room, SENDER)
    await tasks.drain()
    assert await room.rows("SELECT 1 FROM memberships WHERE workspace_id = $1") == []
