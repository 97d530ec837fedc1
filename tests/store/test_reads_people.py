from __future__ import annotations

import pytest

from domain.ids import cio_id
from store import merges
from store.reads import people as reads
from tests.support.database import START, Room
from tests.support.looking import PAYING, Scene


@pytest.fixture
async def here(room: Room) -> Scene:
    return Scene(room.db, room.workspace_id)


async def found(here: Scene, kind: str, value: str) -> int | None:
    async with here.db.connection() as conn:
        person = await reads.find(conn, here.workspace_id, kind, value)
    return None if person is None else person.person_id


async def test_people_are_found_by_each_of_their_names(here):
    ann = await here.person("A/7", "Ann@Example.com")
    assert await found(here, "id", "A/7") == ann
    assert await found(here, "id", "a/7") is None
    assert await found(here, "email", " ANN@example.com") == ann
    assert await found(here, "cio_id", cio_id(ann)) == ann
    assert await found(here, "cio_id", f"cio_{cio_id(ann).upper()}") == ann
    for nonsense in ("", "zz", "0", "\0", "f" * 40):
        assert await found(here, "cio_id", nonsense) is None


async def test_somebody_merged_away_is_found_as_who_they_are_now(here):
    old, new = await here.person("1"), await here.person("2")
    async with here.db.transaction() as conn:
        await merges.move(conn, here.workspace_id, primary=new, secondary=old, now=START)
    assert await found(here, "cio_id", cio_id(old)) == new


async def test_another_workspace_has_other_people(database):
    one, two = Scene(database, (await Room.make(database)).workspace_id), await Room.make(database)
    ann = await one.person("1", "ann@example.com")
    elsewhere = Scene(database, two.workspace_id)
    assert await found(elsewhere, "id", "1") is None
    assert await found(elsewhere, "cio_id", cio_id(ann)) is None


async def test_segments_say_what_they_are(here):
    await here.define(PAYING)
    ann = await here.person("1")
    await here.member(ann, "paying")
    async with here.db.connection() as conn:
        (segment,) = await reads.segments_of(conn, here.workspace_id, ann)
    assert (segment.key, segment.name, segment.description) == (
        "paying",
        "Paying <customers>",
        "Anybody on a paid plan",
    )
