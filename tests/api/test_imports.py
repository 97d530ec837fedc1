"""Imports over HTTP (APP-14): described in JSON, or the file itself as the body."""

from __future__ import annotations

import gzip
from typing import Any

import pytest

from clock import system_now
from domain.task_steps import TaskRef
from ingest.apply import Applier
from ingest.catalog import Catalogs
from services.long_tasks import LongTasks
from store.notify import Notifier
from tests.api.conftest import Keys
from tests.support.files import table

PATH = "/v1/imports"
ASKED = {"name": "People", "type": "people", "identifier": "id"}
CSV = {"Content-Type": "text/csv"}


async def carry(workspace: Keys) -> None:
    """Do what the workers would do about files."""
    catalogs, notifier = Catalogs(), Notifier(workspace.db.pool)
    tasks, applier = LongTasks(workspace.db, catalogs, notifier, system_now), Applier(workspace.db, catalogs, notifier)
    while True:
        while await applier.apply_once(system_now()):
            pass
        async with workspace.db.connection() as conn:
            task_id = await conn.fetchval(
                """SELECT task_id FROM tasks WHERE workspace_id = $1 AND state IN ('queued', 'running')
                   AND type IN ('import', 'export') LIMIT 1""",
                workspace.id,
            )
        if task_id is None:
            break
        await tasks.step(TaskRef(workspace_id=workspace.id, task_id=task_id))
    await notifier.close()


async def get(workspace: Keys, path: str) -> Any:
    answer = await workspace.call("GET", path)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def upload(workspace: Keys, content: bytes, headers: dict[str, str] | None = None, **params: Any) -> Any:
    return await workspace.http.post(
        PATH, params={**ASKED, **params}, content=content, headers={**workspace.app, **CSV, **(headers or {})}
    )


async def test_an_import_from_its_beginning_to_its_report(workspace: Keys):
    body = {"import": {**ASKED, "description": "Test", "data": "id,plan\n1,pro\n,x\n"}}
    answer = await workspace.call("POST", PATH, body)
    assert answer.status_code == 200, answer.text
    made = answer.json()["import"]
    assert (made["state"], made["rows_to_import"], made["rows_imported"]) == ("preprocessed", 0, 0)
    assert (made["data_to_process"], made["people_to_process"], made["error"]) == ("all", "all", "")
    assert await get(workspace, f"{PATH}/{made['id']}") == answer.json()
    await carry(workspace)
    done = (await get(workspace, f"{PATH}/{made['id']}"))["import"]
    assert (done["state"], done["rows_to_import"], done["rows_imported"]) == ("imported", 2, 1)
    report = await workspace.call("GET", f"{PATH}/{made['id']}/errors")
    assert report.headers["content-type"] == "text/csv; charset=utf-8"
    expected = [{"id": "", "plan": "x", "_row": "2", "_errors": 'Missing value in the "id" column.', "_warnings": ""}]
    assert table(report.content) == expected
    path = done["error_download_url"].removeprefix(str(workspace.http.base_url).rstrip("/"))
    linked = await workspace.http.get(path)
    assert linked.status_code == 200, linked.text
    assert linked.content == report.content
    task = await get(workspace, f"/v1/tasks/{made['task_id']}")
    assert (task["type"], task["state"], task["progress"]) == ("import", "succeeded", {"done": 2, "total": 2})


async def test_the_file_itself_is_sent(workspace: Keys):
    content = b"id,note\n" + b"".join(b"%d,%b\n" % (n, b"x" * 900) for n in range(3000))
    for headers, sent in (({}, content), ({"Content-Encoding": "gzip"}, gzip.compress(content))):
        answer = await upload(workspace, sent, headers, name="Big", data_to_process="all")
        assert answer.status_code == 200, answer.text
        async with workspace.db.connection() as conn:
            kept = await conn.fetch(
                "SELECT data FROM import_files WHERE workspace_id = $1 AND import_id = $2 ORDER BY position",
                workspace.id,
                answer.json()["import"]["id"],
            )
        assert b"".join(row["data"] for row in kept) == content
        assert len(kept) == 3
    listed = (await get(workspace, PATH))["imports"]
    assert [entry["name"] for entry in listed] == ["Big", "Big"]
    page = await get(workspace, f"{PATH}?limit=1")
    assert [entry["id"] for entry in page["imports"]] == [listed[0]["id"]]
    page = await get(workspace, f"{PATH}?limit=1&start={page['next']}")
    assert ([entry["id"] for entry in page["imports"]], page["next"]) == ([listed[1]["id"]], "")


async def test_columns_are_mapped_in_the_query(workspace: Keys):
    answer = await upload(workspace, b"Key,Plan\n1,pro\n", mapping='{"Key": "id", "Plan": null}')
    assert answer.status_code == 200, answer.text
    await carry(workspace)
    assert (await get(workspace, "/v1/customers/1/attributes"))["customer"]["attributes"].keys() == {"id", "cio_id"}


@pytest.mark.parametrize(
    ("params", "status", "pointer"),
    [
        ({"colour": "red"}, 400, "/colour"),
        ({"data": "id"}, 400, "/data"),
        ({"type": "cats"}, 422, "/type"),
        ({"mapping": "{"}, 400, ""),
        ({"mapping": "[]"}, 422, "/mapping"),
        ({"segment": "none"}, 422, "/segment"),
        ({"new_segment": "New", "segment": "none"}, 422, "/new_segment"),
        ({"new_segment": "New", "type": "event"}, 422, "/new_segment"),
        ({"new_segment": ""}, 422, "/new_segment"),
        ({"name": ""}, 422, "/name"),
    ],
)
async def test_what_an_upload_is_called_is_checked(workspace: Keys, params: dict[str, str], status: int, pointer: str):
    answer = await upload(workspace, b"id\n1\n", **params)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (status, pointer), answer.text
    assert (await get(workspace, PATH))["imports"] == []


async def test_ppl_43_people_go_into_a_segment_made_for_them(workspace: Keys):
    answer = await upload(workspace, b"id\n1\n2\n", new_segment="Spring leads")
    made = answer.json()["import"]["segment_id"]
    assert (await get(workspace, "/v1/segments/spring-leads"))["segment"]["id"] == made
    await carry(workspace)
    assert (await get(workspace, "/v1/segments/spring-leads/membership"))["ids"] == ["1", "2"]
    body = {"name": "n", "type": "people", "identifier": "id", "data": "id\n1\n", "new_segment": "Spring leads"}
    again = await workspace.call("POST", PATH, {"import": body})
    assert again.json()["import"]["segment_id"] == made + 1


async def test_a_file_that_is_too_large(workspace: Keys, monkeypatch):
    monkeypatch.setattr("api.management.imports.FILE_BYTES", 100)
    assert (await upload(workspace, b"x" * 101)).status_code == 413
    packed = await upload(workspace, gzip.compress(b"x" * 101), {"Content-Encoding": "gzip"})
    assert packed.status_code == 413
    async with workspace.db.connection() as conn:
        assert await conn.fetch("SELECT 1 FROM import_files WHERE workspace_id = $1", workspace.id) == []
    assert [entry["state"] for entry in (await get(workspace, PATH))["imports"]] == ["failed"]


async def test_a_body_that_is_not_what_it_says(workspace: Keys):
    answer = await upload(workspace, b"not packed", {"Content-Encoding": "gzip"})
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "invalid_parameter")
    answer = await upload(workspace, b"id\n", {"Content-Encoding": "br"})
    assert answer.status_code == 415


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 400, "invalid_json"),
        ([], 422, "required"),
        ({"import": {**ASKED, "data": "id\n"}, "more": 1}, 422, "unknown_field"),
        ({"import": {**ASKED, "data_file_url": "ftp://example.com/x"}}, 422, "url_invalid"),
        ({"import": {**ASKED, "data_file_url": "http://x/", "data": "id\n"}}, 422, "type"),
        ({"import": "x"}, 422, "type"),
        ({"import": {**ASKED, "data": "id\u0000\n"}}, 400, "invalid_json"),
    ],
)
async def test_what_is_asked_for_is_checked(workspace: Keys, body: Any, status: int, code: str):
    answer = await workspace.call("POST", PATH, body)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (status, code), answer.text


@pytest.mark.parametrize("path", ["/v1/imports/7", "/v1/imports/x", "/v1/imports/99999999999", "/v1/imports/7/errors"])
async def test_an_import_there_is_not(workspace: Keys, path: str):
    assert (await workspace.call("GET", path)).status_code == 404


async def test_an_import_is_cancelled(workspace: Keys):
    made = (await workspace.call("POST", PATH, {"import": {**ASKED, "data": "id\n1\n"}})).json()["import"]
    path = f"/v1/tasks/{made['task_id']}/cancel"
    answer = await workspace.call("POST", path)
    assert (answer.status_code, answer.json()["state"]) == (200, "cancelled")
    assert (await get(workspace, f"{PATH}/{made['id']}"))["import"]["state"] == "canceled"
    again = await workspace.call("POST", path)
    assert (again.status_code, again.json()["errors"][0]["code"]) == (409, "invalid_state")
    assert (await workspace.call("POST", "/v1/tasks/nothing/cancel")).status_code == 404


async def test_a_workspace_sees_its_own_imports_only(workspace: Keys, live: Keys):
    made = (await workspace.call("POST", PATH, {"import": {**ASKED, "data": "id\n1\n"}})).json()["import"]
    assert (await live.call("GET", f"{PATH}/{made['id']}")).status_code == 404
    assert (await live.call("POST", f"/v1/tasks/{made['task_id']}/cancel")).status_code == 404


async def test_a_file_packed_in_parts_is_taken_whole(workspace: Keys):
    packed = gzip.compress(b"id\n1\n2\n") + gzip.compress(b"3\n") + gzip.compress(b"")
    answer = await upload(workspace, packed, {"Content-Encoding": "gzip"})
    assert answer.status_code == 200, answer.text
    await carry(workspace)
    done = (await get(workspace, f"{PATH}/{answer.json()['import']['id']}"))["import"]
    assert (done["rows_to_import"], done["rows_created"]) == (3, 3)
    answer = await upload(workspace, gzip.compress(b"id\n1\n") + b"more", {"Content-Encoding": "gzip"})
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "invalid_parameter")


@pytest.mark.parametrize("number", ["99999999999", 99999999999, 2**40, 1e11, "0", "x", 1.5, True])
async def test_a_number_of_a_type_that_is_none(workspace: Keys, number: Any):
    asked = {"name": "Objects", "type": "object", "object_type_id": number, "data": "object_id\n1\n"}
    answer = await workspace.call("POST", PATH, {"import": asked})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/import/object_type_id"), answer.text
