"""How an email is put together and what of it is on the wire: layouts, copies, headers, styles (MSG-16 to MSG-29)."""

from __future__ import annotations

from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

import pytest

from domain.errors import InvalidInput
from tests.services.posting import ANN, LINKS, Post, begin, campaign, faulty, rules
from tests.support.database import Room

STYLED = "<style>p{color:red}@media(max-width:600px){p{color:blue}}</style><p>x</p>"
INLINED = '<style>@media(max-width:600px){p{color:blue}}</style><p style="color: red;">x</p>'


async def sent(room: Room, *documents: dict[str, Any], person: dict[str, Any] = ANN, **message: Any) -> Post:
    post = await begin(room, campaign(message=message), *documents, person=person)
    await post.deliver()
    return post


async def on_the_wire(post: Post) -> list[EmailMessage]:
    found = []
    for mail in await post.mailbox():
        message = message_from_bytes(mail["raw"], policy=default)
        assert isinstance(message, EmailMessage)
        found.append(message)
    return found


def html_of(message: EmailMessage) -> str:
    part = message.get_body(("html",))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n").strip()


async def test_msg_case_21_a_layout_around_the_body(room: Room) -> None:
    layout = {
        "kind": "layout",
        "key": "l",
        "name": "L",
        "default": True,
        "body": '<h1>L</h1>{{ content }}<a href="{% unsubscribe_url %}">u</a>',
    }
    person = {"email": "ann@example.com", "first_name": "{{customer.id}}"}
    post = await sent(room, layout, person=person, body="<p>{{ customer.first_name }}</p>")
    url = f"{LINKS}/unsubscribe/{(await post.delivery()).delivery_id}"
    (mail,) = await post.mailbox()
    assert mail["rendered"]["html"] == f'<h1>L</h1><p>{{{{customer.id}}}}</p><a href="{url}">u</a>'
    (message,) = await on_the_wire(post)
    assert message["List-Unsubscribe"] == f"<{url}>"
    with pytest.raises(InvalidInput, match="content"):
        await room.define({**layout, "key": "m", "body": "<h1>M</h1>"})


async def test_msg_case_25_each_copy_is_a_message_of_its_own(room: Room) -> None:
    body = "<p>Hi</p>{% unsubscribe %}"
    post = await sent(room, bcc="crm@x.io, Log <log@x.io>", to="{{ customer.email }}", body=body)
    mails = await post.mailbox()
    assert [(mail["purpose"], mail["to"]) for mail in mails] == [
        ("delivery", ["ann@example.com"]), ("fake_bcc", ["crm@x.io"]), ("fake_bcc", ["log@x.io"])
    ]  # fmt: skip
    message, *copies = await on_the_wire(post)
    assert "Bcc" not in message
    assert [copy["To"] for copy in copies] == ["crm@x.io", "Log <log@x.io>"]
    assert {copy["Subject"] for copy in copies} == {"Hi you (ann@example.com)"}
    assert len({message["Message-ID"] for message in (message, *copies)}) == 3
    for copy in copies:
        assert not {"List-Unsubscribe", "List-Unsubscribe-Post", "X-CIO-Email-ID", "Bcc"} & set(copy.keys())
    assert len(await room.rows("SELECT 1 FROM deliveries WHERE workspace_id = $1")) == 1


async def test_nobody_gets_the_same_message_twice(room: Room) -> None:
    post = await sent(room, bcc="crm@x.io, Ann@example.com, CRM@x.io", fake_bcc=False)
    (mail,) = await post.mailbox()
    assert mail["to"] == ["ann@example.com", "crm@x.io"]


async def test_msg_case_25_true_copies_are_in_the_envelope_alone(room: Room) -> None:
    post = await sent(room, bcc="crm@x.io", fake_bcc=False)
    (mail,) = await post.mailbox()
    assert mail["to"] == ["ann@example.com", "crm@x.io"]
    assert b"crm@x.io" not in mail["raw"]


async def test_a_copy_that_is_refused_keeps_nobody_else_from_theirs(room: Room) -> None:
    post = await begin(room, campaign(message={"bcc": "a@x.io, b@x.io"}))
    await rules(room, faulty("reject", to="a@x.io"))
    assert (await post.deliver()).status == "delivered"
    assert [mail["to"] for mail in await post.mailbox() if mail["outcome"] == "accepted"] == [
        ["ann@example.com"], ["b@x.io"]
    ]  # fmt: skip


async def test_msg_case_26_headers(room: Room) -> None:
    for name, words in (
        ("Content-Type", "cannot be set to a custom value"),
        ("X Foo", "Header name can't contain whitespace"),
        ("bcc", "cannot be set"),
    ):
        with pytest.raises(InvalidInput, match=words):
            await room.define(campaign(message={"headers": [{"name": name, "value": "v"}]}))
    headers = [
        {"name": "X-Entity-Ref-ID", "value": "{{ delivery_id }}"},
        {"name": "X-SMTPAPI", "value": '{"category": "c", "unique_args": {"a": "b"}}'},
    ]
    post = await sent(room, headers=headers)
    (message,) = await on_the_wire(post)
    delivery = (await post.delivery()).delivery_id
    assert message["X-Entity-Ref-ID"] == delivery
    assert message["X-CIO-Email-ID"] == delivery
    assert message["X-Mailer"] == "Sojourn"
    assert message["X-Report-Abuse-To"] == "abuse@example.com"
    assert message["X-SMTPAPI"] == f'{{"category": "c", "unique_args": {{"a": "b", "email_id": "{delivery}"}}}}'


async def test_msg_case_26_a_value_that_begins_a_line_fails(room: Room) -> None:
    person = {"email": "ann@example.com", "first_name": "a\nBcc: victim@example.com"}
    header = {"name": "X-A", "value": "{{ customer.first_name }}"}
    post = await begin(room, campaign(message={"headers": [header], "body": "x"}), person=person)
    assert (await post.deliver()).explanation == "The value of a header cannot hold a line end (in header X-A)"
    assert await post.mailbox() == []


@pytest.mark.parametrize(
    ("more", "html"),
    [
        ({}, INLINED),
        ({"editor": "rich_text"}, INLINED),
        ({"editor": "rich_text", "css_inlining": False}, STYLED),
        ({"css_inlining": False}, STYLED),
        ({"editor": "drag_and_drop"}, STYLED),
        ({"editor": "drag_and_drop", "css_inlining": True}, STYLED),
        ({"editor": "design_studio"}, STYLED),
        ({"editor": "design_studio", "css_inlining": True}, INLINED),
    ],
)
async def test_msg_case_29_whose_styles_move(room: Room, more: dict[str, Any], html: str) -> None:
    post = await sent(room, body=STYLED, layout=None, **more)
    (message,) = await on_the_wire(post)
    assert html_of(message) == html


async def flags(room: Room) -> list[Any]:
    rows = await room.rows(
        "SELECT document FROM definitions WHERE workspace_id = $1 AND kind = 'campaign' ORDER BY key"
    )
    return [row["document"]["workflow"]["blocks"]["hello"]["message"].get("css_inlining") for row in rows]


async def test_msg_case_30_the_switch_counts_when_an_email_is_made(room: Room) -> None:
    settings = {"kind": "settings", "key": "workspace"}
    a, b = {**campaign(), "key": "a"}, {**campaign(), "key": "b"}
    await room.define(settings, a)
    await room.define({**settings, "css_inlining": False}, b)
    assert await flags(room) == [None, False], "only what is made from now on is left as it is"
    for _ in range(2):
        answer = await room.define({**settings, "css_inlining": False}, a, b)
        assert {change["action"] for change in answer["changes"]} == {"unchanged"}
    await room.define({**settings, "css_inlining": True})
    await room.define({**b, "description": "Another"})
    assert await flags(room) == [None, False], "it stays what it was when it was made"
    ticked = campaign(message={"css_inlining": True})
    await room.define({**ticked, "key": "b"})
    assert await flags(room) == [None, True]


async def test_the_interactive_part_and_the_text_are_beside_the_html(room: Room) -> None:
    amp = "<!doctype html><html amp4email><p>{{ customer.first_name }}</p></html>"
    post = await sent(room, body_amp=amp, body_plain="Hi {{ customer.first_name }}")
    (message,) = await on_the_wire(post)
    parts = [(part.get_content_type(), part.get_content().strip()) for part in message.iter_parts()]
    assert parts[:2] == [
        ("text/plain", "Hi Ann"), ("text/x-amp-html", "<!doctype html><html amp4email><p>Ann</p></html>")
    ]  # fmt: skip
    assert parts[2][0] == "text/html"
