from __future__ import annotations

from datetime import timedelta

import pytest

from store.reads import timeline as reads
from store.reads.timeline import ENTRY_TYPES, TimelineFilter
from tests.support.database import Room
from tests.support.looking import START, WELCOME, Scene, micros

ALL = TimelineFilter()


@pytest.fixture
async def here(room: Room) -> Scene:
    made = Scene(room.db, room.workspace_id)
    await made.define(WELCOME)
    return made


async def page(here: Scene, person: int, which: TimelineFilter = ALL, **options):
    async with here.db.connection() as conn:
        return await reads.page(conn, here.workspace_id, person, which, **{"before": None, "limit": 100, **options})


async def a_life(here: Scene) -> int:
    """Everything at one instant, in a workspace whose clock stands still, and a little before and after."""
    person = await here.person("1")
    await here.activity(person, "person_created", None, {}, at=START - timedelta(hours=1))
    await here.activity(person, "event", "signed_up", {"data": {}})
    await here.activity(person, "segment_enter", "Paying", {"segment_id": 1, "segment": "paying"})
    journey = await here.ended(person, "completed", converted_at=START)
    await here.step(journey, "hello", delivery_id="d")
    await here.step(journey, "pause", at=START + timedelta(seconds=1))
    sent = {"sent": micros(START), "delivered": micros(START), "opened": micros(START + timedelta(days=2))}
    await here.delivery(f"d-{here.workspace_id}", person, metrics=sent, status="opened")
    return person


def words(rows) -> list[str]:
    found = []
    for row in rows:
        values = row.values
        found.append(values.get("metric") or values.get("what") or values.get("block") or values["type"])
    return found


async def test_facts_come_before_what_they_led_to(here):
    rows = await page(here, await a_life(here))
    assert words(rows) == [
        "opened",
        "ended",
        "pause",
        "converted",
        "delivered",
        "sent",
        "hello",
        "started",
        "segment_enter",
        "event",
        "person_created",
    ]


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 7])
async def test_pages_of_any_size_make_up_the_whole(here, limit):
    person = await a_life(here)
    whole = [row.place for row in await page(here, person)]
    walked, before = [], None
    while rows := await page(here, person, before=before, limit=limit):
        walked += [row.place for row in rows]
        before = rows[-1].place
    assert walked == whole


async def test_what_comes_in_later_moves_no_page(here):
    person = await a_life(here)
    whole = [row.place for row in await page(here, person)]
    first = await page(here, person, limit=4)
    await here.activity(person, "event", "again", {}, at=START + timedelta(days=9))
    rest = await page(here, person, before=first[-1].place)
    assert [row.place for row in [*first, *rest]] == whole


@pytest.mark.parametrize("kind", ENTRY_TYPES)
async def test_types_narrow(here, kind):
    person = await a_life(here)
    rows = await page(here, person, TimelineFilter(types=[kind]))
    assert rows
    assert {row.type for row in rows} == {kind}


async def test_times_narrow(here):
    person = await a_life(here)
    later = TimelineFilter(since=START + timedelta(seconds=1))
    assert words(await page(here, person, later)) == ["opened", "ended", "pause"]
    earlier = TimelineFilter(until=START)
    assert words(await page(here, person, earlier)) == ["person_created"]


async def test_a_message_in_hand_is_there_before_anything_became_of_it(here):
    person = await here.person("1")
    await here.delivery(f"q-{here.workspace_id}", person, status="queued", metrics={})
    assert words(await page(here, person)) == ["created"]


async def test_nobody_sees_another_persons_life(here):
    await a_life(here)
    assert await page(here, await here.person("2")) == []
