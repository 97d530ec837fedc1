"""The management API over real HTTP: definitions, workspaces, keys, scopes, clock, tasks."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.conftest import Keys, Server

SEGMENT = {
    "kind": "segment",
    "key": "paying",
    "name": "Paying",
    "conditions": {"attribute": {"field": "plan", "operator": "exists"}},
}
CAMPAIGN = {
    "kind": "campaign",
    "key": "welcome",
    "name": "Welcome",
    "trigger": {"type": "segment", "conditions": {"segment": "paying"}},
    "workflow": {"start": "wait", "blocks": {"wait": {"type": "time_delay", "duration": "PT5M"}}},
}
YAML = {"Content-Type": "application/yaml"}
STREAM = b"""\
kind: segment
key: paying
name: Paying
conditions: {attribute: {field: plan, operator: exists}}
---
kind: sender
key: us
name: Us
email: us@example.com
"""


async def test_a_bundle_is_applied_whole_or_not_at_all(workspace: Keys) -> None:
    dry = await workspace.call("PUT", "/v1/definitions?dry_run=true", {"definitions": [CAMPAIGN, SEGMENT]})
    assert dry.status_code == 200, dry.text
    assert [change["action"] for change in dry.json()["changes"]] == ["create", "create"]
    assert (await workspace.call("GET", "/v1/definitions/segment")).json() == {"definitions": [], "next": ""}
    bad = await workspace.call("PUT", "/v1/definitions", {"definitions": [SEGMENT, {**CAMPAIGN, "nope": 1}]})
    assert bad.status_code == 422
    assert {"pointer": "/definitions/1/nope", "code": "unknown_field"}.items() <= bad.json()["errors"][0].items()
    assert (await workspace.call("GET", "/v1/definitions/segment")).json()["definitions"] == []
    assert (await workspace.call("PUT", "/v1/definitions", {"definitions": [SEGMENT, CAMPAIGN]})).status_code == 200


async def test_put_get_list_delete_one(workspace: Keys) -> None:
    made = await workspace.call("PUT", "/v1/definitions/segment/paying", SEGMENT)
    assert made.status_code == 201, made.text
    again = await workspace.call("PUT", "/v1/definitions/segment/paying", SEGMENT)
    assert (again.status_code, again.json()["change"]["action"]) == (200, "unchanged")
    one = await workspace.call("GET", "/v1/definitions/segment/paying?view=compact")
    assert one.json()["definition"] == SEGMENT
    by_id = await workspace.call("GET", f"/v1/definitions/segment/{one.json()['status']['id']}/")
    assert by_id.json()["status"] == one.json()["status"]
    yaml = await workspace.call("GET", "/v1/definitions/segment/paying", headers={"Accept": "application/yaml"})
    assert "kind: segment\n" in yaml.text
    same = await workspace.call("PUT", "/v1/definitions/segment/paying", yaml.content, headers=YAML)
    assert same.json()["change"]["action"] == "unchanged"
    gone = await workspace.call("DELETE", "/v1/definitions/segment/paying")
    assert (gone.status_code, gone.content) == (204, b"")
    assert (await workspace.call("GET", "/v1/definitions/segment/paying")).status_code == 404


async def test_a_yaml_stream(workspace: Keys) -> None:
    answer = await workspace.call("PUT", "/v1/definitions", STREAM, headers=YAML)
    assert answer.status_code == 200, answer.text
    assert [change["key"] for change in answer.json()["changes"]] == ["paying", "us"]
    one = await workspace.call("PUT", "/v1/definitions/sender/us", b"name: Us\nemail: you@example.com\n", headers=YAML)
    assert one.json()["change"]["action"] == "update"
    two = await workspace.call("PUT", "/v1/definitions/sender/us", STREAM, headers=YAML)
    assert (two.status_code, two.json()["errors"][0]["code"]) == (422, "length")
    bad = await workspace.call("PUT", "/v1/definitions", b"a: &x 1\nb: *x\n", headers=YAML)
    assert (bad.status_code, bad.json()["errors"][0]["code"]) == (400, "invalid_yaml")


async def test_validate_refuses_nothing(workspace: Keys) -> None:
    report = (await workspace.call("POST", "/v1/definitions/validate", {"definitions": [CAMPAIGN]})).json()
    assert report["valid"] is False
    assert report["errors"][0]["code"] == "unknown_reference"
    report = (await workspace.call("POST", "/v1/definitions/validate", STREAM, headers=YAML)).json()
    assert (report["valid"], report["startable"], report["errors"]) == (True, True, [])


async def test_what_is_in_use_stays(workspace: Keys) -> None:
    await workspace.call("PUT", "/v1/definitions", {"definitions": [SEGMENT, CAMPAIGN]})
    answer = await workspace.call("DELETE", "/v1/definitions/segment/paying")
    assert answer.status_code == 409
    (error,) = answer.json()["errors"]
    assert error["code"] == "in_use"
    assert error["referents"][0]["key"] == "welcome"


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("GET", "/v1/definitions/nonsense", None, 422, "enum"),
        ("GET", "/v1/definitions/segment/none", None, 404, "not_found"),
        ("GET", "/v1/definitions/segment/99999999999999999999", None, 404, "not_found"),
        ("GET", "/v1/definitions/segment/%FF", None, 400, "invalid_parameter"),
        ("GET", "/v1/definitions/segment?limit=0", None, 400, "invalid_parameter"),
        ("GET", "/v1/definitions/segment?limit=x", None, 400, "invalid_parameter"),
        ("GET", "/v1/definitions/segment?start=%00", None, 400, "invalid_parameter"),
        ("GET", "/v1/definitions/segment?view=half", None, 400, "invalid_parameter"),
        ("PUT", "/v1/definitions", b"{", 400, "invalid_json"),
        ("PUT", "/v1/definitions", [], 422, "type"),
        ("PUT", "/v1/definitions/segment/paying", {"key": "other"}, 422, "immutable"),
        ("PUT", "/v1/definitions/segment/Bad", SEGMENT, 422, "immutable"),
        ("POST", "/v1/clock", {}, 422, "required"),
        ("POST", "/v1/clock/advance", {"by": "P1Y"}, 422, "format"),
        ("POST", "/v1/campaigns/none/start", None, 404, "not_found"),
        ("GET", "/v1/tasks/none", None, 404, "not_found"),
        ("GET", "/v1/tasks?state=odd", None, 400, "invalid_parameter"),
        ("GET", "/v1/nothing", None, 404, "not_found"),
        ("GET", "/v1/definitions?kind=nonsense", None, 422, "enum"),
        ("DELETE", "/v1/definitions", None, 405, "method_not_allowed"),
        ("GET", "/v1/definitions/segment/paying/revisions", None, 404, "not_found"),
        ("POST", "/v1/workspaces", {"name": "x"}, 403, "forbidden_scope"),
    ],
)
async def test_refusals(workspace: Keys, method: str, path: str, body: Any, status: int, code: str) -> None:
    answer = await workspace.call(method, path, body)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (status, code)


@pytest.mark.parametrize("name", ["If-Match", "If-None-Match"])
async def test_preconditions_are_not_overlooked_where_they_mean_nothing(workspace: Keys, name: str) -> None:
    answer = await workspace.call("PUT", "/v1/definitions", {"definitions": [SEGMENT]}, headers={name: '"1"'})
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "not_applicable")


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer wrong", "Bearer sa_live_wrong", "Basic x", "Bearer \xe4"])
async def test_unknown_callers(workspace: Keys, header: str) -> None:
    headers = {b"Authorization": header.encode("latin-1")} if header else {}
    answer = await workspace.http.get("/v1/clock", headers=headers)
    assert answer.status_code == 401
    assert answer.json()["errors"][0]["code"] == "unauthorized"
    assert answer.headers["www-authenticate"] == "Bearer"


async def test_a_service_account_names_its_workspace(workspace: Keys) -> None:
    async def clock(**headers: str) -> Any:
        return await workspace.http.get("/v1/clock", headers={**workspace.admin, **headers})

    assert (await clock()).status_code == 400
    assert (await clock(**{"X-Workspace-Id": "x"})).status_code == 400
    assert (await clock(**{"X-Workspace-Id": "99999999"})).status_code == 404
    found = await clock(**{"X-Workspace-Id": str(workspace.id)})
    assert (found.status_code, found.json()["sandbox"]) == (200, True)


async def test_scopes(workspace: Keys, server: Server) -> None:
    async def key(*scopes: str) -> dict[str, str]:
        body = {"kind": "app", "name": "-".join(scopes), "scopes": scopes}
        path = f"/v1/workspaces/{workspace.id}/credentials"
        made = await server.http.post(path, headers=workspace.admin, json=body)
        assert made.status_code == 201, made.text
        return {"Authorization": f"Bearer {made.json()['app_key']}"}

    async def put(path: str, body: Any, headers: dict[str, str]) -> int:
        return (await server.http.put(path, headers=headers, json=body)).status_code

    sender = {"kind": "sender", "key": "us", "name": "Us", "email": "us@example.com"}
    reader, writer, configurer = await key("read"), await key("write"), await key("configure")
    assert await put("/v1/definitions/segment/paying", SEGMENT, reader) == 403
    assert await put("/v1/definitions/segment/paying", SEGMENT, writer) == 201
    assert await put("/v1/definitions/sender/us", sender, writer) == 403
    assert await put("/v1/definitions/sender/us", sender, configurer) == 201
    assert await put("/v1/definitions", {"definitions": [SEGMENT, sender]}, configurer) == 403
    assert await put("/v1/definitions", {"definitions": [SEGMENT, sender]}, await key("write", "configure")) == 200
    assert (await server.http.get("/v1/definitions/segment", headers=writer)).status_code == 403
    assert (await server.http.get("/v1/definitions/segment", headers=reader)).status_code == 200
    assert (await server.http.post("/v1/clock/settle", headers=writer)).status_code == 403


async def test_workspaces_and_their_keys(server: Server, workspace: Keys) -> None:
    admin = workspace.admin
    body = {"name": "t1", "sandbox": True, "now": 1_767_261_600, "settings": {"timezone": "Europe/Rome"}}
    made = (await server.http.post("/v1/workspaces", headers=admin, json=body)).json()
    number, keys = made["workspace"]["id"], {key["kind"]: key for key in made["credentials"]}
    assert set(keys) == {"track", "app", "pipelines"}
    app = {"Authorization": f"Bearer {keys['app']['app_key']}"}
    clock = await server.http.get("/v1/clock", headers=app)
    assert (clock.json()["now"], clock.json()["sandbox"]) == (1_767_261_600, True)
    settings = await server.http.get("/v1/definitions/settings/workspace", headers=app)
    assert settings.json()["definition"]["timezone"] == "Europe/Rome"
    pair = (keys["track"]["site_id"], keys["track"]["api_key"])
    assert (await server.http.put("/api/v1/customers/7", auth=pair, content=b"{}")).status_code == 200

    path = f"/v1/workspaces/{number}"
    changed = await server.http.patch(path, headers=admin, json={"name": "t2", "colour": "red"})
    assert (changed.json()["name"], changed.json()["colour"]) == ("t2", "red")
    own = await server.http.get("/v1/workspaces", headers=app)
    assert [w["id"] for w in own.json()["workspaces"]] == [number]
    everything = await server.http.get("/v1/workspaces", headers=admin)
    assert {number, workspace.id} <= {w["id"] for w in everything.json()["workspaces"]}

    listed = (await server.http.get(f"{path}/credentials", headers=admin)).json()["credentials"]
    assert not any("key" in name for key in listed for name in key)
    assert next(key for key in listed if key["kind"] == "track")["last_used_at"] is not None


async def test_a_revoked_key_is_refused_at_once(server: Server, workspace: Keys) -> None:
    path = f"/v1/workspaces/{workspace.id}/credentials"
    last = await server.http.delete(f"{path}/1", headers=workspace.admin)
    assert (last.status_code, last.json()["errors"][0]["code"]) == (409, "last_credential")
    body = {"kind": "track", "name": "second"}
    second = (await server.http.post(path, headers=workspace.admin, json=body)).json()
    renamed = await server.http.patch(f"{path}/{second['id']}", headers=workspace.admin, json={"name": "Till"})
    assert renamed.json()["name"] == "Till"
    assert (await workspace.put("7", {})).status_code == 200
    assert (await server.http.delete(f"{path}/1", headers=workspace.admin)).status_code == 204
    assert (await workspace.put("7", {})).status_code == 401
    pair = (second["site_id"], second["api_key"])
    assert (await server.http.put("/api/v1/customers/8", auth=pair, content=b"{}")).status_code == 200
    assert [row["source"] for row in await workspace.log()] == ["Track API: Default", "Track API: Till"]
    assert (await server.http.delete(f"{path}/999", headers=workspace.admin)).status_code == 404


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({}, "/name", "required"),
        ({"name": ""}, "/name", "length"),
        ({"name": 5}, "/name", "type"),
        ({"name": "x", "odd": 1}, "/odd", "unknown_field"),
        ({"name": "x", "now": 5}, "/now", "not_applicable"),
        ({"name": "x", "sandbox": True, "now": -1}, "/now", "range"),
        ({"name": "x", "settings": {"timezone": "Mars"}}, "/settings/timezone", "format"),
        ([], "", "type"),
    ],
)
async def test_workspaces_that_are_refused(server: Server, workspace: Keys, body: Any, pointer: str, code: str) -> None:
    answer = await server.http.post("/v1/workspaces", headers=workspace.admin, json=body)
    assert answer.status_code == 422
    assert [(error["pointer"], error["code"]) for error in answer.json()["errors"]] == [(pointer, code)]


async def test_keys_that_are_refused(server: Server, workspace: Keys) -> None:
    path = f"/v1/workspaces/{workspace.id}/credentials"
    for body, code in (
        ({"kind": "track", "name": "x", "scopes": ["read"]}, "not_applicable"),
        ({"kind": "app", "name": "x", "scopes": ["read", "read"]}, "duplicate"),
        ({"kind": "app", "name": "x", "scopes": ["fly"]}, "enum"),
        ({"kind": "other", "name": "x"}, "enum"),
    ):
        answer = await server.http.post(path, headers=workspace.admin, json=body)
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, code)
    assert (
        await server.http.post("/v1/workspaces/999999/credentials", headers=workspace.admin, json=body)
    ).status_code == 422
    ok = {"kind": "app", "name": "x"}
    assert (
        await server.http.post("/v1/workspaces/999999/credentials", headers=workspace.admin, json=ok)
    ).status_code == 404


async def test_the_clock_of_a_normal_workspace(live: Keys) -> None:
    for path, body in (("/v1/clock", {"now": 1_767_261_600}), ("/v1/clock/advance", {"by": "PT1M"})):
        answer = await live.call("POST", path, body)
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (409, "not_sandbox")
    assert (await live.call("GET", "/v1/clock")).json()["sandbox"] is False


async def test_the_clock_of_a_fresh_sandbox(workspace: Keys) -> None:
    now = (await workspace.call("POST", "/v1/clock", {"now": 1_767_261_600})).json()["now"]
    assert now == 1_767_261_600
    report = (await workspace.call("POST", "/v1/clock/advance", {"by": "PT10M"})).json()
    assert (report["from"], report["now"], report["settled"]) == (1_767_261_600, 1_767_262_200, True)
    assert (await workspace.call("POST", "/v1/clock/settle")).json()["settled"] is True


async def test_what_does_not_settle_says_what_is_pending(workspace: Keys) -> None:
    await workspace.put("7", {"plan": "pro"})
    answer = await workspace.call("POST", "/v1/clock/settle", {"timeout_seconds": 0.1})
    assert answer.status_code == 504
    assert answer.json()["errors"][0]["code"] == "not_settled"
    assert answer.json()["pending"]["ingestion"] == 1


async def test_start_and_stop(workspace: Keys) -> None:
    await workspace.call("PUT", "/v1/definitions", {"definitions": [SEGMENT, CAMPAIGN]})
    too_early = await workspace.call("POST", "/v1/campaigns/welcome/stop", {"journeys": "exit"})
    assert (too_early.status_code, too_early.json()["errors"][0]["code"]) == (409, "invalid_state")
    started = await workspace.call("POST", "/v1/campaigns/welcome/start")
    assert started.status_code == 200, started.text
    assert started.json()["state"] == "starting"
    tasks = (await workspace.call("GET", "/v1/tasks?state=queued")).json()["tasks"]
    assert {task["type"] for task in tasks} >= {"trigger_build"}
    one = await workspace.call("GET", f"/v1/tasks/{tasks[0]['id']}")
    assert one.json() == tasks[0]


async def test_refusals_are_in_the_words_of_the_app_api_too(workspace):
    gone = await workspace.call("GET", "/v1/segments/999")
    (error,) = gone.json()["errors"]
    assert (gone.status_code, error["status"], error["code"]) == (404, "404", "not_found")
    assert error["detail"] == error["message"] == gone.json()["meta"]["error"]
    assert "source" not in error
    wrong = await workspace.call("POST", "/v1/collections", {"name": 5})
    (error,) = wrong.json()["errors"]
    assert (wrong.status_code, error["status"], error["source"]) == (400, "400", {"pointer": "/name"})
    two = await workspace.call("PUT", "/v1/definitions/segment/x", {"kind": "segment", "key": "x", "nope": 1})
    details = [error["detail"] for error in two.json()["errors"]]
    assert two.json()["meta"]["error"] == "; ".join(dict.fromkeys(details))
    nobody = await workspace.http.get("/v1/customers", params={"email": "a@x.io"})
    assert (nobody.status_code, nobody.json()["meta"], nobody.json()["errors"][0]["detail"]) == (
        401,
        {"error": "unauthorized"},
        "unauthorized",
    )
