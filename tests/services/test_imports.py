"""Files in: what their rows become, what is wrong with them, and how the work goes on (PPL-45 to PPL-48)."""

from __future__ import annotations

from typing import Any

import pytest

from clock import system_now
from domain.captured import FaultRule
from domain.errors import DomainError, InvalidInput
from domain.operations import Identifier, Identify, SuppressPerson, UnsuppressPerson
from domain.task_steps import TaskRef
from services import imports, long_tasks
from services.tasks import get as task_of
from store import mailbox
from tests.support.database import Room
from tests.support.files import Files

VIP = {"kind": "segment", "key": "vip", "name": "VIP", "type": "manual"}
PRO = {"kind": "segment", "key": "pro", "name": "Pro", "conditions": {"attribute": {"field": "plan", "value": "pro"}}}
ID_ONLY = {"kind": "settings", "key": "workspace", "identifiers": "id_only"}


@pytest.fixture
def files(room: Room) -> Files:
    return Files(room)


def identify(value: str, kind: str = "id", /, **attributes: Any) -> Identify:
    return Identify(subject=Identifier(kind=kind, value=value), attributes=attributes)


def counts(done: dict[str, Any]) -> tuple[int, int, int, int]:
    return done["rows_created"], done["rows_updated"], done["rows_failed"], done["rows_warned"]


async def notes(files: Files, done: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [(row["_row"], row["_errors"], row["_warnings"]) for row in await files.errors(done["id"])]


async def test_rows_become_people(room: Room, files: Files):
    await room.apply(identify("1", plan="basic", city="Rome"))
    done = await files.bring("id,email,plan\n1,,pro\n2,b@x.io,pro\n3,c@x.io,\n")
    assert (done["state"], done["rows_to_import"], done["rows_imported"]) == ("imported", 3, 3)
    assert counts(done) == (2, 1, 0, 0)
    assert await room.people() == [
        {"id": "1", "email": None, "attributes": {"plan": "pro", "city": "Rome"}},
        {"id": "2", "email": "b@x.io", "attributes": {"plan": "pro"}},
        {"id": "3", "email": "c@x.io", "attributes": {}},
    ]
    assert await room.rows("SELECT 1 FROM import_rows WHERE workspace_id = $1") == []
    assert await room.rows("SELECT 1 FROM import_files WHERE workspace_id = $1") == []
    sources = await room.rows("SELECT DISTINCT source FROM ingest_log WHERE workspace_id = $1 AND source <> 'test'")
    assert sources == [{"source": "CSV import: test"}]


async def test_rows_are_facts_and_move_segments(room: Room, files: Files):
    await room.define(PRO)
    await files.bring("id,plan\n1,pro\n2,basic\n3,PRO\n")
    assert await room.members("pro") == ["1", "3"]


async def test_quotes_commas_line_ends_and_the_mark_of_utf_8(room: Room, files: Files):
    await files.bring('\ufeffid,"note"\r\n1,"a, ""b""\r\nc"\r\n\r\n2,é\r\n')
    assert [p["attributes"] for p in await room.people()] == [{"note": 'a, "b"\r\nc'}, {"note": "é"}]


@pytest.mark.parametrize(
    ("cells", "expected"), [("ignore", {"plan": "pro", "city": "Rome"}), ("clear", {"plan": "pro"})]
)
async def test_empty_cells_are_ignored_or_clear(room: Room, files: Files, cells: str, expected: dict[str, str]):
    await room.apply(identify("1", email="a@x.io", city="Rome"))
    await files.bring("id,email,plan,city\n1,,pro,\n", empty_cells=cells)
    assert await room.people() == [{"id": "1", "email": "a@x.io", "attributes": expected}]


async def test_columns_are_renamed_and_skipped(room: Room, files: Files):
    mapping = {"Customer": "id", "Secret": None}
    await files.bring("Customer,Secret,Plan\n1,x,pro\n", mapping=mapping)
    assert await room.people() == [{"id": "1", "email": None, "attributes": {"Plan": "pro"}}]


@pytest.mark.parametrize(
    ("processed", "expected"),
    [
        ("all", ({"1": "new", "2": "new"}, (1, 1, 0, 0))),
        ("only_new", ({"1": "old", "2": "new"}, (1, 0, 0, 0))),
        ("only_existing", ({"1": "new"}, (0, 1, 1, 0))),
    ],
)
async def test_whom_to_process(room: Room, files: Files, processed: str, expected: Any):
    await room.apply(identify("1", plan="old"))
    done = await files.bring("id,plan\n1,new\n2,new\n", data_to_process=processed)
    assert ({p["id"]: p["attributes"]["plan"] for p in await room.people()}, counts(done)) == expected
    if processed == "only_existing":
        assert await notes(files, done) == [("2", "Person does not exist", "")]


async def test_what_is_wrong_with_rows(room: Room, files: Files):
    await room.apply(identify("1", email="a@x.io"), identify("9", email="taken@x.io"))
    long = "x" * 1001
    done = await files.bring(
        f"id,email,plan\n,b@x.io,pro\n1,other@x.io,pro\n5,taken@x.io,pro\n6,nonsense,pro\n7,,{long}\n8,,a,b\n4,d@x.io,pro\n"
    )
    assert counts(done) == (1, 0, 6, 0)
    found = await notes(files, done)
    assert [row for row, _, _ in found] == ["1", "2", "3", "4", "5", "6"]
    said = [error for _, error, _ in found]
    assert said[0] == 'Missing value in the "id" column.'
    assert said[1].startswith("Failed Attribute Change: email:")
    assert said[3] == "Failed Attribute Change: email: Not an email address."
    assert said[4] == 'The value in the "plan" column is longer than 1000 bytes.'
    assert said[5] == "The row has 4 cells, and the file 3 columns."
    (row,) = [row for row in await files.errors(done["id"]) if row["_row"] == "2"]
    assert (row["id"], row["email"], row["plan"]) == ("1", "other@x.io", "pro")
    everybody = {p["id"]: (p["email"], p["attributes"]) for p in await room.people()}
    assert everybody["1"] == ("a@x.io", {})
    assert everybody["4"] == ("d@x.io", {"plan": "pro"})


async def test_an_empty_name_is_filled(room: Room, files: Files):
    await room.apply(identify("a@x.io", "email"), identify("2"))
    done = await files.bring("id,email\n1,a@x.io\n2,b@x.io\n")
    assert counts(done) == (0, 2, 0, 0)
    assert [(p["id"], p["email"]) for p in await room.people()] == [("1", "a@x.io"), ("2", "b@x.io")]


async def test_only_a_cio_id_changes_names(room: Room, files: Files):
    await room.apply(identify("1", email="a@x.io"))
    (row,) = await room.rows("SELECT person_id FROM people WHERE workspace_id = $1")
    number = f"{row['person_id']:08x}"
    text = f"cio_id,id,email\n{number},2,b@x.io\nffffffff,3,\n"
    done = await files.bring(text, identifier="cio_id")
    assert counts(done) == (0, 1, 1, 0)
    assert await notes(files, done) == [("2", "Person does not exist", "")]
    assert [(p["id"], p["email"]) for p in await room.people()] == [("2", "b@x.io")]


async def test_rows_that_contradict_each_other_warn(room: Room, files: Files):
    done = await files.bring("id,email\n1,a@x.io\n1,b@x.io\n2,A@x.io\n3,c@x.io\n", identifier="email")
    several, same = "Other rows have this id with another email.", "Other rows have this email."
    found = {row: warnings for row, _, warnings in await notes(files, done)}
    assert found["1"] == f"{several}; {same}"
    assert found["2"] == several
    assert found["3"] == same
    assert "4" not in found


async def test_people_go_into_a_manual_segment(room: Room, files: Files):
    await room.define(VIP)
    await room.apply(identify("1"))
    done = await files.bring("id,plan\n1,a\n2,b\n3,c\n", segment="vip", data_to_process="only_existing")
    assert counts(done) == (0, 1, 2, 0)
    assert await room.members("vip") == ["1"]
    assert len(await room.people()) == 1
    await files.bring("email\nx@x.io\n", segment="vip", identifier="email")
    (row,) = await room.rows("SELECT count(*) AS n FROM memberships WHERE workspace_id = $1 AND member")
    assert row["n"] == 2


async def test_where_addresses_name_nobody_they_find_people(room: Room, files: Files):
    await room.define(ID_ONLY)
    await room.apply(identify("1", email="a@x.io"), identify("2", email="b@x.io"), identify("3", email="b@x.io"))
    text = "email,plan,id\na@x.io,pro,\nb@x.io,pro,\nc@x.io,pro,\na@x.io,top,7\n"
    done = await files.bring(text, identifier="email", data_to_process="only_existing")
    assert counts(done)[:3] == (0, 1, 3)
    said = {row: error for row, error, _ in await notes(files, done)}
    assert said["2"] == "Several people have this email."
    assert said["3"] == "Person does not exist"
    assert said["4"].startswith("Failed Attribute Change: id:")
    assert (await room.people())[0]["attributes"]["plan"] == "pro"
    with pytest.raises(InvalidInput) as refused:
        await files.begin("email\na@x.io\n", identifier="email")
    assert refused.value.problems[0].pointer == "/import/data_to_process"


async def test_ppl_case_33_events_of_people_who_exist(room: Room, files: Files):
    await room.apply(identify("7"))
    text = "_cio_name,_cio_customer_id,_cio_timestamp,item.sku\nbought,7,1767000000,A1\nbought,8,1767000000,A1\n"
    done = await files.bring(text, type="event")
    assert counts(done) == (0, 1, 1, 0)
    assert await notes(files, done) == [("2", "Person does not exist", "")]
    (event,) = await room.rows(
        "SELECT name, data, EXTRACT(EPOCH FROM at)::bigint AS at FROM events WHERE workspace_id = $1"
    )
    assert event == {"name": "bought", "data": {"item.sku": "A1"}, "at": 1767000000}
    assert len(await room.people()) == 1


async def test_events_by_email_at_the_time_of_processing(room: Room, files: Files):
    await room.apply(identify("7", email="a@x.io"))
    text = "_cio_name,_cio_customer_id,plan\nbought,A@x.io,\n,a@x.io,x\nbought,a@x.io,pro\n"
    done = await files.bring(text, type="event", identifier="email")
    assert counts(done) == (0, 2, 1, 0)
    rows = await room.rows("SELECT data, at FROM events WHERE workspace_id = $1 ORDER BY seq")
    assert [(row["data"], row["at"]) for row in rows] == [({}, room.now), ({"plan": "pro"}, room.now)]


async def test_a_moment_that_is_none(room: Room, files: Files):
    await room.apply(identify("7"))
    done = await files.bring("_cio_name,_cio_customer_id,_cio_timestamp\nbought,7,yesterday\n", type="event")
    assert await notes(files, done) == [("1", 'The "_cio_timestamp" column takes Unix seconds.', "")]


async def test_ppl_case_34_subscription_preferences(room: Room, files: Files):
    key = "cio_subscription_preferences"
    both = {"topics": {"topic_1": True, "topic_2": True}}
    await room.apply(identify("1", **{key: both}), identify("2", **{key: both}))
    await files.bring(f"id,{key}.topics.topic_2\n1,false\n")
    await files.bring(f'id,{key}\n2,"{{""topics"":{{""topic_2"":false}}}}"\n')
    found = {p["id"]: p["attributes"][key] for p in await room.people()}
    assert found == {
        "1": {"topics": {"topic_1": True, "topic_2": False}},
        "2": {"topics": {"topic_2": False}},
    }
    done = await files.bring(f"id,{key}.topics.topic_2\n1,maybe\n")
    assert (await notes(files, done))[0][1] == f'The "{key}.topics.topic_2" column takes true or false.'


async def test_ppl_case_35_rows_about_suppressed_people_are_errors(room: Room, files: Files):
    await room.apply(identify("7", email="a@x.io", unsubscribed=True))
    await room.apply(SuppressPerson(subject=Identifier(kind="id", value="7")))
    done = await files.bring("id,plan\n7,pro\n8,pro\n")
    assert counts(done) == (1, 0, 1, 0)
    assert await notes(files, done) == [("1", "The identifier is suppressed.", "")]
    done = await files.bring("email\na@x.io\n", identifier="email")
    assert counts(done) == (0, 0, 1, 0)
    await room.apply(UnsuppressPerson(subject=Identifier(kind="id", value="7")))
    done = await files.bring("id,plan\n7,pro\n")
    assert counts(done) == (1, 0, 0, 0)
    assert {p["id"]: p["attributes"] for p in await room.people()}["7"] == {"plan": "pro"}


async def test_objects_and_relationships(room: Room, files: Files):
    done = await files.bring("object_id,name\nacme,Acme\n,Nobody\n", type="object", object_type_id="1")
    assert counts(done) == (1, 0, 1, 0)
    assert await notes(files, done) == [("2", 'Missing value in the "object_id" column.', "")]
    done = await files.bring("object_id,name\nacme,Acme Inc\n", type="object", object_type_id=1)
    assert counts(done) == (0, 1, 0, 0)
    await room.apply(identify("1"))
    text = "object_type_id,object_id,id,role\n1,acme,1,admin\n1,nothing,1,admin\n1,acme,2,admin\nx,acme,1,admin\n"
    done = await files.bring(text, type="relationship")
    assert counts(done) == (0, 1, 3, 0)
    said = [error for _, error, _ in await notes(files, done)]
    assert "Object does not exist" in said[0]
    assert "Person does not exist" in said[1]
    (edge,) = await room.rows("SELECT attributes FROM relationships WHERE workspace_id = $1")
    assert edge["attributes"] == {"role": "admin"}
    assert len(await room.people()) == 1


@pytest.mark.parametrize(
    ("text", "fields", "said"),
    [
        ("", {}, "The file is empty."),
        ("email,plan\n", {}, "There is no column `id`."),
        ("id,id\n1,2\n", {}, "There are two columns `id`."),
        ("id,\n1,2\n", {}, "Column 2 has no name in the first row."),
        (",".join(f"c{n}" for n in range(101)), {}, "The file has 101 columns; at most 100 are allowed."),
        ("id,plan\n", {"mapping": {"Plan": "x"}}, "The mapping names a column `Plan`, which the file does not have."),
        ("id,a,b\n", {"mapping": {"a": "b"}}, "Two columns are mapped to `b`."),
        ("_cio_customer_id,_cio_name\n", {"type": "event"}, "Column 1 of a file of events is `_cio_name`."),
        ("name\n", {"type": "object", "object_type_id": 1}, "There is no column `object_id`."),
        ("object_id,id\n", {"type": "relationship"}, "There is no column `object_type_id`."),
        (
            "id,cio_subscription_preferences.colour\n",
            {},
            "`cio_subscription_preferences.colour` is no subscription preference.",
        ),
    ],
)
async def test_files_that_cannot_be_read(room: Room, files: Files, text: str, fields: dict[str, Any], said: str):
    done = await files.bring(text, **fields)
    assert (done["state"], done["error"]) == ("failed", said)
    task = await task_of(room.db, room.workspace_id, done["task_id"])
    assert (task["state"], task["error"]) == ("failed", said)


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({}, "/import", "required"),
        ({"import": {"name": "x", "type": "people"}}, "/import/identifier", "required"),
        ({"import": {"name": "x", "type": "cats", "identifier": "id", "data": ""}}, "/import/type", "enum"),
        ({"import": {"name": "x", "type": "people", "identifier": "id"}}, "/import/data_file_url", "required"),
        ({"import": {"name": "x", "type": "event", "identifier": "cio_id", "data": ""}}, "/import/identifier", "enum"),
        ({"import": {"name": "x", "type": "object", "data": ""}}, "/import/object_type_id", "required"),
        (
            {"import": {"name": "x", "type": "people", "identifier": "id", "data": "", "segment": "none"}},
            "/import/segment",
            "unknown_reference",
        ),
    ],
)
async def test_what_is_asked_for_is_checked(room: Room, body: Any, pointer: str, code: str):
    with pytest.raises(InvalidInput) as refused:
        await imports.create(room.db, room.catalogs, room.workspace_id, body, system_now())
    assert (pointer, code) in [(problem.pointer, problem.code) for problem in refused.value.problems]


async def upload(files: Files, *pieces: bytes, **fields: Any) -> dict[str, Any]:
    async def sent():
        for piece in pieces:
            yield piece

    room = files.room
    asked = imports.read({"name": "test", "type": "people", "identifier": "id", **fields})
    made = await imports.upload(room.db, room.catalogs, room.workspace_id, asked, sent(), clock=system_now)
    return made["import"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"id,name\n1,\xe9\n", "Row 1: The file is not UTF-8; save it as UTF-8."),
        ("id\n1\n".encode("utf-16"), "The file is in UTF-16; save it as UTF-8."),
    ],
)
async def test_other_encodings_are_refused_before_anything_is_imported(
    room: Room, files: Files, content: bytes, said: str
):
    made = await upload(files, content)
    await files.carry()
    assert (await files.look(made["id"]))["error"] == said
    assert await room.people() == []
    assert await room.rows("SELECT 1 FROM import_rows WHERE workspace_id = $1") == []


async def test_rows_that_cannot_be_read_do_not_stop_the_others(room: Room, files: Files):
    made = await upload(files, b'id,name\n1,a\x00b\n2,x\n3,"never closed\n')
    await files.carry()
    done = await files.look(made["id"])
    assert (done["state"], counts(done)) == ("imported", (1, 0, 2, 0))
    said = [error for _, error, _ in await notes(files, done)]
    assert said == ["The row holds the character U+0000.", "A quote is not closed."]


async def test_an_upload_in_pieces_over_the_borders_of_pages(room: Room, files: Files, monkeypatch):
    monkeypatch.setattr("services.import_reading.READ_PAGE", 7)
    monkeypatch.setattr("services.import_reading.READ_BYTES", 40)
    monkeypatch.setattr("services.import_pages.QUEUE_PAGE", 5)
    monkeypatch.setattr("services.import_pages.MOST_OUTSTANDING", 8)
    monkeypatch.setattr("services.imports.PIECE_BYTES", 16)
    monkeypatch.setattr("services.import_reading.PIECE_BYTES", 16)
    monkeypatch.setattr("store.imports.PIECE_BYTES", 16)
    text = "id,note\n" + "".join(f'{n},"a\n{n}"\n' for n in range(50))
    made = await upload(files, *[text.encode()[at : at + 11] for at in range(0, len(text), 11)])
    await files.carry()
    assert counts(await files.look(made["id"])) == (50, 0, 0, 0)
    assert [p["attributes"]["note"] for p in await room.people()] == [f"a\n{n}" for n in range(50)]


async def test_the_log_never_holds_too_many_rows(room: Room, files: Files, monkeypatch):
    monkeypatch.setattr("services.import_pages.QUEUE_PAGE", 10)
    monkeypatch.setattr("services.import_pages.MOST_OUTSTANDING", 25)
    number = await files.begin("id\n" + "".join(f"{n}\n" for n in range(100)))
    (task_id,) = await files.open()
    ref = TaskRef(workspace_id=room.workspace_id, task_id=task_id)
    idle = False
    while not idle:
        progress, idle = await files.tasks.step(ref)
    waiting = "SELECT count(*) AS n FROM ingest_log WHERE workspace_id = $1 AND applied_at IS NULL"
    assert (await room.rows(waiting))[0]["n"] == 25
    assert (progress.state, progress.done, progress.total) == ("running", 0, 100)
    await files.apply()
    progress, idle = await files.tasks.step(ref)
    assert (progress.done, idle) == (25, False)
    assert progress.details == f"import {number}: 25 of 100 (running)"
    await files.carry()
    assert counts(await files.look(number)) == (100, 0, 0, 0)


async def test_cancelled_rows_are_not_applied(room: Room, files: Files, monkeypatch):
    monkeypatch.setattr("services.import_pages.QUEUE_PAGE", 10)
    monkeypatch.setattr("services.import_pages.MOST_OUTSTANDING", 10)
    number = await files.begin("id\n" + "".join(f"{n}\n" for n in range(100)))
    (task_id,) = await files.open()
    ref = TaskRef(workspace_id=room.workspace_id, task_id=task_id)
    idle = False
    while not idle:
        _, idle = await files.tasks.step(ref)
    answer = await long_tasks.cancel(room.db, room.workspace_id, task_id, system_now())
    assert answer["state"] == "cancelled"
    progress, _ = await files.tasks.step(ref)
    assert progress.state == "cancelled"
    assert progress.over
    await files.apply()
    await files.carry()
    assert (await files.look(number))["state"] == "canceled"
    assert len(await room.people()) == 10
    left = await room.rows("SELECT row_no FROM import_rows WHERE workspace_id = $1 AND row_no > 10")
    assert left == []
    with pytest.raises(DomainError) as over:
        await long_tasks.cancel(room.db, room.workspace_id, task_id, system_now())
    assert over.value.code == "invalid_state"


async def test_rows_that_were_in_line_when_it_was_cancelled_are_counted(room: Room, files: Files, monkeypatch):
    monkeypatch.setattr("services.import_pages.QUEUE_PAGE", 10)
    monkeypatch.setattr("services.import_pages.MOST_OUTSTANDING", 10)
    await room.define(VIP)
    number = await files.begin(
        "id\n1\n1234" + "x" * 150 + "\n" + "".join(f"{n}\n" for n in range(2, 99)), segment="vip"
    )
    (task_id,) = await files.open()
    ref = TaskRef(workspace_id=room.workspace_id, task_id=task_id)
    idle = False
    while not idle:
        _, idle = await files.tasks.step(ref)
    await long_tasks.cancel(room.db, room.workspace_id, task_id, system_now())
    await files.carry()
    done = await files.look(number)
    assert (done["state"], done["rows_imported"]) == ("canceled", 9)
    assert counts(done) == (9, 0, 1, 0)
    assert [row["_row"] for row in await files.errors(number)] == ["2"]
    assert [row["row_no"] for row in await room.rows("SELECT row_no FROM import_rows WHERE workspace_id = $1")] == [2]
    members = "SELECT 1 FROM memberships WHERE workspace_id = $1 AND kind = 'segment' AND member"
    assert len(await room.rows(members)) == 9


async def test_a_page_that_is_cut_off_is_done_again(room: Room, files: Files, monkeypatch):
    number = await files.begin("id\n1\n2\n")
    (task_id,) = await files.open()
    ref = TaskRef(workspace_id=room.workspace_id, task_id=task_id)
    for _ in range(3):
        await files.tasks.step(ref)
    before = await files.look(number)

    async def dying(*_args: Any) -> None:
        raise ConnectionResetError

    with monkeypatch.context() as patched:
        patched.setattr("services.import_pages.import_rows.save_outcomes", dying)
        with pytest.raises(ConnectionResetError):
            await files.tasks.step(ref)
    assert await files.look(number) == before
    await files.carry()
    assert counts(await files.look(number)) == (2, 0, 0, 0)


async def test_a_page_that_fails_fails_the_import(room: Room, files: Files, monkeypatch):
    number = await files.begin("id\n1\n")

    async def broken(*_args: Any) -> None:
        raise KeyError("x")

    monkeypatch.setattr("services.import_reading.import_rows.insert", broken)
    await files.carry()
    done = await files.look(number)
    assert (done["state"], done["error"]) == ("failed", "It failed after 0; the log of the worker says why.")


async def rules(room: Room, *given: dict[str, Any]) -> None:
    async with room.db.transaction() as conn:
        await mailbox.replace_faults(
            conn, room.workspace_id, [FaultRule.model_validate({"channel": "webhook", **rule}) for rule in given]
        )


async def test_a_sandbox_fetches_what_a_rule_answers(room: Room, files: Files):
    url = "https://files.example.com/people.csv"
    await rules(room, {"outcome": "answer", "body": "id,plan\n1,pro\n", "url": "https://files.example.com/"})
    number = await files.begin(None, data_file_url=url)
    assert (await files.look(number))["state"] == "preprocessing"
    await files.carry()
    assert counts(await files.look(number)) == (1, 0, 0, 0)


async def test_a_sandbox_fetches_nothing_else(room: Room, files: Files):
    number = await files.begin(None, data_file_url="https://files.example.com/people.csv")
    await files.carry()
    done = await files.look(number)
    assert done["state"] == "failed"
    assert "A sandbox fetches nothing" in done["error"]


async def test_what_passes_is_fetched_again(room: Room, files: Files):
    await rules(
        room,
        {"outcome": "http_status", "status": 503, "times": 1},
        {"outcome": "answer", "body": "id\n1\n", "times": 1},
    )
    number = await files.begin(None, data_file_url="https://files.example.com/people.csv")
    await files.carry()
    assert counts(await files.look(number)) == (1, 0, 0, 0)
