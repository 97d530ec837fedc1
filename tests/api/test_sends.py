"""Transactional calls over HTTP: who may make them, how they are answered and refused (CHN-02, CHN-13, APP-02)."""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
from typing import Any

import pytest

from clock import system_now
from domain.values import to_unix
from tests.api.conftest import ADMIN, Keys

CALL: dict[str, Any] = {
    "identifiers": {"id": "ann"},
    "to": "Ann <ann@example.com>",
    "from": "shop@example.com",
    "subject": "Hi",
    "body": "<p>Hello</p>",
}
ENTITY = "Request entity must be JSON encoded and not exceed 2048 KB."


async def send(workspace: Keys, body: Any = None, endpoint: str = "email", **options: Any) -> Any:
    return await workspace.call("POST", f"/v1/send/{endpoint}", CALL if body is None else body, **options)


async def define(workspace: Keys, *documents: dict[str, Any]) -> None:
    answer = await workspace.call("PUT", "/v1/definitions", {"definitions": list(documents)})
    assert answer.status_code == 200, answer.text


async def test_a_call_is_answered_with_the_delivery_that_it_made(workspace: Keys) -> None:
    now = (await workspace.call("GET", "/v1/clock")).json()["now"]
    answer = await send(workspace)
    said = answer.json()
    assert (answer.status_code, set(said)) == (200, {"delivery_id", "queued_at"})
    assert isinstance(said["delivery_id"], str)
    assert said["queued_at"] == now
    (fact,) = await workspace.log()
    assert (fact["op"], fact["delivery_id"]) == ("send_transactional", said["delivery_id"])
    assert fact["source"].startswith("App API: ")
    message = (await workspace.call("GET", f"/v1/messages/{said['delivery_id']}")).json()["message"]
    assert (message["status"], message["recipient"]) == ("queued", "Ann <ann@example.com>")
    later = await send(workspace, {**CALL, "send_at": now + 3600})
    assert later.json()["send_at"] == now + 3600


async def test_chn_case_13_a_misspelt_endpoint_and_a_wrong_method(workspace: Keys) -> None:
    for method, path in (
        ("POST", "/v1/send/emial"),
        ("POST", "/v1/send"),
        ("GET", "/v1/send/email"),
        ("PUT", "/v1/send/x/y"),
    ):
        answer = await workspace.call(method, path, CALL if method != "GET" else None)
        assert answer.status_code == 405, path
        assert set(answer.json()) == {"meta"}
        assert answer.json()["meta"]["error"]


async def test_chn_case_13_a_bad_key_and_a_workspace_that_does_not_send(workspace: Keys, live: Keys) -> None:
    for header in (
        {"Authorization": "Bearer wrong"},
        {"Authorization": ""},
        {"Authorization": f"Basic {workspace.app_key}"},
    ):
        answer = await send(workspace, headers=header)
        assert (answer.status_code, answer.json()) == (401, {"meta": {"error": "Invalid App API key."}})
    track = await workspace.http.post("/v1/send/email", json=CALL, auth=workspace.basic)
    assert track.status_code == 401
    await define(live, {"kind": "settings", "key": "workspace", "sending": "never"})
    answer = await send(live)
    assert (answer.status_code, answer.json()) == (403, {"meta": {"error": 'Workspace is set to "Do Not Send."'}})


async def test_a_key_has_to_have_the_scope_and_the_right_address(workspace: Keys) -> None:
    path = f"/v1/workspaces/{workspace.id}"
    body = {"kind": "app", "name": "reads", "scopes": ["read"]}
    made = await workspace.http.post(f"{path}/credentials", json=body, headers=workspace.admin)
    key = made.json()["app_key"]
    answer = await send(workspace, headers={"Authorization": f"Bearer {key}"})
    assert answer.status_code == 403
    assert "'send'" in answer.json()["meta"]["error"]
    allowed = {"allowed_ips": ["203.0.113.7"]}
    await workspace.http.put(f"{path}/allowed_ips", json=allowed, headers=workspace.admin)
    elsewhere = await send(workspace)
    assert (elsewhere.status_code, set(elsewhere.json())) == (401, {"meta"})


async def test_a_service_account_names_the_workspace(workspace: Keys) -> None:
    answer = await send(workspace, headers={"Authorization": f"Bearer {ADMIN}", "X-Workspace-Id": str(workspace.id)})
    assert answer.status_code == 200
    for headers, status in (({}, 400), ({"X-Workspace-Id": "999999"}, 404)):
        refused = await send(workspace, headers={"Authorization": f"Bearer {ADMIN}", **headers})
        assert (refused.status_code, set(refused.json())) == (status, {"meta"})
    ignored = await send(workspace, headers={"X-Workspace-Id": "999999"})
    assert ignored.status_code == 200


@pytest.mark.parametrize(
    ("fields", "status", "error", "field"),
    [
        ({"to": None}, 400, 'Missing required field "to"', "to"),
        ({"transactional_message_id": "x"}, 400, '"transactional_message_id" not found.', "transactional_message_id"),
        ({"message_data": 5}, 400, 'Invalid format in field "message_data"', "message_data"),
        ({"attachments": {"a.exe": "AAAA"}}, 403, 'Forbidden file type exe for attachment "a.exe"', "attachments"),
        ({"attachments": {"a.txt": "A" * 3_000_000}}, 413, "Total attachment size exceeds the limit", "attachments"),
    ],
)
async def test_refusals_say_what_is_wrong_in_one_sentence(
    workspace: Keys, fields: dict[str, Any], status: int, error: str, field: str
) -> None:
    answer = await send(workspace, {**CALL, **fields})
    assert (answer.status_code, answer.json()) == (status, {"meta": {"error": error, "field": field}})


async def test_bodies_that_are_none(workspace: Keys) -> None:
    for body in (b"", b"{", b"[1]"):
        answer = await send(workspace, body)
        assert (answer.status_code, answer.json()) == (400, {"meta": {"error": ENTITY}})
    large = await send(workspace, b"x" * (6 * 1024 * 1024 + 1))
    assert (large.status_code, set(large.json())) == (413, {"meta"})
    packed = await send(workspace, b"{}", headers={"Content-Encoding": "br"})
    assert (packed.status_code, set(packed.json())) == (415, {"meta"})
    zipped = await send(workspace, gzip.compress(json.dumps(CALL).encode()), headers={"Content-Encoding": "gzip"})
    assert zipped.status_code == 200


async def test_a_normal_workspace_needs_a_provider_for_other_channels(live: Keys) -> None:
    for endpoint, word in (("push", "Push"), ("sms", "SMS"), ("whatsapp", "WhatsApp")):
        answer = await send(live, {"identifiers": {"id": "ann"}, "message": "x"}, endpoint)
        assert answer.status_code == 403
        assert answer.json()["meta"]["error"] == f"{word} messaging is not enabled for your workspace."


async def test_an_idempotency_key(workspace: Keys) -> None:
    key = {"Idempotency-Key": "order-1"}
    first, *others = await asyncio.gather(*(send(workspace, headers=key) for _ in range(4)))
    assert {answer.status_code for answer in (first, *others)} == {200}
    assert {answer.content for answer in others} == {first.content}
    other = await send(workspace, {**CALL, "subject": "Other"}, headers=key)
    assert (other.status_code, set(other.json())) == (422, {"meta"})
    text = await send(workspace, {"identifiers": {"id": "a"}, "message": "x"}, "push", headers=key)
    assert text.status_code == 422
    assert len(await workspace.log()) == 1


async def test_cancelling(workspace: Keys) -> None:
    at = to_unix(system_now()) + 3600
    sent = [(await send(workspace, {**CALL, "send_at": at})).json()["delivery_id"] for _ in range(3)]
    answer = await workspace.call("POST", f"/v1/messages/{sent[0]}/cancel")
    assert answer.json()["message"]["status"] == "undeliverable"
    assert (await workspace.call("POST", f"/v1/messages/{sent[0]}/cancel")).status_code == 409
    assert (await workspace.call("POST", "/v1/messages/nothing/cancel")).status_code == 404
    assert (await workspace.call("POST", "/v1/transactional/1/cancel")).json() == {"cancelled": 2}
    assert (await workspace.call("POST", "/v1/transactional/none/cancel")).status_code == 404
    now = (await send(workspace)).json()["delivery_id"]
    assert (await workspace.call("POST", f"/v1/messages/{now}/cancel")).status_code == 409


async def test_attachments_up_to_the_limit_are_taken(workspace: Keys) -> None:
    file = base64.b64encode(b"x" * (2048 * 1024)).decode()
    assert (await send(workspace, {**CALL, "attachments": {"big.txt": file}})).status_code == 200
