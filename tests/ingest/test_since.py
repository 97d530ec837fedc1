"""Since when somebody is in a segment: from the last time they came, whatever else is written of it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from domain.operations import Identifier, Identify, TrackEvent
from tests.support.database import START, Room

WHO = Identifier(kind="id", value="1")
ACTIVE = {
    "kind": "segment",
    "key": "active",
    "name": "Active",
    "conditions": {"or": [{"attribute": {"field": "x"}}, {"performed": {"event": "a", "within": "P7D"}}]},
}


async def kept(room: Room) -> tuple[bool, datetime, datetime | None]:
    [row] = await room.rows("SELECT member, since, flips_at FROM memberships WHERE workspace_id = $1")
    return row["member"], row["since"], row["flips_at"]


def did() -> TrackEvent:
    return TrackEvent(subject=WHO, name="a")


def says(**attributes: Any) -> Identify:
    return Identify(subject=WHO, attributes=attributes)


async def test_a_later_end_leaves_the_beginning(room: Room) -> None:
    await room.define(ACTIVE)
    await room.apply(did())
    await room.move(days=2)
    await room.apply(did())
    assert await kept(room) == (True, START, START + timedelta(days=9))


async def test_no_end_any_more_leaves_the_beginning(room: Room) -> None:
    await room.define(ACTIVE)
    await room.apply(did())
    await room.move(days=2)
    await room.apply(says(x=1))
    assert await kept(room) == (True, START, None)


async def test_who_leaves_and_comes_back_within_a_batch_has_come_now(room: Room) -> None:
    await room.define(ACTIVE)
    await room.apply(says(x=1))
    await room.move(days=2)
    await room.apply(says(x=""), says(x=1))
    assert await kept(room) == (True, START + timedelta(days=2), None)


async def test_who_comes_and_goes_on_within_a_batch_has_come_once(room: Room) -> None:
    await room.define(ACTIVE)
    await room.apply(says(x=1), says(x=""))
    assert await room.rows("SELECT member FROM memberships WHERE workspace_id = $1") == []
    await room.move(days=2)
    await room.apply(did(), says(x=1), says(x=""))
    assert await kept(room) == (True, START + timedelta(days=2), START + timedelta(days=9))
