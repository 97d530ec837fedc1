"""Names of the data index: added up once, whoever folds when; a kind holds so many names and no more."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from services import metrics as service
from store import data_names as store
from tests.support.database import START, Room

MOST = 5


def seen(kind: str, name: str, value_type: str = "string", source: str = "Track API: web", times: int = 1):
    return (kind, name, value_type, source), times, 0


def held(kind: str, name: str, amount: int = 1):
    return (kind, name, "", ""), 0, amount


async def note(room: Room, *rows, at=START) -> None:
    async with room.db.transaction() as conn:
        await store.insert_deltas(conn, room.workspace_id, rows, at)


async def fold(room: Room, limit: int = 20_000, most: int = MOST) -> int:
    async with room.db.transaction() as conn:
        return await store.fold(conn, limit, most)


async def read(room: Room, *names: str, kind: str = "attribute") -> list[store.NameRead]:
    async with room.db.connection() as conn:
        return await store.read(conn, room.workspace_id, [(name, kind) for name in names])


async def known(room: Room, *kinds: str) -> list[str]:
    async with room.db.connection() as conn:
        return [name for name, _ in await store.names(conn, room.workspace_id, kinds or ["attribute"])]


async def beyond(room: Room, kind: str = "attribute") -> int:
    async with room.db.connection() as conn:
        return await store.beyond(conn, room.workspace_id, [kind])


async def test_what_is_folded_and_what_is_not_yet_count_alike(room: Room):
    later = START + timedelta(days=2)
    await note(room, seen("attribute", "plan", times=2), held("attribute", "plan", 2))
    for at in (START, later):
        await note(room, seen("attribute", "plan", "number", "App API: shop"), held("attribute", "plan", -1), at=at)
        (plan,) = await read(room, "plan")
        before = plan
        await fold(room)
        assert await read(room, "plan") == [before]
    assert (plan.types, plan.sources) == ({"string": 2, "number": 2}, {"Track API: web": 2, "App API: shop": 2})
    assert (plan.seen, plan.holders, plan.first_at, plan.last_at) == (4, 0, START, later)
    assert await room.rows("SELECT 1 FROM data_name_deltas WHERE workspace_id = $1") == []


async def test_taking_an_attribute_away_is_not_seeing_it(room: Room):
    await note(room, seen("attribute", "gone", ""), seen("event", "bought", ""))
    assert (await known(room), await known(room, "event")) == ([], ["bought"])
    await fold(room)
    assert (await known(room), await known(room, "event")) == ([], ["bought"])


async def test_a_kind_holds_so_many_names_and_counts_the_others_together(room: Room):
    await note(room, *[seen("page", f"/p/{n}", "") for n in range(3)])
    await fold(room)
    await note(room, *[seen("page", f"/q/{n}", "", times=2) for n in range(4)], seen("page", "/p/0", ""))
    await note(room, *[seen("screen", f"s{n}", "") for n in range(3)])
    await fold(room)
    assert await known(room, "page") == ["/p/0", "/p/1", "/p/2", "/q/0", "/q/1"]
    assert await known(room, "screen") == ["s0", "s1", "s2"]
    assert (await beyond(room, "page"), await beyond(room, "screen")) == (4, 0)
    # A name that has its place keeps it; one without is not let in by being seen again.
    await note(room, seen("page", "/q/3", ""), seen("page", "/q/1", ""))
    await fold(room)
    assert len(await known(room, "page")) == MOST
    assert await beyond(room, "page") == 5
    assert [name.seen for name in await read(room, "/q/1", kind="page")] == [3]


async def test_a_name_taken_out_is_not_brought_back_by_those_who_stop_to_hold_it(room: Room):
    await note(room, seen("attribute", "plan", times=3), held("attribute", "plan", 3))
    await fold(room)
    async with room.db.transaction() as conn:
        await store.describe(conn, room.workspace_id, "attribute", [("plan", "What they pay", 1)], START)
        await store.remove(conn, room.workspace_id, "attribute", "plan")
    await note(room, seen("attribute", "plan", "", "Data index", 3), held("attribute", "plan", -3))
    assert await known(room) == []
    await fold(room)
    assert await known(room) == []
    assert await room.rows("SELECT 1 FROM data_names WHERE workspace_id = $1") == []
    await note(room, seen("attribute", "plan"), held("attribute", "plan"))
    await fold(room)
    assert [(name.seen, name.holders, name.description) for name in await read(room, "plan")] == [(1, 1, None)]


async def test_what_people_say_of_names(room: Room):
    async with room.db.transaction() as conn:
        notes = [("plan", "What they pay", 1), ("city", None, None)]
        await store.describe(conn, room.workspace_id, "attribute", notes, START)
        await store.describe(conn, room.workspace_id, "attribute", [("plan", None, None), ("city", "Where", 0)], START)
    assert await known(room) == ["city", "plan"]
    said = [(name.description, name.privacy_level, name.seen) for name in await read(room, "plan", "city", "none")]
    assert said == [("What they pay", 1, 0), ("Where", 0, 0), (None, 0, 0)]


async def test_totals_never_waver_while_names_are_folded(room: Room):
    done = asyncio.Event()
    counts: list[int] = []

    async def write() -> None:
        for _ in range(20):
            await note(room, seen("attribute", "plan"), seen("attribute", "city", "number"))

    async def folding() -> None:
        while not done.is_set():
            await fold(room, 3)

    async def reading() -> None:
        while not done.is_set():
            counts.append(sum(name.seen for name in await read(room, "plan", "city")))

    helpers = [asyncio.create_task(work()) for work in (folding, folding, reading)]
    await asyncio.gather(*(write() for _ in range(4)))
    done.set()
    await asyncio.gather(*helpers)
    assert counts == sorted(counts)
    await service.fold_once(room.db)
    assert [name.seen for name in await read(room, "plan", "city")] == [80, 80]
    assert await room.rows("SELECT 1 FROM data_name_deltas WHERE workspace_id = $1") == []
