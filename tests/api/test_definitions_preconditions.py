"""Writing a definition only if it is at the revision that was read: `ETag`, `If-Match`, `If-None-Match`."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from tests.api.conftest import Keys
from tests.support.definitions import applied, bundle, campaign, segment

PATH = "/v1/definitions/segment/a"


async def put(workspace: Keys, value: str, query: str = "", **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return await workspace.call("PUT", PATH + query, segment("a", value), headers=named)


def conflict(answer: httpx.Response) -> str:
    assert answer.status_code == 412, answer.text
    (error,) = answer.json()["errors"]
    assert (error["code"], error["pointer"]) == ("revision_conflict", "")
    message: str = error["message"]
    return message


async def revision(workspace: Keys) -> int:
    found: int = (await workspace.call("GET", PATH)).json()["status"]["revision"]
    return found


async def test_the_revision_is_the_tag(workspace: Keys) -> None:
    assert (await put(workspace, "pro")).headers["etag"] == '"1"'
    assert (await put(workspace, "pro")).headers["etag"] == '"1"'
    assert (await put(workspace, "free")).headers["etag"] == '"2"'
    assert (await workspace.call("GET", PATH)).headers["etag"] == '"2"'
    yaml = await workspace.call("GET", PATH, headers={"Accept": "application/yaml"})
    assert yaml.headers["etag"] == '"2"'


async def test_a_newer_revision_is_not_overwritten(workspace: Keys) -> None:
    await put(workspace, "pro")
    assert (await put(workspace, "team", If_Match='"1"')).headers["etag"] == '"2"'
    assert "at revision 2, not at 1" in conflict(await put(workspace, "free", If_Match='"1"'))
    assert "at revision 2" in conflict(await put(workspace, "free", "?dry_run=true", If_Match='"1"'))
    assert (await put(workspace, "free", If_Match='"1", "2"')).status_code == 200
    assert (await put(workspace, "one", If_Match="*")).status_code == 200
    assert "weak" in conflict(await put(workspace, "two", If_Match='W/"4"'))
    assert await revision(workspace) == 4


async def test_what_changes_nothing_is_refused_as_well(workspace: Keys) -> None:
    await put(workspace, "pro")
    conflict(await put(workspace, "pro", If_Match='"9"'))


async def test_what_is_there_is_not_overwritten(workspace: Keys) -> None:
    assert (await put(workspace, "pro", "?dry_run=true", If_None_Match="*")).status_code == 200
    assert (await put(workspace, "pro", If_None_Match="*")).status_code == 201
    assert "is there already, at revision 1" in conflict(await put(workspace, "free", If_None_Match="*"))
    conflict(await put(workspace, "free", If_None_Match='"1"'))
    assert (await put(workspace, "free", If_None_Match='"7"')).status_code == 200


async def test_what_is_not_there_matches_nothing(workspace: Keys) -> None:
    assert "no segment 'a'" in conflict(await put(workspace, "pro", If_Match='"1"'))
    conflict(await put(workspace, "pro", If_Match="*"))
    assert (await workspace.call("DELETE", PATH, headers={"If-Match": '"1"'})).status_code == 404


async def test_two_lines_of_a_header_are_one_list(workspace: Keys) -> None:
    await put(workspace, "pro")
    headers = [("If-Match", '"8"'), ("If-Match", '"1"'), ("Authorization", f"Bearer {workspace.app_key}")]
    answer = await workspace.http.put(PATH, json=segment("a", "free"), headers=headers)
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("value", ["7", '"7', "*, *", ""])
@pytest.mark.parametrize("name", ["If-Match", "If-None-Match"])
async def test_what_cannot_be_read_is_refused(workspace: Keys, name: str, value: str) -> None:
    for method, body in (("PUT", segment("a")), ("DELETE", None)):
        answer = await workspace.call(method, PATH, body, headers={name: value})
        (error,) = answer.json()["errors"]
        assert (answer.status_code, error["code"], error["pointer"]) == (400, "invalid_parameter", f"/{name}")


async def test_a_deletion_depends_on_it_too(workspace: Keys) -> None:
    await applied(workspace, bundle(segment("a"), campaign("c")))
    for path in (PATH, "/v1/definitions/campaign/c"):
        conflict(await workspace.call("DELETE", path, headers={"If-Match": '"2"'}))
        conflict(await workspace.call("DELETE", path, headers={"If-None-Match": "*"}))
        assert (await workspace.call("DELETE", path, headers={"If-Match": '"1"'})).status_code == 204


async def test_a_refused_deletion_leaves_a_campaign_running(workspace: Keys) -> None:
    await applied(workspace, bundle(campaign("c")))
    assert (await workspace.call("POST", "/v1/campaigns/c/start")).status_code == 200
    before = (await workspace.call("GET", "/v1/definitions/campaign/c")).json()["status"]["state"]
    conflict(await workspace.call("DELETE", "/v1/definitions/campaign/c", headers={"If-Match": '"2"'}))
    after = (await workspace.call("GET", "/v1/definitions/campaign/c")).json()["status"]["state"]
    assert (before, after) == ("starting" if before == "starting" else "running", before)


async def test_of_several_writers_at_once_one_wins(workspace: Keys) -> None:
    await put(workspace, "pro")
    answers = await asyncio.gather(*(put(workspace, f"v{number}", If_Match='"1"') for number in range(8)))
    assert sorted(answer.status_code for answer in answers) == [200] + [412] * 7
    assert await revision(workspace) == 2
    (won,) = [number for number, answer in enumerate(answers) if answer.status_code == 200]
    document: dict[str, Any] = (await workspace.call("GET", PATH)).json()["definition"]
    assert document["conditions"]["attribute"]["value"] == f"v{won}"


async def test_of_several_makers_at_once_one_wins(workspace: Keys) -> None:
    answers = await asyncio.gather(*(put(workspace, f"v{number}", If_None_Match="*") for number in range(8)))
    assert sorted(answer.status_code for answer in answers) == [201] + [412] * 7
