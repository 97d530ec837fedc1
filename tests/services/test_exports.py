"""Data out: tables of people and what is theirs, everything of one person, links to files (PPL-49, PPL-50)."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from datetime import timedelta
from typing import Any

import pytest

from clock import system_now
from domain.errors import DomainError, NotFound
from domain.operations import (
    AddDevice,
    ChangeRelationships,
    DeletePerson,
    Edge,
    Identifier,
    Identify,
    IdentifyObject,
    ObjectRef,
    TrackEvent,
)
from domain.task_steps import TaskRef
from services import exports, long_tasks
from services.expiry import expire_files
from services.file_links import FileLinks, FileRef
from tests.support.database import START, Room
from tests.support.files import Files, table

PRO = {"kind": "segment", "key": "pro", "name": "Pro", "conditions": {"attribute": {"field": "plan", "value": "pro"}}}
ACCOUNTS = {
    "kind": "object_type",
    "key": "accounts",
    "name": "Accounts",
    "singular_name": "Account",
    "object_type_id": 1,
}
THEN = int(START.timestamp())
IS_PRO = {"attribute": {"field": "plan", "operator": "eq", "value": "pro"}}


@pytest.fixture
def files(room: Room) -> Files:
    return Files(room)


def who(value: str, kind: str = "id") -> Identifier:
    return Identifier(kind=kind, value=value)


def identify(value: str, kind: str = "id", /, **attributes: Any) -> Identify:
    return Identify(subject=who(value, kind), attributes=attributes)


def related(person: str, object_id: str, kind: int = 1, /, **attributes: Any) -> ChangeRelationships:
    thing = ObjectRef(object_type_id=kind, object_id=object_id)
    return ChangeRelationships(edges=[Edge(person=who(person), object=thing, attributes=attributes)])


def opened(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


async def segment_id(room: Room) -> int:
    (row,) = await room.rows("SELECT definition_id FROM definitions WHERE workspace_id = $1 AND kind = 'segment'")
    return row["definition_id"]


async def numbers(room: Room) -> dict[str, str]:
    rows = await room.rows("SELECT id, person_id FROM people WHERE workspace_id = $1")
    return {row["id"]: f"{row['person_id']:08x}" for row in rows}


async def test_everybody_with_every_attribute(room: Room, files: Files):
    await room.apply(
        identify("1", email="a@x.io", plan="pro", age=5),
        identify("2", note='a, "b"\n=1+1'),
        identify("b@x.io", "email"),
    )
    content = await files.export("customers")
    first, second, third = table(content)
    assert list(first)[:5] == ["id", "email", "cio_id", "_created_in_customerio_at", "_last_visited"]
    assert (first["id"], first["email"], first["plan"], first["age"]) == ("1", "a@x.io", "pro", "5")
    assert first["cio_id"] == (await numbers(room))["1"]
    assert first["_created_in_customerio_at"] == str(THEN)
    assert second["note"] == 'a, "b"\n=1+1', "values are quoted, never altered"
    assert (third["id"], third["email"]) == ("", "b@x.io")


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (IS_PRO, ["1", "3"]),
        ({"not": IS_PRO}, ["2"]),
        ({"and": [IS_PRO, {"attribute": {"field": "city", "operator": "exists"}}]}, ["3"]),
        ({"or": [{"attribute": {"field": "id", "operator": "eq", "value": "2"}}, IS_PRO]}, ["1", "2", "3"]),
        ({"attribute": {"field": "vip", "operator": "eq", "value": "true"}}, ["2"]),
        ({"performed": {"event": "bought", "within": "P30D"}}, ["3"]),
        ({"and": [IS_PRO, {"performed": {"event": "bought", "inverse": True}}]}, ["1"]),
        ({"not": {"attribute": {"field": "city", "operator": "contains", "value": "om"}}}, ["1", "2"]),
    ],
)
async def test_those_who_match(room: Room, files: Files, filters: Any, expected: list[str]):
    await room.apply(identify("1", plan="pro"), identify("2", vip=True), identify("3", plan="Pro", city="Rome"))
    await room.apply(TrackEvent(subject=who("3"), name="bought"))
    content = await files.export("customers", filters=filters, attributes=["plan"])
    assert [row["id"] for row in table(content)] == expected
    assert list(table(content)[0]) == ["id", "plan"]


async def test_a_segment_adds_since_when(room: Room, files: Files):
    await room.define(PRO)
    await room.apply(identify("1", plan="pro"), identify("2"))
    number = await segment_id(room)
    member = {"segment": {"id": number}}
    (row,) = table(await files.export("customers", filters=member, attributes=["plan"]))
    assert row == {
        "id": "1",
        "plan": "pro",
        f"_segment:{number}": str(THEN),
        f"_segment:{number}:readable": "2026-01-01 10:00:00 UTC",
    }
    assert table(await files.export("customers", filters={"segment": {"key": "pro"}}, attributes=["plan"])) == [row]
    rows = table(await files.export("customers", filters={"or": [member, {"not": member}]}, columns="displayed"))
    assert [(row["id"], row[f"_segment:{number}"]) for row in rows] == [("1", str(THEN)), ("2", "")]
    assert "plan" not in rows[0]
    assert {"city", "state", "created_at"} <= rows[0].keys()


async def test_many_people_in_pages(room: Room, files: Files, monkeypatch):
    monkeypatch.setattr("services.looking.matching.PAGE", 3)
    await room.apply(*(identify(str(n), plan="pro" if n % 2 else "basic") for n in range(10)))
    number = await files.wanted("customers", filters=IS_PRO)
    (task_id,) = await files.open()
    ref = TaskRef(workspace_id=room.workspace_id, task_id=task_id)
    progress, _ = await files.tasks.step(ref)
    assert (progress.done, progress.total, progress.details) == (6, 10, f"export {number}: 6 of 10 (running)")
    with pytest.raises(DomainError) as early:
        await files.fetched(number)
    assert early.value.code == "invalid_parameter"
    await files.carry()
    assert [row["id"] for row in table(await files.fetched(number))] == ["1", "3", "5", "7", "9"]
    row = await exports.get(room.db, room.workspace_id, number)
    assert (row.state, row.total) == ("done", 5)


async def test_relationships_are_a_second_table(room: Room, files: Files):
    await room.define(ACCOUNTS)
    await room.apply(identify("1"), identify("2"), related("1", "acme", role="admin"), related("2", "acme"))
    await room.apply(related("1", "hidden", 2))
    found = opened(await files.export("customers", filters={"not": IS_PRO}, relationships=True))
    people, edges = table(found["people.csv"]), table(found["relationships.csv"])
    assert len(people) == 2
    assert [(edge["cio_id"], edge["object_id"], edge["role"]) for edge in edges] == [
        (people[0]["cio_id"], "acme", "admin"),
        (people[1]["cio_id"], "acme", ""),
    ]


async def test_two_tables_are_an_archive_even_where_nobody_is_there(room: Room, files: Files):
    number = await files.wanted("customers", relationships=True)
    await files.carry()
    assert exports.is_archive(await exports.get(room.db, room.workspace_id, number))
    archive = zipfile.ZipFile(io.BytesIO(await files.fetched(number)))
    assert archive.namelist() == ["people.csv", "relationships.csv"]


async def test_devices_with_their_owners(room: Room, files: Files):
    await room.apply(
        identify("1", email="a@x.io"), AddDevice(subject=who("1"), token="t1", platform="ios", last_used=THEN - 5)
    )
    (row,) = table(await files.export("devices"))
    assert (row["id"], row["email"], row["token"], row["platform"]) == ("1", "a@x.io", "t1", "ios")
    assert row["last_used"] == str(THEN - 5)


async def test_duplicates_are_grouped(room: Room, files: Files, monkeypatch):
    monkeypatch.setattr("services.exporting.lists.SHARED_PART", 2)
    monkeypatch.setattr("services.exporting.lists.PAGE", 1)
    phones = {"1": "b", "2": "a", "3": "b", "4": "c", "5": "a", "6": None, "7": None}
    await room.apply(*(identify(key, phone=value) for key, value in phones.items()))
    rows = table(await files.export("duplicates", attribute="phone"))
    assert sorted((row["phone"], row["id"]) for row in rows) == [("a", "2"), ("a", "5"), ("b", "1"), ("b", "3")]
    assert [row["phone"] for row in rows] in (["a", "a", "b", "b"], ["b", "b", "a", "a"])


async def test_changes_of_a_segment(room: Room, files: Files):
    await room.define(PRO)
    await room.apply(identify("1", plan="pro"), identify("1", plan="basic"))
    rows = table(await files.export("segment_changes", segment="pro"))
    assert [(row["id"], row["change"], row["at"]) for row in rows] == [
        ("1", "entered", str(THEN)),
        ("1", "left", str(THEN)),
    ]


async def test_everything_of_one_person(room: Room, files: Files):
    await room.apply(
        identify("1", email="a@x.io", plan="pro"),
        TrackEvent(subject=who("1"), name="bought", data={"sku": 1}, event_id="e1"),
        AddDevice(subject=who("1"), token="t1", platform="ios"),
        related("1", "acme", role="admin"),
        identify("2", plan="basic"),
    )
    found = opened(await files.export("person", email="A@x.io"))
    assert set(found) == {
        "attributes.json",
        "details.json",
        "devices.json",
        "events.json.gz",
        "metrics.json",
        "relationships.json",
    }
    attributes = json.loads(found["attributes.json"])["attributes"]
    assert (attributes["id"], attributes["email"], attributes["plan"]) == ("1", "a@x.io", "pro")
    (event,) = [json.loads(line) for line in gzip.decompress(found["events.json.gz"]).splitlines()]
    assert event == {"name": "bought", "type": "event", "timestamp": THEN, "data": {"sku": 1}, "id": "e1"}
    assert [device["id"] for device in json.loads(found["devices.json"])] == ["t1"]
    assert json.loads(found["relationships.json"])[0]["attributes"] == {"role": "admin"}
    assert found["details.json"] == b""


async def test_nobody_is_not_found(room: Room, files: Files):
    with pytest.raises(NotFound):
        await files.wanted("person", id="nobody")


async def test_objects_of_a_type(room: Room, files: Files):
    thing = ObjectRef(object_type_id=1, object_id="acme")
    await room.apply(identify("1"), IdentifyObject(object=thing, attributes={"name": "Acme", "size": 5}))
    await room.apply(related("1", "acme", role="admin"))
    (row,) = table(await files.export("objects", object_type_id=1))
    assert (row["object_id"], row["name"], row["size"]) == ("acme", "Acme", "5")
    found = opened(await files.export("objects", object_type_id=1, relationships=True, columns="displayed"))
    (row,) = table(found["objects.csv"])
    assert "size" not in row
    (edge,) = table(found["relationships.csv"])
    assert (edge["cio_object_id"], edge["id"], edge["role"]) == (row["cio_object_id"], "1", "admin")
    one = opened(await files.export("object", object_type_id=1, object_id="acme"))
    assert json.loads(one["attributes.json"])["attributes"] == {"name": "Acme", "size": 5}
    assert json.loads(one["relationships.json"])["cio_object_id"] == row["cio_object_id"]


async def test_who_is_erased_is_in_no_file(room: Room, files: Files):
    await room.apply(identify("1", plan="pro"), identify("2", plan="pro"))
    number = await files.wanted("customers")
    await files.carry()
    await room.apply(DeletePerson(subject=who("1")))
    assert [row["id"] for row in table(await files.fetched(number))] == ["2"]


async def test_who_is_erased_while_the_file_is_made_is_not_in_it(room: Room, files: Files, monkeypatch):
    monkeypatch.setattr("services.export_pages.CHECKED_PAGE", 1)
    await room.apply(identify("1", plan="pro"), identify("2", plan="pro"))
    number = await files.wanted("customers")
    (task_id,) = await files.open()
    ref = TaskRef(workspace_id=room.workspace_id, task_id=task_id)
    (row,) = await room.rows("SELECT person_id FROM people WHERE workspace_id = $1 AND id = '1'")
    async with room.db.transaction() as conn:
        # The one who removes has passed the lines, and has not committed.
        await conn.execute("DELETE FROM people WHERE workspace_id = $1 AND id = '1'", room.workspace_id)
        await files.tasks.step(ref)
        await files.tasks.step(ref)
        progress, idle = await files.tasks.step(ref)
        assert (progress.state, idle) == ("running", True)
        lines = "SELECT 1 FROM export_lines WHERE workspace_id = $1 AND person_id = $2"
        assert len(await room.rows(lines, row["person_id"])) == 1
    await files.carry()
    assert [row["id"] for row in table(await files.fetched(number))] == ["2"]


async def test_a_cancelled_export_leaves_no_lines(room: Room, files: Files):
    await room.apply(identify("1"))
    number = await files.wanted("customers")
    (task_id,) = await files.open()
    await files.tasks.step(TaskRef(workspace_id=room.workspace_id, task_id=task_id))
    await long_tasks.cancel(room.db, room.workspace_id, task_id, system_now())
    await files.carry()
    row = await exports.get(room.db, room.workspace_id, number)
    assert (row.state, row.error) == ("failed", "It was cancelled.")
    assert await room.rows("SELECT 1 FROM export_lines WHERE workspace_id = $1") == []


@pytest.mark.parametrize(
    ("kind", "body", "pointer"),
    [
        ("customers", {"filters": {"event": {"field": "x"}}}, "/filters/event"),
        (
            "customers",
            {"filters": {"attribute": {"field": "x", "operator": "like", "value": 1}}},
            "/filters/attribute/operator",
        ),
        ("customers", {"filters": {"attribute": {"field": "x", "operator": "eq"}}}, "/filters/attribute/value"),
        (
            "customers",
            {"filters": {"attribute": {"field": "x", "operator": "eq", "value": {"from": "trigger.y"}}}},
            "/filters/attribute/value",
        ),
        ("customers", {"filters": {"and": [], "or": []}}, "/filters"),
        ("customers", {"filter": {}}, "/filter"),
        ("customers", {"filters": {"segment": {"id": 99}}}, "/filters/segment"),
        ("customers", {"filters": {"not": {"and": [{"segment": {"id": 99}}]}}}, "/filters/not/and/0/segment"),
        ("customers", [], ""),
        ("deliveries", {}, "/campaign_id"),
        ("deliveries", {"campaign_id": 77}, "/campaign_id"),
        ("deliveries", {"newsletter_id": 1}, "/newsletter_id"),
        ("person", {}, "/id"),
        ("duplicates", {}, "/attribute"),
        ("segment_changes", {"segment": "none"}, "/segment"),
    ],
)
async def test_what_is_asked_for_is_checked(room: Room, kind: str, body: Any, pointer: str):
    with pytest.raises(DomainError) as refused:
        await exports.create(room.db, room.catalogs, room.workspace_id, kind, body, real_now=system_now())
    assert (refused.value.code, refused.value.pointer) == ("invalid_parameter", pointer)


async def test_exports_are_kept_for_sixty_days(room: Room, files: Files):
    await room.apply(identify("1"))
    await files.export("customers")
    await room.move(days=59)
    await expire_files(room.db, system_now())
    (export,) = (await exports.listed(room.db, room.workspace_id))["exports"]
    assert export["status"] == "done"
    await room.move(days=2)
    await expire_files(room.db, system_now())
    assert await exports.listed(room.db, room.workspace_id) == {"exports": None}
    assert await room.rows("SELECT 1 FROM export_lines WHERE workspace_id = $1") == []


def test_links_are_good_for_a_quarter_of_an_hour():
    links, ref, now = FileLinks(b"k" * 32, "http://x/"), FileRef("export", 3, 7), system_now()
    link = links.link(ref, now)
    token = link.removeprefix("http://x/v1/exports/files/")
    assert links.read(token, now + timedelta(minutes=15)) == ref
    foreign = FileLinks(b"o" * 32, "http://x")
    for reader, text, at in (
        (links, token, now + timedelta(minutes=16)),
        (foreign, token, now),
        (links, token[:-4] + "AAAA", now),
        (links, "", now),
        (links, "é" * 10, now),
        (links, "A" * 500, now),
    ):
        with pytest.raises(DomainError) as refused:
            reader.read(text, at)
        assert refused.value.code == "not_found"
