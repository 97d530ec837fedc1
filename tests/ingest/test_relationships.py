"""Who belongs to what, on a real database."""

from __future__ import annotations

from typing import Any

import pytest

from domain.ids import cio_id, cio_object_id
from domain.operations import (
    BindAnonymous,
    ChangeRelationships,
    DeletePerson,
    Edge,
    Identifier,
    Identify,
    IdentifyObject,
    MergePeople,
    ObjectRef,
    ParkGroup,
    SuppressPerson,
)
from tests.support.database import Room

ACCOUNT = {"kind": "object_type", "key": "account", "name": "Accounts", "singular_name": "Account"}
COURSE = {"kind": "object_type", "key": "course", "name": "Courses", "singular_name": "Course"}


def who(value: str, kind: str = "id") -> Identifier:
    return Identifier(kind=kind, value=value)


def ref(object_id: str, kind: int = 1) -> ObjectRef:
    return ObjectRef(object_type_id=kind, object_id=object_id)


def edge(person: str, thing: str, /, **attributes: Any) -> Edge:
    return Edge(person=who(person), object=ref(thing), attributes=attributes)


def add(*edges: Edge, **flags: bool) -> ChangeRelationships:
    return ChangeRelationships(edges=list(edges), **flags)


def part(*edges: Edge) -> ChangeRelationships:
    return ChangeRelationships(edges=list(edges), action="delete")


@pytest.fixture
async def here(room: Room) -> Room:
    await room.define(ACCOUNT, COURSE)
    return room


async def related(room: Room) -> dict[tuple[str, str], dict[str, Any]]:
    rows = await room.rows(
        """SELECT COALESCE(p.id, p.email) AS person, o.object_id, r.attributes FROM relationships r
           JOIN people p USING (workspace_id, person_id) JOIN objects o USING (workspace_id, object_no)
           WHERE r.workspace_id = $1"""
    )
    return {(row["person"], row["object_id"]): row["attributes"] for row in rows}


async def things(room: Room) -> set[str]:
    return {row["object_id"] for row in await room.rows("SELECT object_id FROM objects WHERE workspace_id = $1")}


async def lines(room: Room, *types: str) -> list[tuple[str, str | None, dict[str, Any]]]:
    rows = await room.rows(
        """SELECT a.type, p.id, a.data FROM activities a LEFT JOIN people p USING (workspace_id, person_id)
           WHERE a.workspace_id = $1 AND a.type = ANY($2::text[]) ORDER BY a.activity_id""",
        list(types),
    )
    return [(row["type"], row["id"], row["data"]) for row in rows]


async def last(room: Room) -> tuple[str, str | None]:
    (row,) = await room.rows("SELECT outcome, note FROM ingest_log WHERE workspace_id = $1 ORDER BY seq DESC LIMIT 1")
    return row["outcome"], row["note"]


async def test_relating_twice_is_relating_once_and_changes_what_is_said(here: Room):
    await here.apply(add(edge("1", "acme", role="owner", since=2020)))
    await here.apply(add(edge("1", "acme", role="", since=2020.0, seat=4)), add(edge("1", "acme", seat=4)))
    assert await related(here) == {("1", "acme"): {"since": 2020, "seat": 4}}
    (person,) = await here.rows("SELECT person_id FROM people WHERE workspace_id = $1")
    (thing,) = await here.rows("SELECT object_no FROM objects WHERE workspace_id = $1")
    named = {"object_type_id": "1", "object_id": "acme", "cio_object_id": cio_object_id(thing["object_no"])}
    first = {**named, "attributes": {"role": "owner", "since": 2020}}
    changed = {**named, "attributes": {"role": "", "seat": 4}, "before": {"role": "owner"}}
    assert await lines(here, "add_relationship", "relationship_attribute_change", "_o:1:add_relationship") == [
        ("add_relationship", "1", first),
        ("_o:1:add_relationship", None, {**named, "cio_id": cio_id(person["person_id"])}),
        ("relationship_attribute_change", "1", changed),
    ]


async def test_parting_removes_what_is_there_and_says_so(here: Room):
    await here.apply(add(edge("1", "acme", role="owner"), edge("2", "acme")))
    await here.apply(part(edge("1", "acme"), edge("1", "acme"), edge("3", "acme"), edge("1", "nothing")))
    assert await related(here) == {("2", "acme"): {}}
    assert await last(here) == ("applied", "Person does not exist; Object does not exist")
    gone = await lines(here, "delete_relationship", "_o:1:delete_relationship")
    assert [(kind, data.get("attributes")) for kind, _, data in gone] == [
        ("delete_relationship", {"role": "owner"}),
        ("_o:1:delete_relationship", None),
    ]
    await here.apply(part(edge("9", "acme")))
    assert await last(here) == ("ignored", "Person does not exist")
    assert (len(await here.people()), await things(here)) == (2, {"acme"})


async def test_who_and_what_is_unknown_is_made(here: Room):
    await here.apply(
        add(
            edge("1", "acme"),
            edge("1", "other"),
            Edge(person=who("a@x.io", "email"), object=ref("acme")),
            Edge(person=who("deadbeef", "cio_id"), object=ref("never")),
        )
    )
    assert set(await related(here)) == {("1", "acme"), ("1", "other"), ("a@x.io", "acme")}
    assert await things(here) == {"acme", "other"}
    assert await last(here) == ("applied", "Person does not exist")


async def test_an_identify_call_relates_only_whom_it_found(here: Room):
    await here.apply(add(edge("1", "acme"), existing_people=True))
    assert (await here.people(), await things(here)) == ([], set())
    assert await last(here) == ("ignored", "Person does not exist")
    await here.apply(Identify(subject=who("1")), add(edge("1", "acme"), existing_people=True))
    assert set(await related(here)) == {("1", "acme")}


async def test_files_relate_what_is_there(here: Room):
    await here.apply(add(edge("1", "acme"), existing_only=True))
    assert await last(here) == ("failed", "Person does not exist")
    await here.apply(Identify(subject=who("1")), add(edge("1", "acme"), existing_only=True))
    assert await last(here) == ("failed", "Object does not exist")
    await here.apply(IdentifyObject(object=ref("acme")), add(edge("1", "acme", role="x"), existing_only=True))
    assert await related(here) == {("1", "acme"): {"role": "x"}}
    by_ours = ObjectRef(cio_object_id="ob0fffffff")
    await here.apply(add(Edge(person=who("2"), object=by_ours)))
    assert await last(here) == ("ignored", "Object does not exist")
    assert [person["id"] for person in await here.people()] == ["1"]


async def test_the_suppressed_are_not_related(here: Room):
    await here.apply(SuppressPerson(subject=who("1")), add(edge("1", "acme")))
    assert await last(here) == ("suppressed", "The person is suppressed.")
    await here.apply(add(edge("1", "acme"), edge("2", "acme")))
    assert set(await related(here)) == {("2", "acme")}


async def test_what_is_said_of_a_relationship_has_an_end(here: Room):
    half = "x" * 60_000
    await here.apply(add(edge("1", "acme", a=half, b=half)))
    assert set((await related(here))["1", "acme"]) == {"a"}
    ((_, _, data),) = await lines(here, "relationship_failed_attribute_change")
    assert data["reasons"] == {"b": "All attributes together have at most 100000 bytes."}


async def test_an_object_made_in_the_same_batch_is_found_by_both_of_its_names(here: Room):
    await here.apply(IdentifyObject(object=ref("acme"), attributes={"name": "Acme"}), add(edge("1", "acme")))
    (row,) = await here.rows("SELECT object_no FROM objects WHERE workspace_id = $1")
    by_ours = ObjectRef(cio_object_id=cio_object_id(row["object_no"]))
    await here.apply(
        ChangeRelationships(edges=[Edge(person=who("1"), object=by_ours)], action="delete"),
        add(Edge(person=who("2"), object=by_ours)),
    )
    assert set(await related(here)) == {("2", "acme")}


async def test_merged_people_belong_to_what_either_belonged_to(here: Room):
    await here.apply(
        add(edge("1", "acme", role="owner"), edge("2", "acme", role="guest", seat=1), edge("2", "other")),
        MergePeople(primary=who("1"), secondary=who("2")),
        add(edge("1", "other", role="guest")),
    )
    assert await related(here) == {("1", "acme"): {"role": "owner", "seat": 1}, ("1", "other"): {"role": "guest"}}


async def test_relationships_go_with_the_person(here: Room):
    await here.apply(add(edge("1", "acme"), edge("2", "acme")), DeletePerson(subject=who("1")), add(edge("1", "b")))
    assert set(await related(here)) == {("2", "acme"), ("1", "b")}


async def test_api_case_30_what_somebody_unknown_joined_waits_for_them(here: Room):
    group = {"object": ref("g1", 2), "attributes": {"name": "Acme"}, "relationship": {"role": "sponsor"}}
    await here.apply(ParkGroup(anonymous_id="z", **group))
    assert (await here.people(), await things(here)) == ([], set())
    await here.apply(Identify(subject=who("u1")), BindAnonymous(subject=who("u1"), anonymous_id="z"))
    assert await related(here) == {("u1", "g1"): {"role": "sponsor"}}
    (row,) = await here.rows("SELECT object_type_id, attributes FROM objects WHERE workspace_id = $1")
    assert row == {"object_type_id": 2, "attributes": {"name": "Acme"}}
    # An object that is there by then is not made a second time.
    await here.apply(ParkGroup(anonymous_id="y", **{**group, "attributes": {"name": "ACME"}}))
    await here.apply(Identify(subject=who("u2")), BindAnonymous(subject=who("u2"), anonymous_id="y"))
    assert set(await related(here)) == {("u1", "g1"), ("u2", "g1")}
    assert await here.rows("SELECT attributes FROM objects WHERE workspace_id = $1") == [
        {"attributes": {"name": "ACME"}}
    ]


async def test_what_waited_is_older_than_what_the_object_was_told_meanwhile(here: Room):
    attributes = {"name": "Old", "city": "Rome"}
    await here.apply(ParkGroup(anonymous_id="z", object=ref("g1"), attributes=attributes))
    await here.move(days=1)
    await here.apply(IdentifyObject(object=ref("g1"), attributes={"name": "New"}))
    await here.move(days=28)
    await here.apply(Identify(subject=who("u1")), BindAnonymous(subject=who("u1"), anonymous_id="z"))
    assert set(await related(here)) == {("u1", "g1")}
    (row,) = await here.rows("SELECT attributes FROM objects WHERE workspace_id = $1")
    assert row["attributes"] == {"name": "New", "city": "Rome"}


async def test_nothing_waits_longer_than_thirty_days(here: Room):
    await here.apply(ParkGroup(anonymous_id="z", object=ref("g1", 9), attributes={"name": "Acme"}))
    await here.move(days=31)
    await here.apply(Identify(subject=who("u1")), BindAnonymous(subject=who("u1"), anonymous_id="z"))
    assert (await things(here), await related(here)) == (set(), {})
    assert await here.rows("SELECT 1 FROM definitions WHERE workspace_id = $1 AND definition_id = 9") == []


async def test_somebody_made_by_a_relationship_is_looked_at_for_segments(here: Room):
    conditions = {"not": {"attribute": {"field": "plan", "operator": "exists"}}}
    await here.define({"kind": "segment", "key": "planless", "name": "Planless", "conditions": conditions})
    await here.apply(add(edge("1", "acme"), edge("1", "other"), edge("2", "acme")))
    assert await here.members("planless") == ["1", "2"]


async def test_the_data_index_hears_of_what_is_said(here: Room):
    await here.apply(add(edge("1", "acme", role="owner"), edge("2", "acme", role=2)))
    seen = await here.rows(
        """SELECT kind, name, value_type FROM data_name_deltas
           WHERE workspace_id = $1 AND kind LIKE 'relationship:%' ORDER BY value_type"""
    )
    assert seen == [
        {"kind": "relationship:1", "name": "role", "value_type": "number"},
        {"kind": "relationship:1", "name": "role", "value_type": "string"},
    ]
