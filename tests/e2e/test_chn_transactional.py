"""Transactional messages over the whole path: a call, the log, Temporal, the mailbox (CHN-01 to CHN-14)."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from tests.support.live import START, Workspace

INLINE: dict[str, Any] = {"from": "shop@example.com", "subject": "Hi", "body": "<p>Hello</p>"}
RESET = {
    "kind": "transactional",
    "key": "reset",
    "name": "Password reset",
    "channel": "email",
    "trigger_name": "Password_Reset",
    "message": {"subject": "Reset", "body": "<p>Reset: {{trigger.passwordResetURL}}</p>", "link_tracking": False},
}
URL = "https://www.example.io/password?token=12345"


async def send(sandbox: Workspace, endpoint: str = "email", status: int = 200, **body: Any) -> Any:
    said = {"identifiers": {"id": "ann"}, **body}
    if endpoint == "email":
        said = {"to": "ann@example.com", **said}
    return await sandbox.call("POST", f"/v1/send/{endpoint}", said, status)


async def message(sandbox: Workspace, delivery_id: str) -> dict[str, Any]:
    found: dict[str, Any] = (await sandbox.get(f"/v1/messages/{delivery_id}"))["message"]
    return found


async def archived(sandbox: Workspace, delivery_id: str) -> dict[str, Any]:
    found: dict[str, Any] = (await sandbox.get(f"/v1/messages/{delivery_id}/archived_message"))["archived_message"]
    return found


async def test_chn_case_1_and_3_a_template_by_all_its_names_with_its_data(sandbox: Workspace) -> None:
    await sandbox.define(RESET)
    number = (await sandbox.get("/v1/definitions/transactional/reset"))["status"]["id"]
    data = {"passwordResetURL": URL}
    answers = [
        await send(sandbox, transactional_message_id=named, message_data=data)
        for named in (number, str(number), "password_reset", "PASSWORD_RESET")
    ]
    await sandbox.settle()
    for answer in answers:
        assert isinstance(answer["delivery_id"], str)
        assert answer["queued_at"] == START
        assert (await message(sandbox, answer["delivery_id"]))["status"] == "delivered"
        assert URL in (await archived(sandbox, answer["delivery_id"]))["body"]
    listed = await sandbox.get("/v1/messages", transactional_message_id=number)
    assert len(listed["messages"]) == 4


async def test_chn_case_2_somebody_new_is_made_and_written_to(sandbox: Workspace) -> None:
    answer = await send(sandbox, to="Sarah <sarah@example.io>", identifiers={"id": "d34sh"}, **INLINE)
    await sandbox.settle()
    (mail,) = await sandbox.mailbox()
    assert mail["to"] == ["sarah@example.io"]
    assert (await message(sandbox, answer["delivery_id"]))["customer_id"] == "d34sh"
    found = await sandbox.get("/v1/customers/d34sh/attributes")
    assert "email" not in found["customer"]["attributes"]


async def test_chn_case_10_nothing_is_kept_anywhere(sandbox: Workspace) -> None:
    body = '<p><a href="https://example.io/hidden">hidden</a></p>'
    answer = await send(
        sandbox, disable_message_retention=True, tracked=True, **{**INLINE, "subject": "hidden", "body": body}
    )
    await sandbox.settle()
    kept = await archived(sandbox, answer["delivery_id"])
    assert kept["forgotten"] is True
    assert "hidden" not in json.dumps(kept)
    (mail,) = await sandbox.mailbox()
    assert "https://example.io/hidden" in json.dumps(mail)


async def test_chn_case_11_a_scheduled_send_uses_the_data_of_its_instant(sandbox: Workspace) -> None:
    await sandbox.identify("ann", first_name="Before")
    answer = await send(sandbox, send_at=START + 3600, **{**INLINE, "subject": "Hi {{ customer.first_name }}"})
    assert answer["send_at"] == START + 3600
    past = await send(sandbox, send_at=START - 3600, **INLINE)
    assert "send_at" not in past
    await sandbox.settle()
    assert len(await sandbox.mailbox()) == 1
    await sandbox.advance("PT30M")
    await sandbox.identify("ann", first_name="After")
    await sandbox.settle()
    assert (await message(sandbox, answer["delivery_id"]))["status"] == "queued"
    await sandbox.advance("PT30M")
    await sandbox.settle()
    assert (await archived(sandbox, answer["delivery_id"]))["subject"] == "Hi After"
    refused = await send(sandbox, status=400, send_at=START + 92 * 86_400, **INLINE)
    assert "90 days" in refused["meta"]["error"]


async def test_chn_case_11_a_cancelled_send_never_leaves(sandbox: Workspace) -> None:
    answer = await send(sandbox, send_at=START + 3600, **INLINE)
    await sandbox.settle()
    path = f"/v1/messages/{answer['delivery_id']}/cancel"
    assert (await sandbox.call("POST", path))["message"]["status"] == "undeliverable"
    await sandbox.call("POST", path, status=409)
    await sandbox.advance("PT2H")
    await sandbox.settle()
    assert await sandbox.mailbox() == []


async def test_what_was_said_before_the_send_is_rendered_by_it(sandbox: Workspace) -> None:
    names = [f"Ann {n}" for n in range(5)]
    for name in names:
        await sandbox.identify("ann", first_name=name)
        await send(sandbox, **{**INLINE, "subject": "{{ customer.first_name }}"})
        await sandbox.settle()
    assert sorted(mail["rendered"]["fields"]["subject"] for mail in await sandbox.mailbox()) == names


async def test_a_draft_is_sent_by_hand(sandbox: Workspace) -> None:
    await sandbox.define({**RESET, "queue_drafts": True})
    answer = await send(sandbox, transactional_message_id="password_reset", message_data={"passwordResetURL": URL})
    await sandbox.settle()
    assert (await message(sandbox, answer["delivery_id"]))["status"] == "drafted"
    changed = {**RESET, "queue_drafts": True, "message": {**RESET["message"], "subject": "Changed"}}
    await sandbox.define(changed)
    assert (await archived(sandbox, answer["delivery_id"]))["subject"] == "Changed"
    await sandbox.call("POST", f"/v1/messages/{answer['delivery_id']}/send")
    await sandbox.settle()
    assert (await message(sandbox, answer["delivery_id"]))["status"] == "delivered"


async def test_many_calls_at_once_are_all_sent_once(sandbox: Workspace) -> None:
    calls = [send(sandbox, identifiers={"id": f"p{n % 10}"}, to=f"p{n}@example.com", **INLINE) for n in range(40)]
    answers = await asyncio.gather(*calls)
    await sandbox.settle(60)
    mails = await sandbox.mailbox(limit=100)
    assert sorted(mail["to"][0] for mail in mails) == sorted(f"p{n}@example.com" for n in range(40))
    assert len({answer["delivery_id"] for answer in answers}) == 40


async def test_a_push_without_devices_and_a_text_without_a_number(sandbox: Workspace) -> None:
    await sandbox.define(
        {"kind": "transactional", "key": "text", "name": "Text", "channel": "sms", "message": {"body": "x"}}
    )
    push = await send(sandbox, "push", message="Hi")
    text = await send(sandbox, "sms", transactional_message_id="text")
    await sandbox.settle()
    assert (await message(sandbox, push["delivery_id"]))["status"] == "undeliverable"
    assert (await message(sandbox, text["delivery_id"]))["status"] == "failed"
    refused = await send(sandbox, "sms", 400)
    assert refused["meta"]["error"] == 'Missing required field "transactional_message_id"'
