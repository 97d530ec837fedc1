"""Waits whose instant a fact brings nearer: the clock ends them when it should, not when it should have before (ACT-09)."""

from __future__ import annotations

from typing import Any

import pytest

from domain.operations import Identifier, Identify, TrackEvent
from tests.support.database import START, Room
from tests.support.driver import Driver
from tests.support.live import campaign, on_event
from tests.support.moments import delay

NOW = int(START.timestamp())
DAY = 86_400
SOON = {"attribute": {"field": "renews", "operator": "before", "value": {"from_now": "P7D"}}}
OFTEN = {"performed": {"event": "error", "times": {"at_least": 3}, "within": "P2D"}}
CALM = {"performed": {"event": "error", "times": {"at_most": 1}, "within": "P2D"}}


def who() -> Identifier:
    return Identifier(kind="id", value="ann")


def renews(days: int) -> Identify:
    return Identify(subject=who(), attributes={"renews": NOW + days * DAY})


def error() -> TrackEvent:
    return TrackEvent(subject=who(), name="error")


@pytest.mark.parametrize(
    ("condition", "before", "meanwhile", "after"),
    [
        pytest.param(SOON, [], [renews(9)], 2 * DAY + 1, id="none before"),
        pytest.param(SOON, [renews(30)], [renews(9)], 2 * DAY + 1, id="nearer"),
        pytest.param(SOON, [renews(9)], [renews(12)], 5 * DAY + 1, id="later"),
        pytest.param(OFTEN, [], [error()], None, id="never by the clock"),
        pytest.param({"and": [SOON, CALM]}, [error(), error()], [renews(8)], 2 * DAY, id="both"),
    ],
)
async def test_a_fact_moves_the_instant_of_a_wait(
    room: Room, condition: dict[str, Any], before: list[Any], meanwhile: list[Any], after: int | None
):
    paths = [{"key": "met", "conditions": condition, "next": "rest"}]
    blocks = {"hold": {"type": "wait_until", "paths": paths}, "rest": delay("P90D")}
    await room.define(campaign("c", on_event("go"), "hold", blocks))
    await room.run_campaign("c")
    driver = Driver(room)
    async with driver.running():
        await room.apply(*before, TrackEvent(subject=who(), name="go"))
        await driver.settle()
        await room.apply(*meanwhile)
        await driver.settle()
        await driver.advance(by="P8D")
    [journey] = await room.journeys()
    left = (journey["arrived_at"] - START).total_seconds() if journey["block"] == "rest" else None
    assert left == after
