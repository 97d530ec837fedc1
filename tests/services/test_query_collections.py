"""Query collection: rows that fit, kept as an attribute (ACT-28)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.data_blocks import DELAY, ON_GO, attributes, happens, kept, ready, walked
from tests.support.database import Room
from tests.support.live import campaign

COURSES = {
    "kind": "collection",
    "key": "courses",
    "name": "Courses",
    "data": [
        {"name": "Two", "level": "new", "rank": 2},
        {"name": "One", "level": "new", "rank": 1},
        {"name": "Ten", "level": "new", "rank": 10},
        {"name": "None", "level": "new"},
        {"name": "Old", "level": "old", "rank": 0},
    ],
}


@pytest.mark.parametrize(
    ("fields", "names"),
    [
        ({"sort": [{"field": "rank"}]}, ["One", "Two", "Ten", "None"]),
        ({"sort": [{"field": "rank", "direction": "desc"}], "limit": 2}, ["Ten", "Two"]),
        ({"sort": [{"field": "level"}, {"field": "name"}]}, ["None", "One", "Ten", "Two"]),
        ({}, ["Two", "One", "Ten", "None"]),
        ({"where": {"field": "level", "value": "nobody"}}, []),
    ],
)
async def test_rows_that_fit_in_order(room: Room, fields: dict[str, Any], names: list[str]) -> None:
    block = {
        "type": "query_collection",
        "collection": "courses",
        "where": {"field": "level", "value": {"from": "customer.level"}},
        "store": {"journey": "found"},
        "next": "d",
        **fields,
    }
    driver = await ready(room, COURSES, campaign("c", ON_GO, "q", {"q": block, "d": DELAY}), level="new")
    await happens(room, driver)
    assert [row["name"] for row in (await kept(room))["found"]] == names


async def test_one_row_is_an_object_and_none_is_nothing(room: Room) -> None:
    def query(level: str, name: str, following: str) -> dict[str, Any]:
        where = {"field": "level", "value": level}
        store = {"customer": name}
        return {
            "type": "query_collection",
            "collection": "courses",
            "where": where,
            "limit": 1,
            "store": store,
            "next": following,
        }

    blocks = {"q": query("old", "best.course", "n"), "n": query("nobody", "was", "d"), "d": DELAY}
    driver = await ready(room, COURSES, campaign("c", ON_GO, "q", blocks), was="there")
    await happens(room, driver)
    assert await attributes(room) == {"ann": {"best": {"course": {"name": "Old", "level": "old", "rank": 0}}}}


async def test_a_result_too_large_for_the_journey_is_a_failed_action(room: Room) -> None:
    rows = [{"n": n, "text": "x" * 9_000} for n in range(12)]
    block = {"type": "query_collection", "collection": "courses", "store": {"journey": "all"}, "next": "d"}
    driver = await ready(room, {**COURSES, "data": rows}, campaign("c", ON_GO, "q", {"q": block, "d": DELAY}))
    await happens(room, driver)
    assert [step[:2] for step in await walked(room)] == [("q", "failed"), ("d", "waiting")]
    lines = await room.rows("SELECT type FROM activities WHERE workspace_id = $1 AND name = 'Failed Action'")
    assert [line["type"] for line in lines] == ["failed_query_collection"]
