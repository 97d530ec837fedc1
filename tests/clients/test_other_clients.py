"""Calls as the vendor's Go and Ruby clients and its command line write them, which are not installed here: raw, over https."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio

from stack.description import StackDescription
from tests.support.live import START, Workspace, email
from tests.support.moments import attributes, person
from tests.support.templates import CODES, all_templates, became, captured, number_of

GO = {"User-Agent": "Customer.io Go Client/3.12.0", "Content-Type": "application/json"}
RUBY = {"User-Agent": "Customer.io Ruby Client/6.2.0", "Content-Type": "application/json"}
DATA = {"number": 17, "items": [{"name": "hat"}], "code": "4711"}
ENDPOINTS = {"push": "push", "sms": "sms", "in_app": "in_app", "inbox": "inbox_message"}


@pytest_asyncio.fixture(loop_scope="session")
async def https(stack: StackDescription) -> AsyncIterator[httpx.AsyncClient]:
    """A client that believes the stack's certificate, as Go and Ruby do with `SSL_CERT_FILE`."""
    trust = ssl.create_default_context(cafile=str(stack.ca_bundle_file))
    async with httpx.AsyncClient(base_url=stack.api_tls_url, verify=trust, timeout=30, trust_env=False) as client:
        yield client


@pytest_asyncio.fixture(loop_scope="session")
async def shop(sandbox: Workspace) -> Workspace:
    """A workspace with a template for each channel, and somebody."""
    await sandbox.define(*all_templates())
    await sandbox.identify("ann", email="ann@example.com")
    return sandbox


async def post(https: httpx.AsyncClient, shop: Workspace, path: str, body: Any, headers: dict[str, str]) -> Any:
    """What is answered, with exactly 200: Go takes nothing else."""
    answer = await https.post(path, json=body, headers={**shop.app_auth, **headers})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_go_sends_its_template_as_a_text_and_leaves_empty_fields_out(https: httpx.AsyncClient, shop: Workspace):
    body = {
        "to": "ann@example.com",
        "identifiers": {"id": "ann"},
        "transactional_message_id": str(await number_of(shop, "receipt")),
        "message_data": DATA,
        "headers": None,
        "attachments": None,
        "send_at": None,
        "tracked": None,
        "queue_draft": None,
    }
    answer = await post(https, shop, "/v1/send/email", body, GO)
    await shop.settle()
    assert set(answer) == {"delivery_id", "queued_at"}
    assert answer["queued_at"] == START
    assert (await became(shop, answer))["subject"] == "Order 17"


async def test_go_with_identifiers_that_are_null_is_told_why(https: httpx.AsyncClient, shop: Workspace):
    body = {"to": "ann@example.com", "identifiers": None, "transactional_message_id": "order_receipt"}
    answer = await https.post("/v1/send/email", json=body, headers={**shop.app_auth, **GO})
    assert (answer.status_code, answer.json()["meta"]["error"]) == (400, 'Missing required field "identifiers"')


@pytest.mark.parametrize("channel", list(ENDPOINTS))
async def test_go_on_other_channels(https: httpx.AsyncClient, shop: Workspace, channel: str):
    body: dict[str, Any] = {
        "identifiers": {"id": "ann"},
        "transactional_message_id": str(await number_of(shop, f"code-{channel}")),
        "message_data": DATA,
    }
    if channel == "push":
        token = {"token": "token-1", "platform": "android", "last_used": str(START - 60), "attributes": None}
        body |= {"to": "all", "custom_device": token, "custom_data": {"a": "1"}}
    if channel == "sms":
        body["to"] = "+420777123456"
    answer = await post(https, shop, f"/v1/send/{ENDPOINTS[channel]}", body, GO)
    await shop.settle()
    assert (await captured(shop, answer))["channel"] == channel
    if channel == "push":
        (device,) = (await person(shop, "ann"))["devices"]
        assert (device["id"], device["last_used"]) == ("token-1", START - 60)


async def test_ruby_always_has_attachments_and_headers(https: httpx.AsyncClient, shop: Workspace):
    empty: dict[str, Any] = {"attachments": {}, "headers": {}}
    said = {"identifiers": {"id": "ann"}, "message_data": DATA, **empty}
    receipt = {**said, "to": "ann@example.com", "transactional_message_id": await number_of(shop, "receipt")}
    mail = await post(https, shop, "/v1/send/email", {**receipt, "cc": "desk@example.com"}, RUBY)
    texts = {}
    for channel, more in (("sms", {"tracked": True}), ("whatsapp", {"tracked": False})):
        body = {**said, "to": "+420777123456", "transactional_message_id": f"code-{channel}", **more}
        texts[channel] = await post(https, shop, f"/v1/send/{channel}", body, RUBY)
    await shop.settle()
    assert (await captured(shop, mail))["rendered"]["fields"]["cc"] == "desk@example.com"
    for channel, answer in texts.items():
        assert (await captured(shop, answer))["channel"] == channel


async def test_a_refusal_of_a_send_is_an_object_with_one_text(https: httpx.AsyncClient, shop: Workspace):
    for channel in ("email", *CODES):
        path = f"/v1/send/{ENDPOINTS.get(channel, channel)}"
        answer = await https.post(path, json={"attachments": {}}, headers={**shop.app_auth, **RUBY})
        assert answer.status_code == 400, path
        assert isinstance(answer.json()["meta"]["error"], str)


@pytest.mark.parametrize(
    ("headers", "body", "reached"),
    [
        (GO, {"data": None, "recipients": {}}, {"ann", "ben"}),
        (GO, {"data": {"headline": "H"}, "recipients": {"attribute": {"field": "plan", "operator": "exists"}}}, {"ben"}),
        (GO, {"data": None, "ids": ["ann"], "id_ignore_missing": False}, {"ann"}),
        (RUBY, {"data": {"headline": "H"}}, {"ann", "ben"}),
        (RUBY, {"data": {}, "emails": ["ben@example.com"], "email_ignore_missing": True, "email_add_duplicates": True}, {"ben"}),
        (RUBY, {"data": {}, "ids": ["ann"], "email_add_duplicates": True}, {"ann"}),
        (RUBY, {"data": {}, "per_user_data": [{"id": "ann", "data": {"headline": "Own"}}]}, {"ann"}),
    ],
)  # fmt: skip
async def test_triggers_as_go_and_ruby_write_them(
    https: httpx.AsyncClient, shop: Workspace, headers: dict[str, str], body: dict[str, Any], reached: set[str]
):
    await shop.identify("ben", email="ben@example.com", plan="pro")
    blocks = {"mail": email('{{ trigger.headline | default: "none" }}')}
    news = {"kind": "broadcast", "key": "news", "name": "News", "recipients": "everyone"}
    await shop.define({**news, "workflow": {"start": "mail", "blocks": blocks}})
    number = (await shop.call("POST", "/v1/broadcasts/news/start"))["id"]
    assert await post(https, shop, f"/v1/campaigns/{number}/triggers", body, headers) == {"id": 1}
    await shop.settle()
    assert {mail["customer_identifiers"]["id"] for mail in await shop.mailbox()} == reached


async def test_the_command_line_sends_with_a_service_account_from_the_track_address(
    https: httpx.AsyncClient, stack: StackDescription, shop: Workspace
):
    body = {"to": "ann@example.com", "identifiers": {"id": "ann"}, "message_data": DATA}
    body["transactional_message_id"] = "order_receipt"
    token = {"Authorization": f"Bearer {stack.admin_token}"}
    named = {"X-Workspace-Id": str(shop.id)}
    answer = await https.post("/v1/send/email", json=body, headers={**token, **named})
    assert answer.status_code == 200
    await shop.settle()
    assert (await became(shop, answer.json()))["status"] == "delivered"
    for more in ({}, {"X-Workspace-Id": "soon"}, {"X-Workspace-Id": "-1"}):
        refused = await https.post("/v1/send/email", json=body, headers={**token, **more})
        assert refused.status_code == 400
        assert "X-Workspace-Id" in refused.json()["meta"]["error"]
    wrong = await https.post("/v1/send/email", json=body, headers={"Authorization": "Bearer sa_live_wrong", **named})
    assert (wrong.status_code, wrong.json()) == (401, {"meta": {"error": "Invalid App API key."}})
    ignored = await https.post("/v1/send/email", json=body, headers={**shop.app_auth, "X-Workspace-Id": "1"})
    assert ignored.status_code == 200
    assert (await became(shop, ignored.json()))["id"] == ignored.json()["delivery_id"]


async def test_a_slash_too_many_is_the_same_path(https: httpx.AsyncClient, stack: StackDescription, shop: Workspace):
    body = {"to": "ann@example.com", "identifiers": {"id": "ann"}, "transactional_message_id": "order_receipt"}
    for path in ("//v1/send/email", "/v1/send/email/"):
        answer = await https.post(stack.api_tls_url + path, json=body, headers=shop.app_auth)
        assert answer.status_code == 200, path


async def test_numbers_and_flags_of_people_are_texts_in_answers(shop: Workspace):
    await shop.identify("odd", number=1.5, flag=True, empty=[], nested={"a": 1})
    await shop.settle()
    assert all(isinstance(value, str) for value in (await attributes(shop, "odd")).values())
