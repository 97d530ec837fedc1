"""Objects and their types on a real database."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from clock import system_now
from domain.errors import DomainError, InvalidInput
from domain.ids import cio_object_id, object_no_of
from domain.operations import ChangeRelationships, DeleteObject, Edge, Identifier, IdentifyObject, ObjectRef
from domain.values import stable_fraction
from ingest.apply import Applier
from ingest.catalog import Catalogs
from services import definitions, task_runner
from store.notify import Notifier
from tests.support.database import START, Room

UNIX = int(START.timestamp())
ACCOUNT = {"kind": "object_type", "key": "account", "name": "Accounts", "singular_name": "Account"}


def ref(object_id: str, kind: int = 1) -> ObjectRef:
    return ObjectRef(object_type_id=kind, object_id=object_id)


def put(object_id: str, kind: int = 1, /, timestamp: int | None = None, **attributes: Any) -> IdentifyObject:
    return IdentifyObject(object=ref(object_id, kind), attributes=attributes, timestamp=timestamp)


def belongs(person: str, object_id: str, kind: int = 1) -> ChangeRelationships:
    return ChangeRelationships(edges=[Edge(person=Identifier(kind="id", value=person), object=ref(object_id, kind))])


async def objects(room: Room) -> dict[tuple[int, str], dict[str, Any]]:
    rows = await room.rows("SELECT object_type_id, object_id, attributes FROM objects WHERE workspace_id = $1")
    return {(row["object_type_id"], row["object_id"]): row["attributes"] for row in rows}


async def number_of(room: Room, object_id: str) -> int:
    (row,) = await room.rows("SELECT object_no FROM objects WHERE workspace_id = $1 AND object_id = $2", object_id)
    return row["object_no"]


async def lines(room: Room) -> list[tuple[str, dict[str, Any]]]:
    rows = await room.rows(
        "SELECT type, data FROM activities WHERE workspace_id = $1 AND person_id IS NULL ORDER BY activity_id"
    )
    return [(row["type"], row["data"]) for row in rows]


async def outcomes(room: Room) -> list[tuple[str, str | None]]:
    rows = await room.rows("SELECT outcome, note FROM ingest_log WHERE workspace_id = $1 ORDER BY seq")
    return [(row["outcome"], row["note"]) for row in rows]


async def types(room: Room) -> dict[int, tuple[str, bool]]:
    rows = await room.rows(
        "SELECT definition_id, name, document FROM definitions WHERE workspace_id = $1 AND kind = 'object_type'"
    )
    return {row["definition_id"]: (row["name"], row["document"]["enabled"]) for row in rows}


async def test_an_object_is_made_and_changed_and_says_so(room: Room):
    await room.define(ACCOUNT)
    await room.apply(put("acme", name="Acme", seats=3, created_at=UNIX), put("acme", name="", seats=3.0, plan="pro"))
    assert await objects(room) == {(1, "acme"): {"seats": 3, "created_at": UNIX, "plan": "pro"}}
    named = {
        "object_type_id": "1",
        "object_id": "acme",
        "cio_object_id": cio_object_id(await number_of(room, "acme")),
    }
    first = {"name": "Acme", "seats": 3, "created_at": UNIX}
    assert await lines(room) == [
        ("_o:1:create", named),
        ("_o:1:attribute_change", {**named, "attributes": first, "before": {}}),
        ("_o:1:attribute_change", {**named, "attributes": {"name": "", "plan": "pro"}, "before": {"name": "Acme"}}),
    ]


async def test_the_later_write_wins(room: Room):
    await room.define(ACCOUNT)
    await room.apply(put("acme", timestamp=UNIX, plan="pro"), put("acme", timestamp=UNIX - 10, plan="free", size=1))
    assert await objects(room) == {(1, "acme"): {"plan": "pro", "size": 1}}
    assert (await lines(room))[-1][0] == "skipped_update"
    # A moment far ahead would shut everybody else out until it comes.
    await room.apply(put("acme", timestamp=UNIX + 9_000, plan="team"), put("acme", plan="free"))
    assert (await objects(room))[1, "acme"]["plan"] == "free"


async def test_what_does_not_fit_is_left_out_and_said(room: Room):
    await room.define(ACCOUNT)
    half = "x" * 60_000
    await room.apply(put("acme", a=half, b=half, c=1))
    assert set((await objects(room))[1, "acme"]) == {"a", "c"}
    assert (await lines(room))[-1][0] == "_o:1:failed_attribute_change"
    assert await outcomes(room) == [("applied", "b: All attributes together have at most 100000 bytes.")]


async def test_by_the_id_we_gave_it_an_object_is_only_updated(room: Room):
    await room.define(ACCOUNT)
    await room.apply(put("acme", name="Acme"))
    given = cio_object_id(await number_of(room, "acme"))
    by_ours = ObjectRef(cio_object_id=given.upper())
    await room.apply(
        IdentifyObject(object=by_ours, attributes={"name": "ACME"}),
        IdentifyObject(object=ObjectRef(cio_object_id="ob0fffffff"), attributes={"name": "None"}),
    )
    assert await objects(room) == {(1, "acme"): {"name": "ACME"}}
    assert (await outcomes(room))[-1] == ("ignored", "Object does not exist")
    await room.apply(DeleteObject(object=by_ours), put("acme", name="New"))
    assert await objects(room) == {(1, "acme"): {"name": "New"}}
    assert await number_of(room, "acme") > (object_no_of(given) or 0)


async def test_files_say_what_may_be_made_and_what_changed(room: Room):
    await room.define(ACCOUNT)
    await room.apply(
        IdentifyObject(object=ref("a"), attributes={"x": 1}, update_only=True),
        IdentifyObject(object=ref("b"), attributes={"x": 1}, create_only=True),
        IdentifyObject(object=ref("b"), attributes={"x": 2}, create_only=True),
        IdentifyObject(object=ref("b"), attributes={"x": 3}, update_only=True),
    )
    assert await objects(room) == {(1, "b"): {"x": 3}}
    assert [outcome for outcome, _ in await outcomes(room)] == ["failed", "applied", "ignored", "applied"]


async def test_api_case_21_an_object_with_two_people_and_without_them(room: Room):
    await room.define(ACCOUNT)
    await room.apply(put("acme", name="Acme"), belongs("1", "acme"), belongs("2", "acme"), put("acme", name=""))
    assert await objects(room) == {(1, "acme"): {}}
    assert len(await room.rows("SELECT 1 FROM relationships WHERE workspace_id = $1")) == 2
    await room.apply(DeleteObject(object=ref("acme")))
    assert await objects(room) == {}
    assert await room.rows("SELECT 1 FROM relationships WHERE workspace_id = $1") == []
    parted = await room.rows(
        """SELECT p.id, a.data ->> 'object_id' AS object FROM activities a JOIN people p USING (workspace_id, person_id)
           WHERE a.workspace_id = $1 AND a.type = 'delete_relationship' ORDER BY p.id"""
    )
    assert parted == [{"id": "1", "object": "acme"}, {"id": "2", "object": "acme"}]
    assert (await lines(room))[-1][1]["relationships"] == 2
    assert len(await room.people()) == 2


async def test_api_case_31_an_object_of_another_type_stays(room: Room):
    await room.define(ACCOUNT, {**ACCOUNT, "key": "course", "name": "Courses", "singular_name": "Course"})
    await room.apply(put("g1", 2), DeleteObject(object=ref("g1", 1)))
    assert set(await objects(room)) == {(2, "g1")}
    await room.apply(DeleteObject(object=ref("g1", 2)))
    assert await objects(room) == {}


async def test_a_number_nobody_knows_becomes_a_type_that_is_off(room: Room):
    await room.apply(put("a", 7), put("b", 7), put("c", 1))
    assert set(await objects(room)) == {(7, "a"), (7, "b"), (1, "c")}
    assert await types(room) == {1: ("Otters", False), 7: ("Martens", False)}
    # A type that is made by hand gets the next number that is free.
    await room.define(ACCOUNT)
    assert set(await types(room)) == {1, 2, 7}
    await room.apply(put("d", 7), put("e", 2))
    assert set(await types(room)) == {1, 2, 7}


async def test_calls_make_so_many_types_and_no_more(room: Room):
    await room.define({"kind": "settings", "key": "workspace", "limits": {"automatic_object_types": 2}})
    await room.apply(put("a", 1), put("b", 2), put("c", 3), belongs("1", "c", 3), put("d", 2))
    assert set(await objects(room)) == {(1, "a"), (2, "b"), (2, "d")}
    assert await room.people() == []
    found = await outcomes(room)
    assert [outcome for outcome, _ in found] == ["applied", "applied", "failed", "failed", "applied"]
    assert "calls have made 2 types already" in (found[2][1] or "")
    await room.define(ACCOUNT)
    await room.apply(put("c", 3))
    assert (3, "c") in await objects(room)


async def test_animals_avoid_names_that_are_taken(room: Room):
    await room.define({**ACCOUNT, "key": "otter", "object_type_id": 9})
    await room.apply(put("a", 1))
    assert (await types(room))[1] == ("Badgers", False)


async def test_a_number_is_given_out_once(room: Room):
    await room.define({**ACCOUNT, "object_type_id": 3})
    course = {**ACCOUNT, "key": "course", "name": "Courses", "singular_name": "Course"}
    with pytest.raises(InvalidInput) as refused:
        await room.define({**course, "object_type_id": 3})
    assert [(p.code, p.pointer) for p in refused.value.problems] == [("duplicate", "/definitions/0/object_type_id")]
    with pytest.raises(InvalidInput) as refused:
        await room.define({**ACCOUNT, "object_type_id": 4})
    assert [p.code for p in refused.value.problems] == ["immutable"]
    # Numbers that documents ask for come before those that are given out.
    answer = await room.define(
        course, {**course, "key": "team", "name": "Teams", "singular_name": "Team", "object_type_id": 1}
    )
    assert {change["key"]: change["id"] for change in answer["changes"]} == {"course": 2, "team": 1}
    assert (await room.define({**ACCOUNT, "object_type_id": 3}, course))["changes"][0]["action"] == "unchanged"


async def test_a_deleted_type_takes_its_objects_along_and_its_number_is_used_up(room: Room):
    await room.define(ACCOUNT, {**ACCOUNT, "key": "course", "name": "Courses", "singular_name": "Course"})
    await room.apply(*[belongs(str(n % 3), f"a{n}") for n in range(5)], belongs("1", "kept", 2))
    await definitions.delete(room.db, room.workspace_id, "object_type", "account", now=system_now())
    while await task_runner.run_once(room.db, room.catalogs, Notifier(room.db.pool), system_now):
        pass
    assert set(await objects(room)) == {(2, "kept")}
    assert len(await room.rows("SELECT 1 FROM relationships WHERE workspace_id = $1")) == 1
    await room.apply(put("again", 1), belongs("1", "again", 1))
    assert (1, "again") not in await objects(room)
    note = "The object type 1 was deleted, and its number is not used again."
    assert (await outcomes(room))[-2:] == [("ignored", note), ("failed", note)]
    with pytest.raises(InvalidInput) as refused:
        await room.define({**ACCOUNT, "object_type_id": 1})
    assert refused.value.problems[0].code == "duplicate"
    answer = await room.define(ACCOUNT)
    assert answer["changes"][0]["id"] == 3


async def test_the_data_index_hears_of_names(room: Room):
    await room.define(ACCOUNT)
    await room.apply(put("acme", name="Acme"), put("acme", name="Acme", seats=3))
    seen = await room.rows(
        """SELECT kind, name, value_type, sum(seen)::int AS seen FROM data_name_deltas
           WHERE workspace_id = $1 AND kind LIKE 'object:%' GROUP BY 1, 2, 3 ORDER BY 2"""
    )
    assert seen == [
        {"kind": "object:1", "name": "name", "value_type": "string", "seen": 2},
        {"kind": "object:1", "name": "seats", "value_type": "number", "seen": 1},
    ]


@pytest.mark.parametrize("seed", range(4))
async def test_many_processes_apply_what_happens_to_an_object_in_order(room: Room, seed: int):
    """Whatever two appliers do at the same time, the end is that of one after the other."""
    await room.define(ACCOUNT)
    operations: list[Any] = []
    expected: dict[str, dict[str, Any] | None] = {}
    related: set[tuple[str, str]] = set()
    for step in range(120):
        chance = [stable_fraction(str(seed), str(step), str(part)) for part in range(4)]
        name, person = f"o{int(chance[0] * 3)}", f"p{int(chance[1] * 3)}"
        if chance[2] < 0.15:
            operations.append(DeleteObject(object=ref(name)))
            expected[name] = None
            related = {pair for pair in related if pair[1] != name}
        elif chance[2] < 0.45:
            operations.append(belongs(person, name))
            expected[name] = expected.get(name) or {}
            related.add((person, name))
        else:
            attribute = f"n{int(chance[3] * 4)}"
            operations.append(put(name, **{attribute: step}))
            expected[name] = {**(expected.get(name) or {}), attribute: step}
    await room.accept(*operations)

    async def consume() -> None:
        applier = Applier(room.db, Catalogs(), Notifier(room.db.pool))
        idle = 0
        while idle < 3:
            idle = 0 if await applier._batch(room.workspace_id, 5, system_now()) else idle + 1
            await asyncio.sleep(0)

    await asyncio.gather(consume(), consume(), consume())
    while await room.applier.apply_once(system_now()):
        pass
    assert await objects(room) == {(1, name): value for name, value in expected.items() if value is not None}
    rows = await room.rows(
        """SELECT p.id, o.object_id FROM relationships r JOIN people p USING (workspace_id, person_id)
           JOIN objects o USING (workspace_id, object_no) WHERE r.workspace_id = $1"""
    )
    assert {(row["id"], row["object_id"]) for row in rows} == related


async def test_two_batches_that_make_the_same_type_make_one(room: Room):
    await room.accept(*[put(f"o{n}", 4) for n in range(6)])

    async def consume() -> None:
        applier = Applier(room.db, Catalogs(), Notifier(room.db.pool))
        while await applier._batch(room.workspace_id, 2, system_now()):
            pass

    await asyncio.gather(*(consume() for _ in range(3)))
    while await room.applier.apply_once(system_now()):
        pass
    assert len(await objects(room)) == 6
    assert len(await types(room)) == 1
    numbers = await room.rows("SELECT object_type_id, automatic FROM object_type_numbers WHERE workspace_id = $1")
    assert numbers == [{"object_type_id": 4, "automatic": True}]


async def test_a_number_too_large_for_a_type_is_refused_and_holds_nothing_up(room: Room):
    await room.apply(put("a", 2**31), belongs("1", "a", 10**15), DeleteObject(object=ref("a", 2**31)), put("b", 1))
    assert set(await objects(room)) == {(1, "b")}
    assert [outcome for outcome, _ in await outcomes(room)] == ["failed", "failed", "ignored", "applied"]


async def test_slugs_differ(room: Room):
    await room.define(ACCOUNT)
    with pytest.raises(DomainError) as refused:
        await room.define({**ACCOUNT, "key": "other"})
    assert [(p.code, p.pointer) for p in refused.value.problems] == [
        ("duplicate", "/definitions/0/slug"),
        ("duplicate", "/definitions/0/singular_slug"),
    ]
