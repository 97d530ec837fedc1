"""What the clock asks for: rows are kept only as long as it has something to ask (PPL-41)."""

from __future__ import annotations

from domain.operations import Identifier, Identify
from tests.support.building import Building
from tests.support.database import START, Room

HOUR = 3_600
NOW = int(START.timestamp())
BOTH = {
    "kind": "segment",
    "key": "both",
    "name": "Both",
    "conditions": [
        {"attribute": {"field": "renews", "operator": "before", "value": {"from_now": "PT1H"}}},
        {"attribute": {"field": "joined", "operator": "after", "value": {"ago": "PT2H"}}},
    ],
}


async def test_a_flip_that_changes_nothing_leaves_nothing_behind(room: Room):
    await room.define(BOTH)
    attributes = {"renews": NOW + 5 * HOUR, "joined": NOW}
    await room.apply(Identify(subject=Identifier(kind="id", value="1"), attributes=attributes))
    [row] = await Building(room).kept()
    # Renewal comes near after four hours; by then whoever joined now has been here for too long.
    assert (row["member"], row["flips_at"].timestamp()) == (False, NOW + 4 * HOUR + 1)
    await room.move(hours=5)
    await Building(room).catch_up()
    assert await Building(room).kept() == []
