"""A workspace makes addresses identifiers, or ordinary attributes again: everybody is converted while facts wait."""

from __future__ import annotations

from typing import Any

from clock import system_now
from domain.operations import Identifier, Identify
from services import definitions
from services.task_runner import run_once
from store.notify import Notifier
from tests.ingest.test_merging import ROMANS, event, identify, outcomes
from tests.ingest.test_removal import suppress
from tests.support.database import Room

AN_ID = Identifier(kind="id", value="a@x.io")
"""An id that looks like an address, which is what a path value means where addresses name nobody."""


async def choose(room: Room, mode: str) -> None:
    """Put the settings, without doing what follows from them."""
    document = {"kind": "settings", "key": "workspace", "identifiers": mode}
    await definitions.apply(room.db, room.workspace_id, {"definitions": [document]}, now=system_now())


async def convert(room: Room) -> None:
    """Do the tasks that are open, then apply what has waited."""
    while await run_once(room.db, room.catalogs, Notifier(room.db.pool), system_now):
        pass
    await room.apply()


async def people(room: Room) -> list[tuple[str | None, str | None, dict[str, Any]]]:
    return [(p["id"], p["email"], p["attributes"]) for p in await room.people()]


async def test_who_shares_an_address_becomes_one_person(room: Room):
    await choose(room, "id_only")
    await convert(room)
    await room.define(ROMANS)
    await room.apply(identify("1", email="Ann@x.io", plan="pro"), identify("2", email="ann@X.io", city="Rome"))
    await room.apply(identify("3", email="ann@x.io", city="Oslo"), identify("4", email="nonsense"), event("2", "look"))
    assert len(await people(room)) == 4
    await choose(room, "email_or_id")
    await room.apply(identify("ann@x.io", waited=True))
    assert len(await people(room)) == 4, "facts wait until everybody is converted"
    await convert(room)
    assert await people(room) == [
        ("1", "Ann@x.io", {"plan": "pro", "city": "Rome", "waited": True}),
        ("4", None, {}),
    ]
    assert await room.members("romans") == ["1"]
    merges = await room.rows("SELECT data FROM activities WHERE workspace_id = $1 AND type = 'profile_merge'")
    assert [row["data"]["source"] for row in merges] == ["identifiers", "identifiers"]


async def test_addresses_become_attributes_that_several_may_have(room: Room):
    await room.apply(identify("1", email="a@x.io"), identify("only@x.io"))
    await choose(room, "id_only")
    await convert(room)
    await room.apply(identify("2", email="a@x.io"), Identify(subject=AN_ID, attributes={"plan": "x"}))
    assert await people(room) == [
        ("1", None, {"email": "a@x.io"}),
        (None, None, {"email": "only@x.io"}),
        ("2", None, {"email": "a@x.io"}),
        ("a@x.io", None, {"plan": "x"}),
    ]


async def test_a_suppressed_address_names_nobody_afterwards(room: Room):
    await choose(room, "id_only")
    await convert(room)
    await room.apply(identify("1", email="gone@x.io"), suppress("1"), identify("2", email="gone@x.io"))
    await choose(room, "email_or_id")
    await convert(room)
    assert await people(room) == [("2", None, {})]


async def test_deleting_the_settings_is_a_change_too(room: Room):
    await choose(room, "id_only")
    await convert(room)
    await room.apply(identify("1", email="a@x.io"))
    await definitions.delete(room.db, room.workspace_id, "settings", "workspace", now=system_now())
    await convert(room)
    assert await people(room) == [("1", "a@x.io", {})]
    assert [outcome for _, outcome, _ in await outcomes(room)] == ["applied"]
