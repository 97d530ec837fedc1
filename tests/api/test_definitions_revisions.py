"""The history of definitions: every accepted change, whoever makes it and by whatever call, and putting an old one back."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.api.conftest import Keys, Server
from tests.support.definitions import EVERY_KIND, SECRET, applied, bundle, campaign, segment

PATH = "/v1/definitions/segment/a"


async def put(workspace: Keys, document: dict[str, Any]) -> dict[str, Any]:
    path = f"/v1/definitions/{document['kind']}/{document['key']}"
    answer = await workspace.call("PUT", path, document)
    assert answer.status_code in (200, 201), answer.text
    found: dict[str, Any] = answer.json()
    return found


async def get(workspace: Keys, path: str) -> dict[str, Any]:
    answer = await workspace.call("GET", path)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def listed(workspace: Keys, path: str = PATH) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await get(workspace, f"{path}/revisions"))["revisions"]
    return found


async def numbers(workspace: Keys, path: str) -> list[int]:
    return [one["revision"] for one in await listed(workspace, path)]


async def test_every_change_is_kept_with_who_when_and_what(workspace: Keys, server: Server) -> None:
    await put(workspace, segment("a"))
    await put(workspace, segment("a"))
    await applied(workspace, bundle(segment("a", "free"), source="repository"))
    body = {"kind": "app", "name": "Mia's laptop", "scopes": ["read", "write"]}
    made = await server.http.post(f"/v1/workspaces/{workspace.id}/credentials", headers=workspace.admin, json=body)
    mia = {"Authorization": f"Bearer {made.json()['app_key']}"}
    await server.http.put(PATH, headers=mia, json=segment("a", "free", description="All of them"))
    third, second, first = await listed(workspace)
    assert (third["revision"], third["author"], third["source"]) == (3, "Mia's laptop", None)
    assert third["diff"] == [
        {"op": "replace", "path": "/description", "before": None, "after": "All of them"},
    ]
    assert (second["revision"], second["source"]) == (2, "repository")
    change = {"op": "replace", "path": "/conditions/attribute/value", "before": "pro", "after": "free"}
    assert second["diff"] == [change]
    assert (first["revision"], first["source"], "diff" in first) == (1, None, False)
    assert first["author"] == second["author"] != "Mia's laptop"
    assert first["created_at"] == (await get(workspace, PATH))["status"]["created_at"]


async def test_a_service_account_is_named_too(workspace: Keys, server: Server) -> None:
    headers = {**workspace.admin, "X-Workspace-Id": str(workspace.id)}
    await server.http.put(PATH, headers=headers, json=segment("a"))
    assert [one["author"] for one in await listed(workspace)] == ["admin"]


async def test_an_old_document_is_read_and_put_back(workspace: Keys) -> None:
    first = (await put(workspace, segment("a")))["status"]
    await put(workspace, segment("a", "free"))
    old = await get(workspace, f"{PATH}/revisions/1")
    assert old["definition"]["conditions"]["attribute"]["value"] == "pro"
    assert (old["status"]["revision"], old["status"]["id"]) == (1, first["id"])
    yaml = await workspace.call("GET", f"{PATH}/revisions/1", headers={"Accept": "application/yaml"})
    restored = await workspace.call("PUT", PATH, yaml.content, headers={"Content-Type": "application/yaml"})
    assert restored.json()["change"]["revision"] == 3
    assert (await get(workspace, PATH))["definition"] == old["definition"]
    assert await numbers(workspace, PATH) == [3, 2, 1]


async def test_pages_and_ids(workspace: Keys) -> None:
    for number in range(5):
        status = (await put(workspace, segment("a", f"v{number}")))["status"]
    found: list[int] = []
    start = ""
    for _ in range(3):
        page = await get(workspace, f"/v1/definitions/segment/{status['id']}/revisions?limit=2&start={start}")
        found += [one["revision"] for one in page["revisions"]]
        start = page["next"]
    assert (found, start) == ([5, 4, 3, 2, 1], "")


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        (f"{PATH}/revisions/3", 404, "not_found"),
        (f"{PATH}/revisions/99999999999", 404, "not_found"),
        (f"{PATH}/revisions/0", 400, "invalid_parameter"),
        (f"{PATH}/revisions/x", 400, "invalid_parameter"),
        (f"{PATH}/revisions?start=x", 400, "invalid_parameter"),
        (f"{PATH}/revisions?limit=0", 400, "invalid_parameter"),
        ("/v1/definitions/segment/none/revisions", 404, "not_found"),
        ("/v1/definitions/segment/none/revisions/1", 404, "not_found"),
        ("/v1/definitions/nonsense/a/revisions", 422, "enum"),
        ("/v1/definitions/nonsense/a/revisions/1", 422, "enum"),
    ],
)
async def test_refusals(workspace: Keys, path: str, status: int, code: str) -> None:
    await put(workspace, segment("a"))
    answer = await workspace.call("GET", path)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (status, code)


async def test_secrets_are_neither_kept_nor_read(workspace: Keys) -> None:
    await applied(workspace, bundle(*EVERY_KIND))
    provider = next(dict(one) for one in EVERY_KIND if one["kind"] == "provider")
    webhook = next(dict(one) for one in EVERY_KIND if one["kind"] == "webhook")
    newer = f"newer-{SECRET}"
    await put(workspace, {**provider, "config": {**provider["config"], "password": newer}})
    await put(workspace, {**webhook, "headers": {"X-Key": newer, "X-Other": newer}})
    path = "/v1/definitions/provider/relay"
    (entry,) = (await listed(workspace, path))[0]["diff"]
    assert entry == {"op": "replace", "path": "/config/password", "before": "********", "after": "********"}
    texts = [str(await listed(workspace, one)) for one in (path, "/v1/definitions/webhook/crm")]
    texts += [str(await get(workspace, f"{path}/revisions/{number}")) for number in (1, 2)]
    stored = await workspace.db.pool.fetch(
        "SELECT document::text || COALESCE(diff::text, '') AS said FROM definition_revisions WHERE workspace_id = $1",
        workspace.id,
    )
    assert all(SECRET not in text for text in [*texts, *(row["said"] for row in stored)])
    old = (await get(workspace, f"{path}/revisions/1"))["definition"]
    assert (await put(workspace, old))["change"]["action"] == "unchanged"
    kept = await workspace.db.pool.fetchval(
        "SELECT document #>> '{config,password}' FROM definitions WHERE workspace_id = $1 AND kind = 'provider'",
        workspace.id,
    )
    assert kept == newer


async def test_rows_of_a_collection_are_not_part_of_its_history(workspace: Keys) -> None:
    document = {"kind": "collection", "key": "k", "name": "k", "data": [{"id": 1}]}
    path = "/v1/definitions/collection/k"
    await put(workspace, document)
    await put(workspace, {**document, "description": "all"})
    assert (await get(workspace, f"{path}/revisions/1"))["definition"]["data"] == [{"id": 1}]
    await put(workspace, {**document, "data": [{"id": 2}]})
    old = (await get(workspace, f"{path}/revisions/1"))["definition"]
    assert set(old["data"]) == {"digest"}
    answer = await workspace.call("PUT", path, old)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/data")


async def test_a_deletion_takes_the_history_along(workspace: Keys) -> None:
    await put(workspace, segment("a"))
    await put(workspace, segment("a", "free"))
    assert (await workspace.call("DELETE", PATH)).status_code == 204
    left = await workspace.db.pool.fetchval(
        "SELECT count(*) FROM definition_revisions WHERE workspace_id = $1", workspace.id
    )
    assert left == 0
    await put(workspace, segment("a"))
    assert await numbers(workspace, PATH) == [1]


async def test_every_way_of_writing_keeps_a_revision(workspace: Keys) -> None:
    async def done(answer: httpx.Response) -> Any:
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    mail = {"type": "email", "message": {"subject": "s", "body": "b"}}
    document = campaign("c", workflow={"start": "mail", "blocks": {"mail": mail}}, tags=["old"])
    transactional = next(one for one in EVERY_KIND if one["kind"] == "transactional")
    await applied(
        workspace, bundle(document, transactional, {"kind": "snippet", "key": "s", "name": "s", "value": "x"})
    )
    path = "/v1/definitions/campaign/c"
    await done(await workspace.call("POST", "/v1/campaigns/c/sending_state", {"sending_state": "automatic"}))
    assert await numbers(workspace, path) == [2, 1]
    await done(await workspace.call("PUT", "/v1/tags/old", {"name": "new"}))
    assert await numbers(workspace, path) == [3, 2, 1]
    await done(await workspace.call("DELETE", "/v1/tags/new"))
    assert await numbers(workspace, path) == [4, 3, 2, 1]
    assert [entry["path"] for entry in (await listed(workspace, path))[0]["diff"]] == ["/tags/0"]
    copy = await done(await workspace.call("POST", "/v1/campaigns/c/duplicate", {"key": "copy", "name": "Copy"}))
    assert await numbers(workspace, f"/v1/definitions/campaign/{copy['status']['key']}") == [1]
    await done(await workspace.call("PUT", "/v1/snippets", {"name": "s", "value": "y"}))
    assert await numbers(workspace, "/v1/definitions/snippet/s") == [2, 1]
    made = await done(await workspace.call("POST", "/v1/collections", {"name": "k", "data": [{"a": 1}]}))
    number = made["collection"]["id"]
    await done(await workspace.call("PUT", f"/v1/collections/{number}", {"name": "other"}))
    assert await numbers(workspace, f"/v1/definitions/collection/{number}") == [2, 1]
    found = (await done(await workspace.call("GET", "/v1/transactional")))["messages"][0]
    contents = (await done(await workspace.call("GET", f"/v1/transactional/{found['id']}/contents")))["contents"]
    change = {"subject": "Another"}
    where = f"/v1/transactional/{found['id']}/content/{contents[0]['id']}"
    await done(await workspace.call("PUT", where, change))
    assert await numbers(workspace, "/v1/definitions/transactional/receipt") == [2, 1]
    every = await workspace.db.pool.fetch(
        """SELECT d.kind, d.key FROM definitions d LEFT JOIN definition_revisions r USING (workspace_id, kind, definition_id, revision)
           WHERE workspace_id = $1 AND r.author IS NULL""",
        workspace.id,
    )
    assert [dict(row) for row in every] == []


async def without_revisions(workspace: Keys, value: str | None = None) -> None:
    """As a version that kept none leaves things: what there is is not written down, and the document may have changed."""
    await workspace.db.pool.execute("DELETE FROM definition_revisions WHERE workspace_id = $1", workspace.id)
    if value is not None:
        await workspace.db.pool.execute(
            """UPDATE definitions SET revision = revision + 1,
                   document = jsonb_set(document, '{conditions,attribute,value}', to_jsonb($2::text))
               WHERE workspace_id = $1""",
            workspace.id,
            value,
        )


async def test_what_was_written_before_there_were_revisions_is_there(workspace: Keys) -> None:
    await put(workspace, segment("a"))
    await put(workspace, segment("a", "free"))
    await without_revisions(workspace)
    (only,) = await listed(workspace)
    assert (only["revision"], "author" in only, "diff" in only) == (2, False, False)
    assert (await get(workspace, f"{PATH}/revisions/2"))["definition"] == (await get(workspace, PATH))["definition"]
    assert (await workspace.call("GET", f"{PATH}/revisions/1")).status_code == 404
    await put(workspace, segment("a", "team"))
    newest, former = await listed(workspace)
    assert (newest["revision"], newest["diff"][0]["before"], former["revision"]) == (3, "free", 2)
    old = await get(workspace, f"{PATH}/revisions/2")
    assert old["definition"]["conditions"]["attribute"]["value"] == "free"


async def test_what_a_version_without_revisions_writes_leaves_a_gap(workspace: Keys) -> None:
    await put(workspace, segment("a"))
    await workspace.db.pool.execute(
        """UPDATE definitions SET revision = 3, document = jsonb_set(document, '{conditions,attribute,value}', '"old code"')
           WHERE workspace_id = $1""",
        workspace.id,
    )
    assert await numbers(workspace, PATH) == [3, 1]
    page = await get(workspace, f"{PATH}/revisions?limit=1")
    assert ([one["revision"] for one in page["revisions"]], page["next"]) == ([3], "3")
    page = await get(workspace, f"{PATH}/revisions?limit=1&start=3")
    assert ([one["revision"] for one in page["revisions"]], page["next"]) == ([1], "")
    await put(workspace, segment("a", "free"))
    assert await numbers(workspace, PATH) == [4, 3, 1]
    assert (await listed(workspace))[0]["diff"][0]["before"] == "old code"
