"""Files in: odd files, and what is kept of them how long (PPL-45)."""

from __future__ import annotations

import pytest

from clock import system_now
from domain.errors import DomainError
from domain.operations import Identifier, Identify, SuppressPerson
from domain.task_steps import TaskRef
from services import imports
from services.expiry import expire_files
from tests.support.database import Room
from tests.support.files import Files


@pytest.fixture
def files(room: Room) -> Files:
    return Files(room)


async def test_reports_are_kept_for_thirty_days(room: Room, files: Files):
    done = await files.bring('id\n""\n')
    assert len(await files.errors(done["id"])) == 1
    await room.move(days=29)
    await expire_files(room.db, system_now())
    assert len(await files.errors(done["id"])) == 1
    await room.move(days=2)
    await expire_files(room.db, system_now())
    assert await files.errors(done["id"]) == []
    assert (await files.look(done["id"]))["rows_failed"] == 1


async def test_the_report_forgets_who_is_erased_also_where_a_row_was_not_understood(room: Room, files: Files):
    done = await files.bring("id,email\n7,Ann@x.io,more\nann@x.io\n8,b@x.io,more\n9,c@x.io\n")
    assert (done["rows_created"], done["rows_failed"]) == (1, 3)
    await room.apply(Identify(subject=Identifier(kind="id", value="7"), attributes={"email": "ann@x.io"}))
    await room.apply(SuppressPerson(subject=Identifier(kind="id", value="7")))
    assert [row["_row"] for row in await files.errors(done["id"])] == ["3"]


async def test_an_import_under_way_keeps_its_rows(room: Room, files: Files):
    number = await files.begin("id\n1\n2\n")
    (task_id,) = await files.open()
    ref = TaskRef(workspace_id=room.workspace_id, task_id=task_id)
    await room.move(days=31)
    await expire_files(room.db, system_now())
    await files.tasks.step(ref)
    await room.move(days=31)
    await expire_files(room.db, system_now())
    await files.carry()
    assert (await files.look(number))["rows_created"] == 2


async def test_a_cell_of_any_length_stops_no_other_row(room: Room, files: Files):
    long = "x\n" * 100_000
    done = await files.bring(f'id,note\n1,"{long}"\n2,ok\n')
    assert (done["rows_to_import"], done["rows_created"], done["rows_failed"]) == (2, 1, 1)
    (row,) = await files.errors(done["id"])
    assert (row["id"], row["note"], row["_row"]) == ("1", long, "1")


async def test_preferences_are_of_topics_and_channels(room: Room, files: Files):
    for name in ("cio_subscription_preferences.topics", "cio_subscription_preferences.topics."):
        done = await files.bring(f"id,{name}\n1,true\n")
        assert (done["state"], done["error"]) == ("failed", f"`{name}` is no subscription preference.")


async def test_lines_that_end_with_a_carriage_return_alone(room: Room, files: Files):
    done = await files.bring("id,plan\r1,pro\r")
    assert done["state"] == "failed"
    assert done["error"] == (
        "The first row cannot be taken. The row holds a carriage return outside quotes; end lines with LF or CR LF."
    )


async def test_an_upload_that_breaks_off_leaves_nothing(room: Room, files: Files):
    async def broken():
        yield b"id\n1\n"
        raise ConnectionResetError

    asked = imports.read({"name": "test", "type": "people", "identifier": "id"})
    with pytest.raises(ConnectionResetError):
        await imports.upload(room.db, room.catalogs, room.workspace_id, asked, broken(), clock=system_now)
    (page,) = (await imports.list_page(room.db, room.workspace_id, start=None, limit=50))["imports"]
    assert (page["state"], page["error"]) == ("failed", "The upload was cut off.")
    assert await room.rows("SELECT 1 FROM import_files WHERE workspace_id = $1") == []
    assert await files.open() == []


async def test_an_upload_that_was_given_up_meanwhile_is_not_imported(room: Room, files: Files):
    async def slow():
        yield b"id\n" + b"1\n" * imports.PIECE_BYTES
        await room.move(days=31)
        await expire_files(room.db, system_now())
        yield b"2\n"

    asked = imports.read({"name": "test", "type": "people", "identifier": "id"})
    with pytest.raises(DomainError) as refused:
        await imports.upload(room.db, room.catalogs, room.workspace_id, asked, slow(), clock=system_now)
    assert refused.value.code == "invalid_state"
    (page,) = (await imports.list_page(room.db, room.workspace_id, start=None, limit=50))["imports"]
    assert (page["state"], page["error"]) == ("failed", "The upload was cut off.")
    assert await room.rows("SELECT 1 FROM import_files WHERE workspace_id = $1") == []
