"""Devices on a real database: registered, moved, evicted, forgotten."""

from __future__ import annotations

from typing import Any

from domain.operations import AddDevice, DeleteDevice, DeletePerson, Identifier, Identify, MergePeople
from tests.support.database import START, Room

UNIX = int(START.timestamp())


def who(value: str, kind: str = "id") -> Identifier:
    return Identifier(kind=kind, value=value)


def add(person: str, token: str, last_used: int | None = None, *, kind: str = "id", **attributes: Any) -> AddDevice:
    return AddDevice(subject=who(person, kind), token=token, platform="ios", last_used=last_used, attributes=attributes)


async def devices(room: Room) -> dict[str, tuple[str | None, int, dict[str, Any]]]:
    """Whose each token is, when it was used last, its attributes."""
    rows = await room.rows(
        """SELECT d.token, p.id, d.last_used, d.attributes FROM devices d
           LEFT JOIN people p USING (workspace_id, person_id) WHERE d.workspace_id = $1"""
    )
    return {row["token"]: (row["id"], int(row["last_used"].timestamp()), row["attributes"]) for row in rows}


async def changes(room: Room) -> list[tuple[str | None, str, str]]:
    rows = await room.rows(
        """SELECT p.id, a.data FROM activities a LEFT JOIN people p USING (workspace_id, person_id)
           WHERE a.workspace_id = $1 AND a.type = 'device_change' ORDER BY a.activity_id"""
    )
    return [(row["id"], row["data"]["change"], row["data"]["device"]["id"]) for row in rows]


async def outcomes(room: Room) -> list[tuple[str, str | None]]:
    rows = await room.rows("SELECT outcome, note FROM ingest_log WHERE workspace_id = $1 ORDER BY seq")
    return [(row["outcome"], row["note"]) for row in rows]


async def test_a_device_makes_its_person_and_is_brought_up_to_date(room: Room):
    await room.apply(add("7", "t1", app_version="1", locale="it"))
    assert await devices(room) == {"t1": ("7", UNIX, {"app_version": "1", "locale": "it"})}
    await room.apply(add("7", "t1", UNIX - 50, app_version="2", locale="", _last_status="sent"))
    assert await devices(room) == {"t1": ("7", UNIX, {"app_version": "2"})}
    await room.apply(add("7", "t1", UNIX + 60))
    assert (await devices(room))["t1"][1] == UNIX + 60
    assert await changes(room) == [("7", "added", "t1"), ("7", "changed", "t1")]
    assert len(await room.people()) == 1


async def test_an_unknown_cio_id_gets_no_device(room: Room):
    await room.apply(add("deadbeef", "t1", kind="cio_id"))
    assert (await devices(room), await room.people()) == ({}, [])


async def test_a_use_far_ahead_counts_as_now(room: Room):
    await room.apply(add("7", "t1", UNIX + 301), add("7", "t2", UNIX + 300))
    assert {token: used for token, (_, used, _) in (await devices(room)).items()} == {"t1": UNIX, "t2": UNIX + 300}


async def test_a_token_moves_to_whom_it_was_registered_for_last(room: Room):
    await room.apply(add("1", "t", team="red"))
    await room.rows("UPDATE devices SET last_status = 'bounced' WHERE workspace_id = $1")
    await room.apply(add("2", "t", app_version="2"))
    assert await devices(room) == {"t": ("2", UNIX, {"app_version": "2"})}
    assert await room.rows("SELECT last_status FROM devices WHERE workspace_id = $1") == [{"last_status": ""}]
    assert await changes(room) == [("1", "added", "t"), ("1", "moved", "t"), ("2", "added", "t")]
    # Whose it was may not take it away again, in the same batch or later.
    await room.apply(add("1", "t"), add("2", "t"), DeleteDevice(subject=who("1"), token="t"))
    assert (await devices(room))["t"][0] == "2"
    assert (await outcomes(room))[-1] == ("ignored", "The person has no such device.")
    await room.apply(DeleteDevice(subject=who("2"), token="t"), DeleteDevice(subject=who("nobody"), token="t"))
    assert await devices(room) == {}


async def test_ppl_case_17_registering_again_makes_a_bad_token_unused_and_leaves_a_good_one(room: Room):
    for before, after in (("bounced", ""), ("suppressed", ""), ("sent", "sent")):
        await room.apply(add("7", f"t-{before}"))
        await room.rows(
            "UPDATE devices SET last_status = $2 WHERE workspace_id = $1 AND token = $3", before, f"t-{before}"
        )
        await room.apply(add("7", f"t-{before}"))
        (row,) = await room.rows(
            "SELECT last_status FROM devices WHERE workspace_id = $1 AND token = $2", f"t-{before}"
        )
        assert row["last_status"] == after


async def test_the_twenty_sixth_puts_out_the_one_not_used_for_longest(room: Room):
    tokens = [add("7", f"t{n:02}", UNIX - 1_000 + n) for n in range(25)]
    await room.apply(*tokens)
    await room.apply(add("7", "new", UNIX))
    assert set(await devices(room)) == {f"t{n:02}" for n in range(1, 25)} | {"new"}
    assert (await changes(room))[-1] == ("7", "evicted", "t00")
    # The token that was put out is nobody's, and may come back.
    await room.apply(add("7", "t00", UNIX))
    assert "t00" in await devices(room)
    assert "t01" not in await devices(room)


async def test_merged_people_keep_the_devices_of_both(room: Room):
    await room.apply(add("1", "a"), add("2", "b"), MergePeople(primary=who("1"), secondary=who("2")), add("1", "b"))
    assert {token: owner for token, (owner, _, _) in (await devices(room)).items()} == {"a": "1", "b": "1"}


async def test_devices_go_with_their_person(room: Room):
    await room.apply(add("1", "a"), DeletePerson(subject=who("1")), add("2", "a"))
    assert {token: owner for token, (owner, _, _) in (await devices(room)).items()} == {"a": "2"}


async def test_somebody_made_by_a_device_is_looked_at_for_segments(room: Room):
    conditions = {"not": {"attribute": {"field": "plan", "operator": "exists"}}}
    await room.define({"kind": "segment", "key": "planless", "name": "Planless", "conditions": conditions})
    await room.apply(add("7", "t"), Identify(subject=who("8"), attributes={"plan": "pro"}))
    assert await room.members("planless") == ["7"]
