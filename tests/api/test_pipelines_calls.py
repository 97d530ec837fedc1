"""Pipelines calls over real HTTP: who calls, in which spelling and encoding, what is stored, what is refused."""

from __future__ import annotations

import base64
import gzip
import json
import zlib
from typing import Any

import httpx
import pytest
import pytest_asyncio

from tests.api.conftest import Keys, Server, free_port, served
from tests.api.pipelines_source import STRICT, SUCCESS, Source, basic, define_settings, make_source

EVENT = {"userId": "7", "event": "bought"}
KB = 1024


@pytest_asyncio.fixture(loop_scope="session")
async def source(workspace: Keys) -> Source:
    return await make_source(workspace)


async def counted(server: Server, code: str) -> float:
    text = (await server.http.get("/metrics")).text
    name = f'sojourn_pipelines_without_effect_total{{code="{code}"}} '
    return next((float(line.removeprefix(name)) for line in text.splitlines() if line.startswith(name)), 0.0)


@pytest.mark.parametrize(
    ("paths", "body", "ops"),
    [
        (["/v1/identify", "/v1/i", "/v1/identify/", "/v1//identify"], {"userId": "7"}, ["identify"]),
        (["/v1/track", "/v1/t", "/v1/api/track", "/v1/track/"], EVENT, ["event"]),
        (["/v1/page", "/v1/p"], {"userId": "7", "name": "Home"}, ["event"]),
        (["/v1/screen", "/v1/s"], {"userId": "7", "name": "Home"}, ["event"]),
        (["/v1/group", "/v1/g", "/v1/group/"], {"userId": "7", "groupId": "g"}, ["identify_object", "relationships"]),
        (["/v1/alias", "/v1/a"], {"userId": "7", "previousId": "8"}, ["merge"]),
        (["/v1/batch", "/v1/b", "/b", "/v1//batch"], {"batch": [{**EVENT, "type": "track"}]}, ["event"]),
    ],
)
async def test_every_spelling_of_every_call(source: Source, paths: list[str], body: Any, ops: list[str]) -> None:
    for path in paths:
        await source.take(path, body)
    log = await source.workspace.log()
    assert [row["op"] for row in log] == ops * len(paths)
    assert {row["source"] for row in log} == {"Pipelines API: Web"}


async def test_who_calls(source: Source) -> None:
    key = source.key
    tight = base64.urlsafe_b64encode(f"{key}:".encode()).decode().rstrip("=")
    headers = [
        basic(key),
        basic(key, tail=":ignored"),
        {"Authorization": f"Basic {key}"},
        {"Authorization": f"basic  {tight}"},
        {"Authorization": f"Bearer {key}"},
    ]
    http = source.workspace.http
    for header in headers:
        answer = await http.post("/v1/track", json=EVENT, headers=header | STRICT)
        assert (answer.status_code, answer.json()) == (200, SUCCESS), header
    bodies = [
        ("/v1/t", EVENT | {"writeKey": key}),
        ("/v1/b", {"batch": [EVENT | {"type": "track"}], "writeKey": key}),
        ("/v1/b", {"batch": [EVENT | {"type": "track", "writeKey": key}]}),
    ]
    for path, body in bodies:
        for header in ({}, {"Authorization": "Basic Og=="}):
            answer = await http.post(path, content=json.dumps(body), headers=STRICT | header)
            assert (answer.status_code, answer.json()) == (200, SUCCESS), body
    assert len(await source.workspace.log()) == len(headers) + 2 * len(bodies)


async def test_api_case_23_a_bad_key(source: Source, server: Server) -> None:
    workspace = source.workspace
    before = await counted(server, "unauthorized")
    wrong: list[dict[str, str]] = [
        {},
        basic("nobody"),
        basic(workspace.app_key),
        basic(workspace.api_key),
        {"Authorization": "Bearer x" + "y" * 300},
        {"Authorization": "Digest x"},
        {"Authorization": "Basic"},
    ]
    for header in wrong:
        lax = await server.http.post("/v1/track", json=EVENT, headers=header)
        assert (lax.status_code, lax.json()) == (200, SUCCESS), header
        strict = await server.http.post("/v1/track", json=EVENT, headers=header | STRICT)
        assert (strict.status_code, strict.json()["code"]) == (401, "unauthorized"), header
        assert strict.json()["message"]
        assert strict.json()["errors"] == []
    assert await workspace.log() == []
    assert await counted(server, "unauthorized") == before + len(wrong)


async def test_api_case_23_an_event_without_a_name(source: Source) -> None:
    await source.take("/v1/track", {"userId": "7"})
    assert await source.workspace.log() == []
    (kept,) = await source.rejected()
    assert kept == {
        "source": "Pipelines API: Web",
        "path": "/v1/track",
        "status": 200,
        "errors": ["event is required"],
    }
    refusal = await source.refused("/v1/track", {"userId": "7"})
    assert refusal == {
        "code": "invalid_request",
        "message": "event is required",
        "errors": [{"field": "event", "message": "event is required"}],
    }
    assert await source.workspace.log() == []


async def test_a_deployment_may_refuse_bad_keys(server: Server) -> None:
    settings = server.services.settings.with_changes(api_port=free_port(), pipelines_reject_bad_keys=True)
    async with served(settings), httpx.AsyncClient(base_url=settings.api_url) as http:
        answer = await http.post("/v1/track", json=EVENT, headers=basic("nobody"))
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")
        assert answer.headers["access-control-allow-origin"] == "*"


async def test_a_revoked_key_is_unknown_at_once(source: Source) -> None:
    await source.take("/v1/track", EVENT)
    workspace = source.workspace
    path = f"/v1/workspaces/{workspace.id}/credentials/{source.id}"
    assert (await workspace.http.delete(path, headers=workspace.admin)).status_code == 204
    assert (await source.post("/v1/track", EVENT, strict=True)).status_code == 401
    await source.take("/v1/track", EVENT)
    assert len(await workspace.log()) == 1


async def test_calls_from_elsewhere(source: Source) -> None:
    workspace = source.workspace
    async with workspace.db.transaction() as conn:
        await conn.execute(
            "UPDATE workspaces SET allowed_ips = '{203.0.113.0/24}' WHERE workspace_id = $1", workspace.id
        )
    await source.take("/v1/track", EVENT)
    answer = await source.post("/v1/track", EVENT, strict=True)
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden_address")
    assert await workspace.log() == []
    assert await source.rejected() == []


@pytest.mark.parametrize("content_type", ["text/plain", "application/json", "application/x-www-form-urlencoded", ""])
@pytest.mark.parametrize("encoding", ["", "gzip", "deflate"])
async def test_bodies_as_clients_send_them(source: Source, content_type: str, encoding: str) -> None:
    packed = {"": bytes, "gzip": gzip.compress, "deflate": zlib.compress}[encoding](json.dumps(EVENT).encode())
    headers = {"Content-Type": content_type} | ({"Content-Encoding": encoding} if encoding else {})
    await source.take("/v1/track", packed, headers=headers, strict=True)
    (row,) = await source.workspace.log()
    assert row["name"] == "bought"


@pytest.mark.parametrize(
    ("body", "headers", "code"),
    [
        (b"{", {}, "invalid_json"),
        (b"", {}, "invalid_json"),
        (b'{"userId":"\\u0000","event":"e"}', {}, "invalid_json"),
        (b"[]", {}, "invalid_request"),
        (b"nonsense", {"Content-Encoding": "gzip"}, "invalid_json"),
        (gzip.compress(b"{}")[:-4], {"Content-Encoding": "gzip"}, "invalid_json"),
        (b"{}", {"Content-Encoding": "br"}, "unsupported_media_type"),
        (b"{" + b" " * 64 * KB + b"}", {}, "too_large"),
        (gzip.compress(b"{" + b" " * 64 * KB + b"}"), {"Content-Encoding": "gzip"}, "too_large"),
    ],
)
async def test_bodies_that_cannot_be_read(source: Source, body: bytes, headers: dict[str, str], code: str) -> None:
    await source.take("/v1/track", body, headers=headers)
    refusal = await source.refused("/v1/track", body, headers=headers)
    assert refusal["code"] == code
    assert await source.workspace.log() == []
    assert [row["status"] for row in await source.rejected()] == [200, 400]


async def test_how_large_a_call_may_be(source: Source) -> None:
    body = json.dumps({**EVENT, "properties": {"text": ""}})
    whole: dict[str, Any] = {**EVENT, "properties": {"text": "x" * (64 * KB - len(body))}}
    await source.take("/v1/track", whole, strict=True)
    whole["properties"]["text"] += "x"
    assert (await source.refused("/v1/track", whole))["code"] == "too_large"
    part = {**EVENT, "type": "track", "properties": {"text": "x" * 60 * KB}}
    await source.take("/v1/batch", {"batch": [part] * 16}, strict=True)
    assert (await source.refused("/v1/batch", {"batch": [part] * 18}))["code"] == "too_large"
    large = {**part, "properties": {"text": "x" * 65 * KB}}
    refusal = await source.refused("/v1/batch", {"batch": [part, large]})
    assert [error["batch_index"] for error in refusal["errors"]] == [1]
    assert len(await source.workspace.log()) == 17


async def test_api_case_26_a_batch_of_the_go_client(source: Source) -> None:
    first = {"type": "identify", "messageId": "m1", "userId": "7", "traits": {"a": 1}}
    second = {"type": "track", "messageId": "m2", "userId": "7", "event": "Application Opened"}
    context = {"library": {"name": "analytics-go"}, "device": {"token": "tok", "type": "ios"}}
    await source.take("/v1/batch", {"messageId": "B", "batch": [first, second], "context": context}, strict=True)
    log = await source.workspace.log()
    assert [row["op"] for row in log] == ["identify", "add_device", "event"]
    ids = [row["repeatable"] for row in log]
    assert [found["message_id"] for found in ids] == ["m1", "m2", "m2/1"]
    assert {found["scope"] for found in ids} == {str(source.id)}


async def test_a_batch_with_what_cannot_be_taken(source: Source, server: Server) -> None:
    good = {"type": "track", **EVENT}
    items = [good, {"type": "track", "userId": "7"}, {"userId": "7"}, 5, {"type": "fly", "userId": "7"}, good]
    refusal = await source.refused("/v1/batch", {"batch": items})
    assert [(error["batch_index"], error["field"]) for error in refusal["errors"]] == [
        (1, "batch[1].event"),
        (2, "batch[2].type"),
        (3, "batch[3]"),
        (4, "batch[4].type"),
    ]
    assert await source.workspace.log() == []
    before = await counted(server, "unknown_type")
    await source.take("/v1/batch", {"batch": items})
    assert len(await source.workspace.log()) == 2
    kept = (await source.rejected())[-1]
    assert (kept["status"], kept["path"]) == (200, "/v1/batch")
    assert "batch[1]: event is required" in kept["errors"]
    assert await counted(server, "unknown_type") == before + 1


@pytest.mark.parametrize("body", [{}, {"batch": None}, {"batch": {}}, []])
async def test_what_is_no_batch(source: Source, body: Any) -> None:
    await source.take("/v1/batch", body)
    assert (await source.refused("/v1/batch", body))["code"] == "invalid_request"


async def test_an_empty_batch(source: Source) -> None:
    await source.take("/v1/batch", {"batch": []}, strict=True)
    assert await source.workspace.log() == []


async def test_times_are_those_of_the_workspace(source: Source) -> None:
    clock = await source.workspace.call("POST", "/v1/clock", {"now": 1767261600})
    assert clock.status_code == 200, clock.text
    old = {**EVENT, "type": "track", "timestamp": "2020-01-01T00:00:00Z"}
    await source.take("/v1/batch", {"batch": [old], "sentAt": "2020-01-01T00:01:40Z"})
    await source.take("/v1/track", {**EVENT, "timestamp": "2025-12-31T00:00:00Z"})
    await source.take("/v1/track", EVENT)
    timestamps = [row.get("timestamp") for row in await source.workspace.log()]
    assert timestamps == [1767261500, 1767139200, None]


async def test_times_of_a_normal_workspace(live: Keys) -> None:
    source = await make_source(live)
    async with live.db.connection() as conn:
        before = await conn.fetchval("SELECT extract(epoch FROM clock_timestamp())::bigint")
    await source.take("/v1/track", {**EVENT, "timestamp": 1000, "sentAt": 1100})
    (row,) = await live.log()
    assert before - 101 <= row["timestamp"] <= before - 70


async def test_api_case_29_dates_and_case_27_identify(source: Source) -> None:
    traits = {"on": "2019-02-01", "us": "01/01/2019", "created_at": "01/01/2019", "name": "N"}
    await source.take("/v1/identify", {"userId": "a@x.io", "traits": traits}, strict=True)
    await source.take("/v1/identify", {"anonymousId": "z", "traits": {"plan": "p"}}, strict=True)
    await source.take("/v1/identify", {"userId": "", "traits": {"email": "q@x"}}, strict=True)
    first, second = await source.workspace.log()
    assert first["subject"] == {"kind": "email", "value": "a@x.io"}
    assert first["attributes"] == {"on": 1548979200, "us": "01/01/2019", "created_at": 1546300800, "name": "N"}
    assert second["subject"] == {"kind": "email", "value": "q@x"}
    assert [row["errors"] for row in await source.rejected()] == [
        ["an identify call with only an anonymousId has no effect"]
    ]


async def test_api_case_30_group(source: Source) -> None:
    traits = {"name": "Acme", "objectTypeId": 2, "relationshipAttributes": {"role": "sponsor"}}
    await source.take("/v1/group", {"groupId": "g1", "userId": "u1", "traits": traits}, strict=True)
    await source.take("/v1/group", {"groupId": "g1"}, strict=True)
    await source.take("/v1/group", {"groupId": "g1", "anonymousId": "z", "traits": traits}, strict=True)
    identified, related, alone, parked = await source.workspace.log()
    assert identified["attributes"] == {"name": "Acme"}
    assert identified["object"] == {"object_type_id": 2, "object_id": "g1"}
    assert related["edges"][0]["attributes"] == {"role": "sponsor"}
    assert alone["object"] == {"object_id": "g1"}
    assert (parked["op"], parked["anonymous_id"], parked["attributes"]) == ("park_group", "z", {"name": "Acme"})


async def test_api_case_31_object_deleted(source: Source) -> None:
    said = {"anonymousId": "any", "event": "Object Deleted", "properties": {"objectId": "g1"}}
    await source.take("/v1/track", said, strict=True)
    said["properties"] = {"objectId": "g1", "objectTypeId": 2}
    await source.take("/v1/track", said, strict=True)
    objects = [row["object"] for row in await source.workspace.log() if row["op"] == "delete_object"]
    assert objects == [{"object_id": "g1"}, {"object_type_id": 2, "object_id": "g1"}]


async def test_api_case_33_instructions_and_their_aliases(source: Source) -> None:
    context = {"device": {"token": "tok", "type": "ios"}}
    await source.take("/v1/track", {"userId": "7", "event": "Application Opened", "context": context}, strict=True)
    await source.take("/v1/track", {"userId": "7", "event": "Application Opened"}, strict=True)
    await source.take("/v1/track", {"userId": "7", "event": "Delete Person"}, strict=True)
    assert [row["op"] for row in await source.workspace.log()] == ["add_device", "event", "event", "event"]
    assert "'User Deleted' is the name that acts" in (await source.rejected())[0]["errors"][0]
    await define_settings(source.workspace, semantic_event_aliases=True)
    await source.take("/v1/track", {"userId": "7", "event": "Delete Person"}, strict=True)
    assert (await source.workspace.log())[-1]["op"] == "delete"


async def test_api_case_34_alias(source: Source) -> None:
    await source.take("/v1/alias", {"userId": "keep", "previousId": "drop"}, strict=True)
    (row,) = await source.workspace.log()
    assert (row["op"], row["primary"]["value"], row["secondary"]["value"]) == ("merge", "keep", "drop")
    assert row["bind_unknown"] is True


async def test_api_case_35_integrations(source: Source) -> None:
    for integrations in ({"All": False, "Mixpanel": True}, {"all": False}):
        await source.take("/v1/track", {**EVENT, "integrations": integrations}, strict=True)
    assert await source.workspace.log() == []
    assert len(await source.rejected()) == 2
    ours = {"All": False, "Actions Customerio": True}
    await source.take("/v1/track", {**EVENT, "integrations": ours}, strict=True)
    assert len(await source.workspace.log()) == 1
    await source.take("/v1/batch", {"batch": [{**EVENT, "type": "track"}], "integrations": {"All": False}})
    assert len(await source.workspace.log()) == 1


async def test_a_key_that_everybody_knows_destroys_nothing(source: Source) -> None:
    workspace = source.workspace
    web = await make_source(workspace, "Page", client_side=True)
    gone = {"userId": "7", "event": "User Deleted"}
    await web.take("/v1/track", gone)
    assert (await web.refused("/v1/track", gone))["errors"][0]["field"] == "event"
    assert await workspace.log() == []
    assert [row["source"] for row in await web.rejected()] == ["Pipelines API: Page"] * 2
    path = f"/v1/workspaces/{workspace.id}/credentials/{web.id}"
    changed = await workspace.http.patch(path, headers=workspace.admin, json={"client_side": False})
    assert (changed.status_code, changed.json()["client_side"], changed.json()["name"]) == (200, False, "Page")
    await web.take("/v1/track", gone, strict=True)
    await source.take("/v1/track", gone, strict=True)
    assert [row["op"] for row in await workspace.log()] == ["delete", "delete"]


async def test_api_40_a_source_may_not_send_every_event(source: Source) -> None:
    workspace = source.workspace
    web = await make_source(workspace, "Page", blocked_events=["Heartbeat", "User Deleted"])
    await web.take("/v1/track", {"userId": "7", "event": " Heartbeat "}, strict=True)
    await web.take("/v1/track", {"userId": "7", "event": "User Deleted"})
    await web.take("/v1/track", {"userId": "7", "event": "heartbeat"})
    await source.take("/v1/track", {"userId": "7", "event": "Heartbeat"})
    log = await workspace.log()
    assert [(row["op"], row["name"], row["source"]) for row in log] == [
        ("event", "heartbeat", "Pipelines API: Page"),
        ("event", "Heartbeat", "Pipelines API: Web"),
    ]
    assert [row["errors"] for row in await web.rejected()] == [
        ["this source may not send 'Heartbeat'"],
        ["this source may not send 'User Deleted'"],
    ]
    path = f"/v1/workspaces/{workspace.id}/credentials"
    admin = {"headers": workspace.admin}
    changed = await workspace.http.patch(f"{path}/{web.id}", json={"blocked_events": []}, **admin)
    assert (changed.status_code, changed.json()["blocked_events"], changed.json()["name"]) == (200, [], "Page")
    await web.take("/v1/track", {"userId": "7", "event": "Heartbeat"}, strict=True)
    assert len(await workspace.log()) == 3
    for kind, names, pointer in (("track", ["x"], "/blocked_events"), ("pipelines", [""], "/blocked_events/0")):
        refused = await workspace.http.post(path, json={"kind": kind, "name": "x", "blocked_events": names}, **admin)
        assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, pointer)


async def test_which_keys_are_client_side(workspace: Keys) -> None:
    path = f"/v1/workspaces/{workspace.id}/credentials"
    web = await make_source(workspace, "Page", client_side=True)
    listed = (await workspace.http.get(path, headers=workspace.admin)).json()["credentials"]
    assert {key["name"]: key.get("client_side") for key in listed if key["kind"] == "pipelines"} == {
        "Default": False,
        "Page": True,
    }
    assert all("client_side" not in key for key in listed if key["kind"] != "pipelines")
    renamed = await workspace.http.patch(f"{path}/{web.id}", headers=workspace.admin, json={"name": "Shop"})
    assert (renamed.json()["name"], renamed.json()["client_side"]) == ("Shop", True)
    refused = [
        await workspace.http.post(
            path, headers=workspace.admin, json={"kind": "app", "name": "x", "client_side": True}
        ),
        await workspace.http.patch(f"{path}/1", headers=workspace.admin, json={"name": "x", "client_side": True}),
    ]
    for answer in refused:
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["pointer"] == "/client_side"
    listed = (await workspace.http.get(path, headers=workspace.admin)).json()["credentials"]
    assert "x" not in {key["name"] for key in listed}
