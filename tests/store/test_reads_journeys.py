from __future__ import annotations

from datetime import timedelta

from store.reads import journeys as reads
from store.reads.journeys import JourneyFilter
from tests.support.database import Room
from tests.support.looking import OTHER, START, WELCOME, Scene

ALL = JourneyFilter()


async def scene(room: Room) -> Scene:
    made = Scene(room.db, room.workspace_id)
    await made.define(WELCOME, OTHER)
    return made


async def ids(here: Scene, which: JourneyFilter = ALL, before: str | None = None, limit: int = 100) -> list[str]:
    async with here.db.connection() as conn:
        rows = await reads.page(conn, here.workspace_id, which, before=before, limit=limit)
    return [row.journey_id for row in rows]


async def test_pages_are_newest_first_and_stable_while_journeys_come_in(room):
    here = await scene(room)
    person = await here.person("1")
    made = [(await here.journey(person, at=START + timedelta(minutes=n // 2))).journey_id for n in range(7)]
    first = await ids(here, limit=3)
    assert first == made[:3:-1]
    newer = (await here.journey(person, at=START + timedelta(hours=1))).journey_id
    rest = await ids(here, before=first[-1])
    assert rest == made[3::-1]
    assert newer not in rest
    assert (await ids(here))[0] == newer


async def test_each_filter_narrows(room):
    here = await scene(room)
    ann, bela = await here.person("1"), await here.person("2")
    waiting = await here.journey(ann)
    other = await here.journey(ann, campaign_id=here.campaigns["other"], block="hello")
    ended = await here.ended(bela, "goal", "It was met.", at=START + timedelta(seconds=5))
    assert await ids(here, JourneyFilter(person_id=ann)) == [other.journey_id, waiting.journey_id]
    assert await ids(here, JourneyFilter(campaign_id=here.campaigns["other"])) == [other.journey_id]
    assert await ids(here, JourneyFilter(state="exited_early")) == [ended.journey_id]
    assert await ids(here, JourneyFilter(block="pause")) == [waiting.journey_id]
    assert await ids(here, JourneyFilter(started_from=START + timedelta(seconds=5))) == [ended.journey_id]
    assert ended.journey_id not in await ids(here, JourneyFilter(started_until=START + timedelta(seconds=5)))
    assert await ids(here, JourneyFilter(person_id=bela, state="in_progress")) == []


async def test_nobody_stands_where_a_journey_ended(room):
    here = await scene(room)
    person = await here.person("1")
    await here.journey(person, state="finished", reason="completed", wait=None, due_at=None)
    assert await ids(here, JourneyFilter(block="pause")) == []


async def test_workspaces_do_not_see_each_other(database):
    one, two = await scene(await Room.make(database)), await scene(await Room.make(database))
    mine = await one.journey(await one.person("1"))
    assert await ids(one) == [mine.journey_id]
    assert await ids(two) == []
