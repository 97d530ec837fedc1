"""Copying blocks over HTTP: who may, across which workspaces, and how it is answered (ACT-39)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.api.conftest import Keys, Server, make_workspace
from tests.api.test_campaign_verbs_fuzzed import BODIES, REFS, told

WAIT = {"type": "time_delay", "duration": "P1D"}
SMS = {"type": "sms", "sending_state": "automatic", "message": {"from": "+15551230000", "body": "Hello"}}


def campaign(key: str, blocks: dict[str, Any]) -> dict[str, Any]:
    return {
        "kind": "campaign",
        "key": key,
        "name": key,
        "trigger": {"type": "webhook"} if key == "hook" else {"type": "event", "event": "go"},
        "workflow": {"start": next(iter(blocks)), "blocks": blocks},
    }


@pytest.fixture
async def there(server: Server) -> Keys:
    """Another workspace of the deployment, with a campaign to copy into."""
    other = await make_workspace(server, sandbox=True)
    answer = await other.call("PUT", "/v1/definitions/campaign/b", campaign("b", {"wait": WAIT}))
    assert answer.status_code == 201
    return other


@pytest.fixture
async def here(workspace: Keys) -> Keys:
    documents = [campaign("a", {"text": SMS}), campaign("b", {"wait": WAIT}), campaign("hook", {"wait": WAIT})]
    assert (await workspace.call("PUT", "/v1/definitions", {"definitions": documents})).status_code == 200
    return workspace


async def copy(keys: Keys, body: Any, path: str = "b/copy_blocks", **headers: str) -> Any:
    return await keys.call("POST", f"/v1/campaigns/{path}", body, headers=headers)


async def test_it_answers_as_a_put_does_with_the_new_keys(here: Keys) -> None:
    body = {"from": {"campaign": "a"}, "blocks": ["text"], "after": "wait"}
    dry = (await copy(here, body, "b/copy_blocks?dry_run=true")).json()
    assert (dry["copied"], dry["change"]["revision"], dry["status"]["revision"]) == ({"text": "text"}, 1, 1)
    answer = await copy(here, body)
    assert answer.status_code == 200, answer.text
    said = answer.json()
    assert set(said) == {"change", "status", "copied", "warnings"}
    assert (said["change"]["action"], said["status"]["revision"]) == ("update", 2)
    assert said["change"]["effects"]["blocks_added"] == ["text"]
    assert {"text", "wait"} == set(said["status"]["actions"])
    assert (await copy(here, {"from": {"campaign": 1}, "blocks": "all", "after": None})).json()["copied"] == {
        "text": "text-2"
    }


async def test_nothing_for_people_comes_to_where_nobody_travels(here: Keys) -> None:
    answer = await copy(here, {"from": {"campaign": "a"}, "blocks": "all"}, "hook/copy_blocks")
    assert answer.status_code == 422
    errors = {(error["code"], error["pointer"]) for error in answer.json()["errors"]}
    assert errors == {("block_not_allowed", "/workflow/blocks/text/type")}
    answer = await copy(here, {"from": {"campaign": "b"}, "blocks": "all"}, "hook/copy_blocks")
    assert answer.json()["status"]["webhook_url"].startswith("http")


async def test_another_workspace_takes_the_account_token(here: Keys, there: Keys) -> None:
    body = {"from": {"campaign": "a", "workspace": here.id}, "blocks": "all"}
    refused = await copy(there, body)
    assert refused.status_code == 403
    (error,) = refused.json()["errors"]
    assert (error["code"], error["pointer"]) == ("forbidden_scope", "/from/workspace")
    assert (await copy(here, body)).status_code == 200, "one's own may be named"
    answer = await copy(there, body, **here.admin, **{"X-Workspace-Id": str(there.id)})
    assert answer.status_code == 200, answer.text
    assert {warning["message"] for warning in answer.json()["warnings"]} == {"Headers were reset to default"}
    unknown = {"from": {"campaign": "a", "workspace": 2**31 - 1}, "blocks": "all"}
    answer = await copy(there, unknown, **here.admin, **{"X-Workspace-Id": str(there.id)})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/from/workspace")
    # Where a token speaks for no workspace that is there, nothing is found.
    assert (await copy(there, body, **here.admin, **{"X-Workspace-Id": str(2**31 - 1)})).status_code == 404


async def test_a_key_that_only_reads_copies_nothing(here: Keys) -> None:
    made = await here.http.post(
        f"/v1/workspaces/{here.id}/credentials",
        content=json.dumps({"kind": "app", "name": "eyes", "scopes": ["read"]}),
        headers=here.admin,
    )
    assert made.status_code == 201, made.text
    secret = made.json()["app_key"]
    answer = await copy(here, {"from": {"campaign": "a"}, "blocks": "all"}, Authorization=f"Bearer {secret}")
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (403, "forbidden_scope")


async def test_whatever_is_sent(here: Keys) -> None:
    source = {"from": {"campaign": "a"}, "blocks": "all"}
    odd: list[Any] = [
        None,
        7,
        -1,
        1.5,
        True,
        "",
        "\u0000",
        "x" * 300,
        [],
        [[]],
        {},
        {"path_of": []},
        {"path_of": "wait", "path": "\u0000"},
        10**30,
    ]
    bodies = [source | {name: value} for name in ("from", "blocks", "after") for value in odd]
    bodies += [source | {"from": {"campaign": value}} for value in odd]
    bodies += [source | {"from": {"campaign": "a", "workspace": value}} for value in odd]
    bodies += [source | {"blocks": [value]} for value in odd]
    for body in [*BODIES, *bodies]:
        told(await copy(here, body))
    for ref in REFS:
        told(await copy(here, source, f"{ref}/copy_blocks"))
