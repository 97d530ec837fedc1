"""Exports over HTTP (APP-13): begun, polled, fetched by a link that needs no key."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import pytest

from tests.api.conftest import Keys
from tests.api.test_imports import carry, get
from tests.support.files import table

PATH = "/v1/exports"


async def begin(workspace: Keys, kind: str, body: Any = None) -> dict[str, Any]:
    answer = await workspace.call("POST", f"{PATH}/{kind}", {} if body is None else body)
    assert answer.status_code == 200, answer.text
    return answer.json()["export"]


async def link(workspace: Keys, number: int) -> str:
    found = (await get(workspace, f"{PATH}/{number}/download"))["link"]
    return found.removeprefix(str(workspace.http.base_url).rstrip("/"))


async def people(workspace: Keys) -> None:
    for number in range(3):
        await workspace.put(str(number), {"email": f"p{number}@x.io", "plan": "pro" if number else "basic"})


async def test_an_export_from_its_beginning_to_its_file(workspace: Keys):
    assert await get(workspace, PATH) == {"exports": None}
    await people(workspace)
    made = await begin(workspace, "customers", {"filters": {"attribute": {"field": "plan", "operator": "exists"}}})
    assert (made["status"], made["failed"], made["downloads"], made["total"]) == ("pending", False, 0, 0)
    assert made["deduplicate_id"] == f"{made['id']}:{made['updated_at']}"
    early = await workspace.call("GET", f"{PATH}/{made['id']}/download")
    assert (early.status_code, early.json()["errors"][0]["code"]) == (400, "invalid_parameter")
    await carry(workspace)
    done = (await get(workspace, f"{PATH}/{made['id']}"))["export"]
    assert (done["status"], done["total"], done["type"]) == ("done", 3, "customers")
    path = await link(workspace, made["id"])
    fetched = await workspace.http.get(path)
    assert fetched.status_code == 200, fetched.text
    assert fetched.headers["content-type"] == "text/csv; charset=utf-8"
    assert fetched.headers["content-disposition"] == f'attachment; filename="customers-{made["id"]}.csv"'
    assert [row["id"] for row in table(fetched.content)] == ["0", "1", "2"]
    await workspace.http.get(path)
    (listed,) = (await get(workspace, PATH))["exports"]
    assert listed["downloads"] == 2


async def test_one_person_is_an_archive(workspace: Keys):
    await people(workspace)
    await begin(workspace, "devices")
    await carry(workspace)
    made = await begin(workspace, "person", {"id": "1"})
    assert made["description"] == "One person"
    await carry(workspace)
    fetched = await workspace.http.get(await link(workspace, made["id"]))
    assert fetched.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(fetched.content)) as archive:
        assert b"p1@x.io" in archive.read("attributes.json")
        assert b"p2@x.io" not in archive.read("attributes.json")


@pytest.mark.parametrize(
    ("kind", "body", "status"),
    [
        ("customers", {"filters": {"attribute": {"field": "x", "operator": "like", "value": "y"}}}, 400),
        ("customers", {"filters": []}, 400),
        ("customers", {"filters": {"segment": {"id": "x"}}}, 400),
        ("customers", {"attributes": "x"}, 400),
        ("customers", b"{", 400),
        ("deliveries", {}, 400),
        ("deliveries", {"campaign_id": 5}, 400),
        ("deliveries", {"campaign_id": 5, "action_id": 6}, 400),
        ("person", {"id": "nobody"}, 404),
        ("person", {"id": "a\u0000b"}, 400),
        ("object", {"object_type_id": 1, "object_id": "none"}, 404),
        ("cats", {}, 405),
    ],
)
async def test_what_is_asked_for_is_checked(workspace: Keys, kind: str, body: Any, status: int):
    answer = await workspace.call("POST", f"{PATH}/{kind}", body)
    assert answer.status_code == status, answer.text
    assert answer.json()["errors"][0]["message"]


@pytest.mark.parametrize("path", [f"{PATH}/7", f"{PATH}/x", f"{PATH}/7/download", f"{PATH}/files/nonsense"])
async def test_an_export_there_is_not(workspace: Keys, path: str):
    assert (await workspace.call("GET", path)).status_code == 404


async def test_a_link_is_for_its_file_only(workspace: Keys):
    made = await begin(workspace, "devices")
    await carry(workspace)
    path = await link(workspace, made["id"])
    broken = path[:-3] + ("AAA" if not path.endswith("AAA") else "BBB")
    assert (await workspace.http.get(broken)).status_code == 404
    assert (await workspace.http.get(path)).status_code == 200


async def test_a_key_that_may_not_read_people_exports_nobody(workspace: Keys):
    body = {"kind": "app", "name": "reader", "scopes": ["read"]}
    made = await workspace.call("POST", f"/v1/workspaces/{workspace.id}/credentials", body, headers=workspace.admin)
    reader = {"Authorization": f"Bearer {made.json()['app_key']}"}
    answer = await workspace.call("POST", f"{PATH}/customers", {}, headers=reader)
    assert answer.status_code == 403
