"""Journey metrics of journeys that the engine itself has led (CMP-30, SUB-26)."""

from __future__ import annotations

from typing import Any

from domain.operations import Identifier, Identify, TrackEvent
from services.looking import journey_metrics
from tests.support.database import START, Room
from tests.support.walking import Walk

DRAFT = {"type": "email", "message": {"subject": "Hi", "body": "Hi", "from": "us@example.com"}}
PRO = {"kind": "segment", "key": "pro", "name": "Pro", "conditions": {"attribute": {"field": "plan", "value": "pro"}}}
CAMPAIGN = {
    "kind": "campaign",
    "key": "c",
    "name": "C",
    "trigger": {"type": "event", "event": "go"},
    "filters": {"segment": "pro"},
    "exit": "filters",
}


def person(name: str) -> Identifier:
    return Identifier(kind="id", value=name)


async def metrics(room: Room) -> dict[str, int]:
    told = await journey_metrics.of_campaign(
        room.db,
        room.catalogs,
        room.workspace_id,
        "c",
        start=int(START.timestamp()),
        end=int(START.timestamp()) + 1,
        resolution="hours",
    )
    return {name: value for name, (value,) in told["journey_metric"].items() if value}


async def led(room: Room, blocks: dict[str, Any], *people: str) -> Walk:
    await room.define(PRO, {**CAMPAIGN, "workflow": {"start": next(iter(blocks)), "blocks": blocks}})
    await room.run_campaign("c")
    await room.apply(*(Identify(subject=person(name), attributes={"plan": "pro"}) for name in people))
    await room.apply(*(TrackEvent(subject=person(name), name="go") for name in people))
    walk = Walk(room)
    await walk.go()
    return walk


async def test_whoever_stops_matching_in_a_leading_delay_was_never_activated(room: Room) -> None:
    blocks = {"wait": {"type": "time_delay", "duration": "P1D", "next": "mail"}, "mail": {**DRAFT, "next": "rest"}}
    walk = await led(room, {**blocks, "rest": {"type": "time_delay", "duration": "P1D"}}, "ann", "bo", "cy")
    assert await metrics(room) == {"started": 3}
    await room.apply(Identify(subject=person("bo"), attributes={"plan": "free"}))
    await walk.go()
    assert await metrics(room) == {"started": 3, "never_activated": 1}
    await room.move(days=1)
    async with room.db.transaction() as conn:
        await conn.execute("UPDATE journeys SET wanted = wanted + 1 WHERE workspace_id = $1", room.workspace_id)
    await walk.go()
    assert await metrics(room) == {"started": 3, "never_activated": 1, "activated": 2, "messaged": 2}
    await room.apply(Identify(subject=person("cy"), attributes={"plan": "free"}))
    assert (await metrics(room))["exited_early"] == 1
    await walk.close()


async def test_a_message_that_nobody_may_get_is_none_and_a_change_of_data_is_none_either(room: Room) -> None:
    update = {"type": "update_person", "set": {"seen": True}}
    await room.apply(Identify(subject=person("ann"), attributes={"unsubscribed": True}))
    walk = await led(room, {"mail": {**DRAFT, "sending_state": "automatic", "next": "note"}, "note": update}, "ann")
    assert await metrics(room) == {"started": 1, "activated": 1, "finished": 1}
    await walk.close()
