"""How old what people did may be, and what they did before they were known (CMP-11, CMP-12)."""

from __future__ import annotations

from typing import Any

import pytest

from domain.operations import AnonymousEvent, BindAnonymous, Identifier
from tests.support.database import Room
from tests.support.entering import Entering, campaign

HOUR = 3_600
CART: dict[str, Any] = {"type": "event", "event": "cart"}
SHOPPERS: dict[str, Any] = {
    "kind": "segment",
    "key": "shoppers",
    "name": "Shoppers",
    "conditions": {"performed": {"event": "cart"}},
}
WAIT: dict[str, Any] = {
    "start": "wait",
    "blocks": {"wait": {"type": "wait_until", "paths": [{"key": "never", "max_time": "P30D"}]}},
}
"""A workflow that opens with a wait, which is no leading delay."""
ANN = Identifier(kind="id", value="ann")


@pytest.fixture
async def entering(room: Room) -> Entering:
    entering = Entering(room)
    await entering.begin("2026-03-01T00:00")
    await entering.start(SHOPPERS, {**campaign(CART), "workflow": WAIT})
    await entering.begin("2026-03-10T12:00")
    return entering


async def visit(entering: Entering, hours_ago: float = 0, anonymous_id: str = "a1") -> None:
    timestamp = int(entering.room.now.timestamp() - hours_ago * HOUR)
    event = AnonymousEvent(anonymous_id=anonymous_id, name="cart", data={"h": hours_ago}, timestamp=timestamp)
    await entering.room.apply(event)


async def bind(entering: Entering, anonymous_id: str = "a1") -> None:
    await entering.identify()
    await entering.room.apply(BindAnonymous(subject=ANN, anonymous_id=anonymous_id))


@pytest.mark.parametrize(("hours", "journeys"), [(80, 0), (72, 0), (70, 1)])
async def test_cmp_case_13_an_anonymous_event_of_hours_ago(entering: Entering, hours: int, journeys: int):
    await visit(entering, hours)
    assert await entering.began() == []
    await bind(entering)
    assert await entering.room.members("shoppers") == ["ann"]
    assert len(await entering.began()) == journeys


@pytest.mark.parametrize(("minutes", "attached"), [(4, True), (5, True), (6, False)])
async def test_cmp_case_13_the_five_minutes_after(entering: Entering, minutes: int, *, attached: bool):
    await bind(entering)
    await entering.room.move(minutes=minutes)
    await visit(entering)
    assert len(await entering.began()) == int(attached)
    assert await entering.room.members("shoppers") == (["ann"] if attached else [])


async def test_cmp_case_13_after_thirty_one_days_there_is_nothing(entering: Entering):
    await visit(entering)
    await entering.room.move(days=31)
    await bind(entering)
    assert (await entering.began(), await entering.room.members("shoppers")) == ([], [])


async def test_an_attached_event_of_before_the_start_begins_nothing(room: Room):
    entering = Entering(room)
    await entering.begin("2026-03-10T12:00")
    await entering.room.define(campaign(CART))
    await visit(entering)
    await entering.room.move(hours=1)
    await entering.start(campaign(CART))
    await bind(entering)
    assert await entering.began() == []
    assert await entering.refused() == ["before_start"]


@pytest.mark.parametrize(
    ("first", "hours", "journeys"), [("P4D", 95, 1), ("P4D", 96, 0), ("PT1H", 71, 1), ("PT1H", 72, 0)]
)
async def test_a_leading_delay_raises_the_limit(entering: Entering, first: str, hours: int, journeys: int):
    delay = {"start": "hold", "blocks": {"hold": {"type": "time_delay", "duration": first}}}
    await entering.edit({**campaign(CART), "workflow": delay})
    await entering.identify()
    await entering.track("cart", timestamp=int(entering.room.now.timestamp()) - hours * HOUR)
    assert len(await entering.began()) == journeys
    assert await entering.refused() == ([] if journeys else ["too_old"])


async def test_a_form_submission_is_an_event_with_the_same_limits(room: Room):
    entering = Entering(room)
    await entering.begin("2026-03-10T12:00")
    form = {
        "kind": "form",
        "key": "demo",
        "form_id": "demo-form",
        "name": "Demo",
        "fields": {"email": {"identifier": "email"}},
    }
    trigger = {"type": "form", "forms": ["demo-form"], "where": {"field": "page", "value": "/enterprise"}}
    await entering.start(form, SHOPPERS, campaign(trigger, filters={"segment": "shoppers"}))
    await entering.identify()
    for page in ("/", "/enterprise"):
        await entering.track("form_submit", {"form_id": "demo-form", "page": page})
    assert (await entering.began(), await entering.waiting()) == ([], 1)
    assert await entering.refused() == ["filters"], "what only compares with fixed values is not written down"
    await entering.track("form_submit", {"form_id": "another", "page": "/enterprise"})
    await entering.track("cart")
    [journey] = await room.journeys()
    assert journey["trigger"]["event"]["data"] == {"form_id": "demo-form", "page": "/enterprise"}
