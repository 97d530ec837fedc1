"""Dates that wait for a journey to end, where something else happens meanwhile (CMP-05)."""

from __future__ import annotations

from typing import Any

import pytest

from clock import system_now
from domain.operations import DeletePerson, Identifier, Identify, MergePeople
from services import campaigns
from tests.support.database import Room
from tests.support.entering import Entering, campaign


@pytest.fixture
async def entering(room: Room) -> Entering:
    entering = Entering(room)
    await entering.begin("2026-10-01T00:00")
    await entering.start(campaign(on_date("monthly")))
    await entering.identify(day="2020-01-05")
    await entering.to("2026-10-05T09:00")
    await entering.identify(day="2020-01-10")
    await entering.to("2026-10-10T12:00")
    assert (await entering.began(), await entering.waiting()) == (["10-05T09:00"], 1)
    return entering


def on_date(recurrence: str) -> dict[str, Any]:
    return {"type": "date", "field": "day", "recurrence": recurrence, "at": "09:00", "timezone": "UTC"}


async def test_a_date_that_has_come_begins_after_the_journey_though_the_attribute_is_gone(entering: Entering):
    await entering.identify(day="")
    await entering.end()
    assert (await entering.began(), await entering.waiting()) == (["10-05T09:00", "10-10T12:00"], 0)
    left = await entering.room.rows("SELECT 1 FROM memberships WHERE workspace_id = $1")
    assert left == [], "and nothing is left to be asked for"


async def test_a_date_that_comes_as_the_journey_ends_is_not_lost(entering: Entering):
    await entering.identify(day="2020-01-12")
    await entering.room.move(days=1, hours=21, seconds=5)
    await entering.end()
    assert await entering.began() == ["10-05T09:00", "10-12T09:00"], "what had waited begins"
    assert await entering.waiting() == 1, "and what has come waits for it"


@pytest.mark.parametrize("merged", [False, True])
async def test_nothing_is_left_of_somebody_who_is_gone(entering: Entering, *, merged: bool):
    await entering.identify(day="")
    ann, bob = (Identifier(kind="id", value=name) for name in ("ann", "bob"))
    await entering.room.apply(Identify(subject=bob, attributes={}))
    await entering.room.apply(MergePeople(primary=bob, secondary=ann) if merged else DeletePerson(subject=ann))
    await entering.fire()
    assert await entering.waiting() == 0
    assert await entering.room.rows("SELECT 1 FROM memberships WHERE workspace_id = $1") == []
    await entering.to("2026-12-01T00:00")
    assert len(await entering.began()) == 1


async def test_stopping_leaves_nothing_to_be_asked_for(entering: Entering):
    await campaigns.stop(entering.room.db, entering.room.workspace_id, "c", {"journeys": "exit"}, system_now())
    await entering.built()
    await entering.fire()
    assert await entering.waiting() == 0
    assert len(await entering.began()) == 1
