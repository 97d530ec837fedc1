"""Emails asked for by a call, as they are on the wire: recipients, copies, headers, files, the page in a browser (CHN-05)."""

from __future__ import annotations

import base64
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

from tests.support.live import Workspace

INLINE: dict[str, Any] = {"from": "shop@example.com", "subject": "Hi", "body": "<p>Hello</p>"}


async def send(sandbox: Workspace, status: int = 200, **more: Any) -> Any:
    said = {"to": "ann@example.com", "identifiers": {"id": "ann"}, **INLINE, **more}
    return await sandbox.call("POST", "/v1/send/email", said, status)


async def on_the_wire(sandbox: Workspace) -> list[tuple[dict[str, Any], EmailMessage]]:
    """What is in the mailbox, each with what its bytes say."""
    await sandbox.settle()
    found = []
    for mail in await sandbox.mailbox():
        raw = await sandbox.request("GET", f"/v1/mailbox/{mail['id']}/raw")
        message = message_from_bytes(raw.content, policy=default)
        assert isinstance(message, EmailMessage)
        found.append((mail, message))
    return found


async def test_chn_case_7_one_email_to_fifteen_addresses(sandbox: Workspace) -> None:
    names = [f"p{number}@example.com" for number in range(14)]
    await send(sandbox, to=", ".join(names), bcc="crm@example.com", fake_bcc=False)
    refused = await send(sandbox, 400, to=", ".join(names), bcc="a@example.com, b@example.com", identifiers={"id": "x"})
    assert "Limit of 15 recipients exceeded." in str(refused)
    ((mail, message),) = await on_the_wire(sandbox)
    assert mail["to"] == [*names, "crm@example.com"]
    assert [address.addr_spec for address in message["To"].addresses] == names
    assert "Bcc" not in message
    assert len((await sandbox.get("/v1/messages"))["messages"]) == 1
    await sandbox.call("GET", "/v1/customers/x/attributes", status=404)


async def test_chn_case_9_headers_arrive(sandbox: Workspace) -> None:
    assert "reserved" in str(await send(sandbox, 400, headers={"x-MAILER": "me"}))
    assert "non-ASCII" in str(await send(sandbox, 400, headers={"X-K": "ü"}))
    answer = await send(sandbox, headers={"X-K": "v"})
    ((_, message),) = await on_the_wire(sandbox)
    assert message["X-K"] == "v"
    assert message["X-CIO-Email-ID"] == answer["delivery_id"]
    assert message.get_all("X-Mailer") == ["Sojourn"]


async def test_a_call_has_open_copies_files_and_an_interactive_part(sandbox: Workspace) -> None:
    content = b"BEGIN:VCALENDAR"
    await send(
        sandbox,
        to='"Lee, Bo" <bo@example.com>, c@example.com',
        cc="Boss <boss@example.com>",
        bcc="crm@example.com",
        attachments={"invite.ics": base64.b64encode(content).decode()},
        body_amp="<!doctype html><html amp4email></html>",
        body_plain="Hello",
    )
    (mail, message), (copy, copied) = await on_the_wire(sandbox)
    assert mail["to"] == ["bo@example.com", "c@example.com", "boss@example.com"]
    assert mail["attachments"] == [{"filename": "invite.ics", "content_type": "text/calendar", "bytes": len(content)}]
    assert "attachments" not in mail["rendered"]
    assert str(message["Cc"]) == "Boss <boss@example.com>"
    (file,) = message.iter_attachments()
    assert (file.get_filename(), file.get_payload(decode=True)) == ("invite.ics", content)
    kinds = [part.get_content_type() for part in message.walk() if not part.is_multipart()]
    assert kinds == ["text/plain", "text/x-amp-html", "text/html", "text/calendar"]
    assert (copy["purpose"], copy["to"]) == ("fake_bcc", ["crm@example.com"])
    assert copied["Subject"] == "Hi (bo@example.com, c@example.com)"
    assert "Cc" not in copied
    assert len((await sandbox.get("/v1/messages"))["messages"]) == 1


async def test_msg_case_29_a_call_says_whether_styles_move(sandbox: Workspace) -> None:
    styled = "<style>p{color:red}</style><p>x</p>"
    for flag in ({}, {"disable_css_preprocessing": False}, {"disable_css_preprocessing": True}):
        await send(sandbox, body=styled, **flag)
        await sandbox.settle()
    bodies = [mail["rendered"]["html"] for mail in await sandbox.mailbox()]
    assert bodies == ['<p style="color: red;">x</p>', '<p style="color: red;">x</p>', styled]


async def test_msg_case_37_the_page_of_an_email(sandbox: Workspace) -> None:
    link = '<p>Hello {{ customer.id }}</p><a href="{% view_in_browser_url %}">View</a>'
    shown = await send(sandbox, body=link)
    plain = await send(sandbox)
    hidden = await send(sandbox, body=link, disable_message_retention=True)
    await sandbox.settle()
    page = await sandbox.request("GET", f"/view/{shown['delivery_id']}")
    assert page.status_code == 200
    assert "<p>Hello ann</p>" in page.text
    assert f"/view/{shown['delivery_id']}" in page.text
    for answer in (plain, hidden):
        assert (await sandbox.request("GET", f"/view/{answer['delivery_id']}")).status_code == 404
