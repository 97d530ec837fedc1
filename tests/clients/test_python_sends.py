"""`customerio`, unmodified, over https: every method of its App client, what it says of refusals, and its retries."""

from __future__ import annotations

import asyncio
import base64
import inspect
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from customerio import (
    APIClient,
    CustomerIOException,
    SendEmailRequest,
    SendInAppRequest,
    SendInboxMessageRequest,
    SendPushRequest,
    SendSMSRequest,
)
from customerio.api import SendWhatsAppRequest

from stack.description import StackDescription
from tests.clients.place import closed_port
from tests.support.front import Hiccup, front_of
from tests.support.live import START, Workspace
from tests.support.moments import attributes, messages, person
from tests.support.templates import CODES, all_templates, became, captured, number_of

Act = Callable[[APIClient], Any]
METHODS = {"send_email", "send_in_app", "send_inbox_message", "send_push", "send_sms", "send_whatsapp"}
HELPERS = {"close", "send_request"}
INLINE: dict[str, Any] = {
    "to": "Ann <ann@example.com>",
    "identifiers": {"id": "ann"},
    "_from": '"Team" <team@example.com>',
    "subject": "Hello {{ customer.first_name }}",
    "body": "<p>{{ trigger.greeting }}</p>",
    "message_data": {"greeting": "Dobrý den"},
}
PLAIN = {"from" if name == "_from" else name: value for name, value in INLINE.items()}


async def using(stack: StackDescription, workspace: Workspace, act: Act, **given: Any) -> Any:
    """What the client of a workspace returned, in a thread as it blocks; then everything is settled."""
    options = {"key": workspace.app_key, "url": stack.api_tls_url, **given}

    def run() -> Any:
        with APIClient(**options) as client:
            return act(client)

    answer = await asyncio.to_thread(run)
    await workspace.settle()
    return answer


async def test_an_inline_email_with_everything(trusted: StackDescription, sandbox: Workspace):
    await sandbox.identify("ann", email="ann@example.com", first_name="Žofie")
    request = SendEmailRequest(
        **INLINE,
        reply_to="desk@example.com",
        preheader="In short",
        body_plain="Plainly: {{ trigger.greeting }}",
        headers={"X-Order": "17"},
        bcc="archive@example.com",
        tracked=False,
        disable_css_preprocessing=True,
    )
    request.attach("order.txt", "one hat")
    request.attach("hat.png", b"\x89PNG\r\n")
    request.attach("done.txt", base64.b64encode(b"as it is").decode(), encode=False)
    with pytest.raises(CustomerIOException, match=r"attachment order\.txt already exists"):
        request.attach("order.txt", "again")

    answer = await using(trusted, sandbox, lambda client: client.send_email(request))
    assert answer["queued_at"] == START
    message = await became(sandbox, answer)
    assert (message["status"], message["customer_id"], message["subject"]) == ("delivered", "ann", "Hello Žofie")
    mail = next(one for one in await sandbox.mailbox() if one["purpose"] == "delivery")
    assert (mail["to"], mail["rendered"]["text"]) == (["ann@example.com"], "Plainly: Dobrý den")
    assert "<p>Dobrý den</p>" in mail["rendered"]["html"]
    assert mail["rendered"]["headers"] == [{"name": "X-Order", "value": "17"}]
    assert mail["rendered"]["fields"]["from"] == '"Team" <team@example.com>'
    files = {file["filename"]: file["bytes"] for file in mail["attachments"]}
    assert files == {"order.txt": 7, "hat.png": 6, "done.txt": 8}


async def test_a_template_by_each_of_its_names_and_a_dictionary(trusted: StackDescription, sandbox: Workspace):
    await sandbox.define(*all_templates())
    number = await number_of(sandbox, "receipt")
    said = {"to": "ann@example.com", "identifiers": {"email": "ann@example.com"}}
    data = {"number": 17, "items": [{"name": "klobouk 🎩"}]}

    def act(client: APIClient) -> list[dict[str, Any]]:
        requests = [
            SendEmailRequest(**said, transactional_message_id=named, message_data=data)
            for named in (number, str(number), "order_receipt", "Receipt")
        ]
        by_hand = {**said, "transactional_message_id": number, "message_data": data}
        return [client.send_email(request) for request in (*requests, by_hand)]

    answers = await using(trusted, sandbox, act)
    for answer in answers:
        message = await became(sandbox, answer)
        assert (message["status"], message["subject"]) == ("delivered", "Order 17")
        assert message["transactional_message_id"] == number
        assert "klobouk 🎩" in (await captured(sandbox, answer))["rendered"]["html"]
    assert len({answer["delivery_id"] for answer in answers}) == 5
    (found,) = (await sandbox.get("/v1/customers", email="ann@example.com"))["results"]
    assert found["id"] is None, "an address names somebody who has no id"


async def test_send_at_as_a_datetime(trusted: StackDescription, sandbox: Workspace):
    later = datetime.fromtimestamp(START, UTC) + timedelta(hours=1)
    request = SendEmailRequest(**INLINE, send_at=later)
    answer = await using(trusted, sandbox, lambda client: client.send_email(request))
    assert answer["send_at"] == START + 3600
    assert (await became(sandbox, answer))["status"] == "queued"
    await sandbox.identify("ann", first_name="Ann by then")
    await sandbox.advance("PT1H")
    assert (await became(sandbox, answer))["subject"] == "Hello Ann by then"


async def test_drafts_what_is_not_kept_and_numbers_that_are_none(trusted: StackDescription, sandbox: Workspace):
    await sandbox.identify("ann", first_name="Ann")
    data = {"greeting": "psst", "nothing": float("nan")}

    def act(client: APIClient) -> Any:
        drafted = client.send_email(SendEmailRequest(**INLINE, queue_draft=True))
        hidden = SendEmailRequest(**{**INLINE, "message_data": data}, disable_message_retention=True)
        return drafted, client.send_email(hidden)

    drafted, hidden = await using(trusted, sandbox, act)
    message = await became(sandbox, drafted)
    assert (message["status"], message["draft"]) == ("drafted", True)
    assert (await became(sandbox, hidden))["forgotten"] is True
    kept = await sandbox.get(f"/v1/messages/{hidden['delivery_id']}/archived_message")
    assert "psst" not in json.dumps(kept)


async def test_the_other_channels(trusted: StackDescription, sandbox: Workspace):
    await sandbox.define(*all_templates())
    said: dict[str, Any] = {"identifiers": {"id": "ann"}, "message_data": {"code": "4711"}}
    token = {"token": "token-1", "platform": "ios", "last_used": START - 60, "attributes": {"os": "26"}}

    def act(client: APIClient) -> dict[str, dict[str, Any]]:
        def of(channel: str) -> dict[str, Any]:
            return {**said, "transactional_message_id": f"code-{channel}"}

        return {
            "push": client.send_push(SendPushRequest(**of("push"), device=token, custom_data={"a": "1"})),
            "sms": client.send_sms(SendSMSRequest(**of("sms"), to="+420777123456")),
            "whatsapp": client.send_whatsapp(SendWhatsAppRequest(**of("whatsapp"), to="+420777123456", tracked=False)),
            "in_app": client.send_in_app(SendInAppRequest(**of("in_app"))),
            "inbox": client.send_inbox_message(SendInboxMessageRequest(**of("inbox"))),
        }

    answers = await using(trusted, sandbox, act)
    assert set(answers) == set(CODES)
    for channel, answer in answers.items():
        message = await became(sandbox, answer)
        assert message["status"] == ("sent" if channel == "in_app" else "delivered"), message
        mail = await captured(sandbox, answer)
        assert mail["channel"] == channel
        assert "4711" in json.dumps(mail["rendered"])
    (device,) = (await person(sandbox, "ann"))["devices"]
    assert (device["id"], device["last_used"]) == ("token-1", START - 60)


async def test_a_push_without_a_template(trusted: StackDescription, sandbox: Workspace):
    await sandbox.identify("ann")
    answer = await using(
        trusted,
        sandbox,
        lambda client: client.send_push(
            SendPushRequest(
                identifiers={"id": "ann"},
                title="Hats",
                message="A hat for {{ customer.id }}",
                to="all",
                sound="default",
                link="https://example.com/hats",
                device={"token": "token-2", "platform": "android"},
            )
        ),
    )
    assert (await became(sandbox, answer))["status"] == "delivered"
    assert "A hat for ann" in json.dumps((await captured(sandbox, answer))["rendered"])


@pytest.mark.parametrize(
    ("act", "status", "error"),
    [
        (lambda c: c.send_email(SendEmailRequest(identifiers={"id": "ann"})), 400, 'Missing required field "to"'),
        (lambda c: c.send_email(SendEmailRequest(to="a@example.com")), 400, 'Missing required field "identifiers"'),
        (lambda c: c.send_email({}), 400, 'Missing required field "identifiers"'),
        (lambda c: c.send_email({**PLAIN, "from": None}), 400, 'Missing required field "from"'),
        (lambda c: c.send_email({**PLAIN, "to": "nowhere"}), 400, 'Invalid email address in field "to"'),
        (
            lambda c: c.send_email(SendEmailRequest(**INLINE, transactional_message_id=99)),
            400,
            '"transactional_message_id" not found.',
        ),
        (
            lambda c: c.send_email(SendEmailRequest(**INLINE, headers={"Subject": "x"})),
            400,
            '"Subject" is a reserved header.',
        ),
        (
            lambda c: c.send_email(SendEmailRequest(**INLINE, attachments={"a.exe": "AAAA"})),
            403,
            'Forbidden file type exe for attachment "a.exe"',
        ),
        (
            lambda c: c.send_email(SendEmailRequest(**INLINE, attachments={"a.txt": "A" * 3_000_000})),
            413,
            "Total attachment size exceeds the limit",
        ),
        (lambda c: c.send_sms(SendSMSRequest(identifiers={"id": "ann"})), 400, '"transactional_message_id"'),
        (lambda c: c.send_push(SendPushRequest(identifiers={"id": "ann"})), 400, '"transactional_message_id"'),
        (lambda c: c.send_in_app({"identifiers": {"id": "ann"}}), 400, '"transactional_message_id"'),
    ],
)
async def test_a_refusal_is_told_with_status_and_body(
    trusted: StackDescription, sandbox: Workspace, act: Act, status: int, error: str
):
    with pytest.raises(CustomerIOException, match=rf"^{status}: https://.*/v1/send/") as raised:
        await using(trusted, sandbox, act)
    assert '{"meta":{"error":' in str(raised.value)
    assert json.dumps(error)[1:-1] in str(raised.value)
    await sandbox.settle()
    assert await messages(sandbox) == []
    assert (await sandbox.request("GET", "/v1/customers/ann/attributes")).status_code == 404


async def test_a_wrong_key_and_nobody_who_listens(trusted: StackDescription, sandbox: Workspace):
    request = SendEmailRequest(**INLINE)
    with pytest.raises(CustomerIOException, match=r"^401: .*Invalid App API key\."):
        await using(trusted, sandbox, lambda client: client.send_email(request), key="wrong")
    nowhere = f"https://127.0.0.1:{closed_port()}"
    with pytest.raises(CustomerIOException, match="Failed to receive valid response after 0 retries"):
        await using(trusted, sandbox, lambda client: client.send_email(request), url=nowhere, retries=0)


@pytest.mark.parametrize("status", [500, 502, 503, 504])
async def test_a_call_that_did_not_come_through_is_repeated_once(
    trusted: StackDescription, sandbox: Workspace, status: int
):
    await sandbox.identify("ann", first_name="Ann")
    async with front_of(trusted) as front:
        front.hiccups.append(Hiccup(status))
        url = f"https://127.0.0.1:{front.port}"
        answer = await using(trusted, sandbox, lambda client: client.send_email(SendEmailRequest(**INLINE)), url=url)
        assert [seen.answered for seen in front.seen] == [status, 200]
    assert [message["id"] for message in await messages(sandbox)] == [answer["delivery_id"]]
    assert len(await sandbox.mailbox()) == 1


async def test_with_a_key_an_answer_that_was_lost_is_given_again(trusted: StackDescription, sandbox: Workspace):
    await sandbox.identify("ann", first_name="Ann")

    def act(client: APIClient) -> Any:
        client.http.headers["Idempotency-Key"] = "order-17"
        return client.send_email(SendEmailRequest(**INLINE))

    async with front_of(trusted) as front:
        front.hiccups.append(Hiccup(502, lost=True))
        answer = await using(trusted, sandbox, act, url=f"https://127.0.0.1:{front.port}")
        assert [(seen.answered, seen.headers["idempotency-key"]) for seen in front.seen] == [
            (502, "order-17"),
            (200, "order-17"),
        ]
    assert [message["id"] for message in await messages(sandbox)] == [answer["delivery_id"]]
    assert len(await sandbox.mailbox()) == 1


async def test_whoever_is_written_to_first_is_made(trusted: StackDescription, sandbox: Workspace):
    request = SendEmailRequest(**{**INLINE, "subject": "Hi", "identifiers": {"id": "new/one+x"}})
    answer = await using(trusted, sandbox, lambda client: client.send_email(request))
    assert (await became(sandbox, answer))["customer_id"] == "new/one+x"
    assert "email" not in await attributes(sandbox, "new%2Fone%2Bx")


def test_every_method_is_called_here():
    methods = {name for name, _ in inspect.getmembers(APIClient, inspect.isfunction) if not name.startswith("_")}
    assert methods - HELPERS == METHODS
