"""Transactional push, in-app and inbox messages: whom they reach (CHN-06, CHN-08)."""

from __future__ import annotations

from typing import Any

import orjson

from domain.operations import AddDevice, Identifier
from domain.values import to_unix
from tests.support.sends import Desk

ANN = Identifier(kind="id", value="ann")


def device(token: str, last_used: int, **fields: Any) -> AddDevice:
    return AddDevice(subject=ANN, token=token, platform="ios", last_used=last_used, **fields)


async def test_chn_case_15_a_push_reaches_the_devices_that_it_names(desk: Desk) -> None:
    await desk.room.apply(device("A", 100), device("B", 200))
    for to, reached in (("last_used", ["B"]), (None, ["B", "A"]), ("all", ["B", "A"]), ("A", ["A"])):
        sent = await desk.send("push", message="Hi {{ trigger.n }}", title="T", to=to, message_data={"n": 1})
        assert (await desk.status(sent))[0] in ("sent", "delivered")
        (mail,) = await desk.mailbox(sent)
        assert (mail["to"], mail["rendered"]["text"]) == (reached, "Hi 1")
    stray = await desk.send("push", message="Hi", to="C")
    assert await desk.status(stray) == ("undeliverable", "The person has no device with this token")


async def test_chn_case_15_without_devices_a_push_is_undeliverable(desk: Desk) -> None:
    sent = await desk.send("push", message="Hi")
    assert await desk.status(sent) == ("undeliverable", "The person has no device")
    assert await desk.mailbox() == []


async def test_a_call_registers_a_device_and_reaches_it(desk: Desk) -> None:
    used = to_unix(desk.room.now) - 60
    new = {"token": "NEW", "platform": "Android", "last_used": str(used), "attributes": None}
    sent = await desk.send("push", message="Hi", to="NEW", custom_device=new)
    assert (await desk.mailbox(sent))[0]["to"] == ["NEW"]
    (row,) = await desk.room.rows("SELECT token, platform, last_used FROM devices WHERE workspace_id = $1")
    assert (row["platform"], to_unix(row["last_used"])) == ("android", used)


async def test_payloads_are_taken_as_objects_and_as_texts(desk: Desk) -> None:
    await desk.room.apply(device("A", 100))
    payload = {"ios": {"aps": {"alert": "Hi {{ trigger.n }}"}}, "android": '{"message": {"data": {"k": "v"}}}'}
    sent = await desk.send(
        "push", custom_payload=payload, custom_data='{"a": 1, "b": "two"}', message_data={"n": 1}, sound="none"
    )
    (mail,) = await desk.mailbox(sent)
    request = orjson.loads(mail["raw"])["payload"]
    assert request["ios"]["aps"]["alert"] == "Hi 1"
    assert request["ios"]["CIO-Delivery-ID"] == sent
    assert request["android"]["message"]["data"]["k"] == "v"


async def test_a_draft_of_a_push_looks_for_devices_when_it_is_sent(desk: Desk) -> None:
    sent = await desk.send("push", message="Hi", queue_draft=True)
    assert (await desk.status(sent))[0] == "drafted"
    await desk.room.apply(device("A", 100))
    await desk.drafts.send(desk.room.workspace_id, sent, desk.room.now)
    await desk.work()
    assert (await desk.mailbox(sent))[0]["to"] == ["A"]


async def test_in_app_and_inbox_messages_are_of_templates(desk: Desk) -> None:
    await desk.room.define(
        {"kind": "transactional", "key": "card", "name": "Card", "channel": "inbox",
         "message": {"properties": {"title": "Hi {{ trigger.n }}"}}},
        {"kind": "transactional", "key": "banner", "name": "Banner", "channel": "in_app", "message": {"body": "b"}},
        {"kind": "transactional", "key": "empty", "name": "Empty", "channel": "in_app"},
    )  # fmt: skip
    card = await desk.send(
        "inbox_message", transactional_message_id="card", message_data={"n": 1}, send_to_unsubscribed=False
    )
    assert (await desk.mailbox(card))[0]["rendered"]["payload"] == {"title": "Hi 1"}
    banner = await desk.send("in_app", transactional_message_id="banner", disable_message_retention=True)
    assert len(await desk.mailbox(banner)) == 1
    assert (await desk.delivery(banner))["forgotten"] is True
    empty = await desk.send("in_app", transactional_message_id="empty")
    assert (await desk.status(empty))[0] == "failed"
