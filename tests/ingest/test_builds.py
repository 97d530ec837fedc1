"""A segment whose definition changes: what is made of it follows, and nobody enters a campaign by it (PPL-40, PPL-41)."""

from __future__ import annotations

from typing import Any

from clock import system_now
from domain.operations import Identifier, Identify
from ingest.builds import build_page
from services import definitions
from tests.support.database import Room


def inner(plan: str) -> dict[str, Any]:
    return {
        "kind": "segment",
        "key": "inner",
        "name": "Inner",
        "conditions": {"attribute": {"field": "plan", "value": plan}},
    }


OUTER = {
    "kind": "segment",
    "key": "outer",
    "name": "Outer",
    "conditions": [{"segment": "inner"}, {"attribute": {"field": "x", "operator": "exists"}}],
}
CAMPAIGN = {
    "kind": "campaign",
    "key": "hello",
    "name": "Hello",
    "trigger": {
        "type": "segment",
        "conditions": [{"segment": "outer"}, {"attribute": {"field": "x", "operator": "exists"}}],
    },
    "workflow": {"start": "hold", "blocks": {"hold": {"type": "time_delay", "duration": "P1D"}}},
}


def identify(**attributes: Any) -> Identify:
    return Identify(subject=Identifier(kind="id", value="1"), attributes=attributes)


async def build(room: Room, key: str) -> None:
    async with room.db.transaction() as conn:
        catalog = await room.catalogs.get(conn, room.workspace_id)
        number = catalog.segment_ids[key]
        assert (await build_page(conn, catalog, "segment", number, after=0, limit=10, now=catalog.now(system_now())))[
            1
        ] == 1


async def begin(room: Room) -> None:
    await room.define(inner("pro"), OUTER, CAMPAIGN)
    await room.run_campaign("hello")
    await room.apply(identify(plan="basic", x=1))
    assert (await room.members("inner"), await room.members("outer")) == ([], [])


async def test_what_is_made_of_a_segment_follows_its_build_and_nobody_enters_by_it(room: Room):
    await begin(room)
    await room.define(inner("basic"))
    await build(room, "inner")
    assert (await room.members("inner"), await room.members("outer")) == (["1"], ["1"])
    await room.apply(identify(x=2))
    assert await room.journeys() == []


async def test_a_fact_during_a_build_leaves_to_it_whom_the_definition_moved(room: Room):
    await begin(room)
    await definitions.apply(room.db, room.workspace_id, {"definitions": [inner("basic")]}, now=system_now())
    await room.apply(identify(plan="BASIC", x=2))
    await build(room, "inner")
    assert (await room.members("inner"), await room.members("outer")) == (["1"], ["1"])
    await room.apply(identify(x=3))
    assert await room.journeys() == []


async def test_somebody_whom_a_fact_moves_during_a_build_enters_at_once(room: Room):
    await begin(room)
    await definitions.apply(room.db, room.workspace_id, {"definitions": [inner("gold")]}, now=system_now())
    await room.apply(identify(plan="gold"))
    assert (await room.members("inner"), await room.members("outer")) == (["1"], ["1"])
    assert len(await room.journeys()) == 1
