"""Messages on every channel: rendered part by part, stored, handed to the capture provider, looked at (CMP-29, CHN-30 to 40)."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from clock import system_now
from domain.deliveries import SOFT_BOUNCE_GAPS
from services.looking import mailbox as looking_mailbox
from services.looking import messages as looking
from services.looking.mailbox import MailboxQuery
from tests.services.posting import Post, begin, campaign, faulty, rules
from tests.support.database import START, Room

BEA = {"email": "bea@example.com", "first_name": "Bea", "phone": "+15551230001", "line_id": "U1"}
NUMBER = {"kind": "sender", "key": "number", "phone": "+15550000000"}


def on(kind: str, message: dict[str, Any], **block: Any) -> dict[str, Any]:
    """A campaign whose only block is a message of that channel."""
    document = campaign(**block)
    hello = document["workflow"]["blocks"]["hello"]
    document["workflow"]["blocks"]["hello"] = {**hello, "type": kind, "message": message}
    return document


async def shown(post: Post) -> dict[str, Any]:
    """The delivery as the API shows it."""
    row = await post.delivery()
    answer: dict[str, Any] = (await looking.one(post.room.db, post.room.workspace_id, row.delivery_id))["message"]
    return answer


async def archived(post: Post) -> dict[str, Any]:
    """What was rendered, as the API shows it."""
    row = await post.delivery()
    answer = await looking.archived(post.room.db, post.room.workspace_id, row.delivery_id)
    found: dict[str, Any] = answer["archived_message"]
    return found


async def test_a_text_message(room: Room) -> None:
    message = {
        "body": "Hi {{ customer.first_name }}",
        "sender": "number",
        "image_url": "https://x.io/{{ event.what }}.png",
    }
    post = await begin(room, NUMBER, on("sms", message), person=BEA, event={"what": "cat"})
    assert (await post.deliver()).outcome == "done"
    (mail,) = await post.mailbox()
    assert (mail["channel"], mail["to"], mail["sender"]) == ("sms", ["+15551230001"], "+15550000000")
    assert mail["rendered"]["text"] == "Hi Bea"
    assert mail["rendered"]["fields"] == {
        "from": "+15550000000", "to": "+15551230001", "image_url": "https://x.io/cat.png"
    }  # fmt: skip
    request = orjson.loads(mail["raw"])
    assert (request["text"], request["delivery_id"]) == ("Hi Bea", (await post.delivery()).delivery_id)
    found = await shown(post)
    assert (found["type"], found["recipient"], found["status"]) == ("twilio", "+15551230001", "delivered")
    kept = await archived(post)
    assert (kept["body"], kept["recipient"], kept["from"]) == ("Hi Bea", "+15551230001", "+15550000000")
    (listed,) = (await looking_mailbox.page(room.db, room.workspace_id, MailboxQuery(), start=None, limit=9))[
        "messages"
    ]
    source, kind = await looking_mailbox.raw(room.db, room.workspace_id, listed["id"])
    assert (kind, source) == ("application/json", mail["raw"])


async def test_a_number_is_the_default_one_else_the_oldest_else_none(room: Room) -> None:
    other = {"kind": "sender", "key": "other", "phone": "+15552222222", "default": True}
    post = await begin(room, NUMBER, other, on("sms", {"body": "x"}), person=BEA)
    await post.deliver()
    assert (await post.mailbox())[0]["sender"] == "+15552222222"


async def test_a_text_message_from_nobody_and_an_email_from_a_person(room: Room) -> None:
    post = await begin(room, on("sms", {"body": "x"}), person=BEA)
    await post.deliver()
    (mail,) = await post.mailbox()
    assert mail["sender"] is None
    assert "from" not in mail["rendered"]["fields"]


async def test_an_email_never_comes_from_a_number(room: Room) -> None:
    post = await begin(room, {**NUMBER, "default": True}, campaign(), person=BEA)
    await post.deliver()
    assert (await post.mailbox())[0]["sender"] == "team@example.com"


async def test_a_push_notification(room: Room) -> None:
    message = {
        "title": "Hi {{ customer.first_name }}",
        "message": "{{ event.what }}",
        "link": "app://{{ event.what }}",
        "custom_data": {"screen": "{{ event.what }}"},
    }
    post = await begin(room, on("push", message), person=BEA, event={"what": "streak"})
    await post.deliver()
    (mail,) = await post.mailbox()
    delivery = await post.delivery()
    assert (mail["to"], mail["sender"], delivery.subject) == (["7"], None, "Hi Bea")
    assert mail["rendered"]["payload"] == {
        "ios": {
            "CIO-Delivery-ID": delivery.delivery_id,
            "CIO": {"push": {"link": "app://streak"}},
            "aps": {"mutable-content": 1, "sound": "default", "alert": {"title": "Hi Bea", "body": "streak"}},
            "screen": "streak",
        },
        "android": {
            "message": {
                "android": {"priority": "normal"},
                "data": {
                    "CIO-Delivery-ID": delivery.delivery_id,
                    "title": "Hi Bea",
                    "body": "streak",
                    "link": "app://streak",
                    "screen": "streak",
                },
            }
        },
    }


async def test_a_push_notification_as_it_is_for_one_platform(room: Room) -> None:
    written = {"ios": '{"aps": {"alert": "{{ customer.first_name }}"}}', "android": {"message": {"data": {"a": "b"}}}}
    post = await begin(room, on("push", {"custom_payload": written, "platform": "ios", "to": "{{ customer.token }}"}),
                       person={**BEA, "token": "t-1"})  # fmt: skip
    await post.deliver()
    (mail,) = await post.mailbox()
    assert mail["to"] == ["t-1"]
    payload = mail["rendered"]["payload"]
    assert (list(payload), payload["ios"]["aps"]) == (["ios"], {"alert": "Bea"})


async def test_an_in_app_message(room: Room) -> None:
    message = {
        "body": "<p>{{ customer.first_name }}</p>",
        "page_rules": [{"rule": "include", "platform": "web", "value": "/{{ event.what }}"}],
        "expires": "{{ event.until }}",
    }
    post = await begin(
        room, on("in_app", message), person={**BEA, "unsubscribed": True}, event={"what": "a", "until": "P2D"}
    )
    await post.deliver()
    (mail,) = await post.mailbox()
    rendered = mail["rendered"]
    until = int(START.timestamp()) + 2 * 86_400
    assert (mail["to"], rendered["html"], rendered["fields"]["expires"]) == (["7"], "<p>Bea</p>", str(until))
    assert rendered["payload"]["page_rules"] == [
        {"rule": "include", "platform": "web", "operator": "equals", "value": "/a"}
    ]
    assert rendered["payload"]["display"]["max_width"] == 414
    assert (await post.delivery()).status == "sent", "it is not delivered before it is fetched"


async def test_an_inbox_message(room: Room) -> None:
    message = {
        "type": "order",
        "topics": ["orders"],
        "properties": {"title": "For {{ customer.first_name }}", "n": [1]},
    }
    post = await begin(room, on("inbox", message), person={**BEA, "unsubscribed": True})
    await post.deliver()
    (mail,) = await post.mailbox()
    assert mail["rendered"]["payload"] == {"title": "For Bea", "n": [1]}
    assert mail["rendered"]["fields"]["topics"] == "orders"
    assert (await archived(post))["payload"] == {"title": "For Bea", "n": [1]}


async def test_a_whatsapp_message(room: Room) -> None:
    template = {"name": "order", "language": "en", "variables": {"1": "{{ event.what }}"}}
    post = await begin(room, on("whatsapp", {"template": template}), person=BEA, event={"what": "42"})
    await post.deliver()
    (mail,) = await post.mailbox()
    assert mail["rendered"]["payload"] == {**template, "variables": {"1": "42"}}
    assert (mail["to"], (await shown(post))["type"]) == (["+15551230001"], "whatsapp")


async def test_a_line_message(room: Room) -> None:
    post = await begin(room, on("line", {"text": "Hi {{ customer.first_name }}"}), person=BEA)
    await post.deliver()
    (mail,) = await post.mailbox()
    assert (mail["to"], mail["rendered"]["text"]) == (["U1"], "Hi Bea")


@pytest.mark.parametrize(
    ("kind", "message", "why"),
    [
        ("sms", {"body": "{{ customer.nick }}"}, "Variable 'customer.nick' is missing (in body)"),
        ("sms", {"body": "x", "to": "{{ customer.other | default: '' }}"}, "There is no phone number (in to)"),
        ("push", {"message": "{{ customer.nick }}"}, "Variable 'customer.nick' is missing (in message)"),
        ("push", {"message": "x", "to": " "}, "There is no device token (in to)"),
        ("push", {"custom_payload": {"ios": "[]"}}, "This is no JSON object (in custom_payload.ios)"),
        ("push", {"custom_payload": {"ios": "{"}}, "This is no JSON that can be kept (in custom_payload.ios)"),
        (
            "push",
            {"custom_payload": {"ios": '{"a": "\\u0000"}'}},
            "This is no JSON that can be kept (in custom_payload.ios)",
        ),
        ("in_app", {"body": "x", "expires": "{{ 'soon' }}"}, "'soon' is neither a duration nor a time (in expires)"),
        (
            "inbox",
            {"properties": {"a": ["{{ customer.nick }}"]}},
            "Variable 'customer.nick' is missing (in properties.a[0])",
        ),
        (
            "whatsapp",
            {"template": {"name": "t", "variables": {"1": "{{ customer.nick }}"}}},
            "Variable 'customer.nick' is missing (in template.variables.1)",
        ),
        ("whatsapp", {"template": {"name": "t"}, "to": ""}, "There is no phone number (in to)"),
        ("line", {"text": "{{ '' }}"}, "There is neither a text nor a picture (in text)"),
        ("line", {"text": "x", "to": ""}, "There is no LINE id (in to)"),
    ],
)
async def test_what_cannot_be_rendered_fails(room: Room, kind: str, message: dict[str, Any], why: str) -> None:
    post = await begin(room, on(kind, message), person=BEA)
    recorded = await post.deliver()
    assert (recorded.outcome, recorded.explanation) == ("failed", why)
    assert (await post.delivery()).status == "failed"
    assert await post.mailbox() == []


@pytest.mark.parametrize(
    ("kind", "message", "gets"),
    [
        ("sms", {"body": "x"}, False),
        ("push", {"message": "x"}, False),
        ("whatsapp", {"template": {"name": "t"}}, False),
        ("line", {"text": "x"}, False),
        ("in_app", {"body": "x"}, True),
        ("inbox", {"properties": {"a": "x"}}, True),
    ],
)
async def test_who_unsubscribed_gets_what_apps_show_themselves(
    room: Room, kind: str, message: dict[str, Any], gets: bool
) -> None:
    post = await begin(room, on(kind, message), person={**BEA, "unsubscribed": True})
    assert (await post.deliver()).outcome == ("done" if gets else "skipped")
    assert len(await post.mailbox()) == gets


async def test_a_draft_of_a_text_message(room: Room) -> None:
    post = await begin(room, on("sms", {"body": "x"}, sending_state="draft"), person=BEA)
    assert (await post.deliver()).outcome == "drafted"
    assert (await post.delivery()).recipient == "+15551230001"


async def test_rules_of_a_channel_decide_over_it_alone_and_a_retry_says_the_same(room: Room) -> None:
    post = await begin(room, on("sms", {"body": "Hi {{ customer.first_name }}"}), person=BEA)
    await rules(room, faulty("hard_bounce"), faulty("soft_bounce", times=1).model_copy(update={"channel": "sms"}))
    await post.deliver()
    row = await post.delivery()
    assert (row.status, row.failure_message) == ("attempted", "soft bounce")
    await room.move(seconds=SOFT_BOUNCE_GAPS[0].total_seconds())
    await post.retry()
    assert (await post.delivery()).status == "delivered"
    assert [mail["rendered"]["text"] for mail in await post.mailbox()] == ["Hi Bea", "Hi Bea"]
    assert [mail["outcome"] for mail in await post.mailbox()] == ["soft_bounce", "accepted"]


@pytest.mark.parametrize("channel", ["sms", "push"])
async def test_where_time_is_real_a_channel_leaves_by_its_own_provider(room: Room, channel: str) -> None:
    provider = {"kind": "provider", "key": "p", "channel": channel, "provider": "capture"}
    mail = {"kind": "provider", "key": "m", "channel": "email", "provider": "capture"}
    post = await begin(room, provider, mail, on("sms", {"body": "x"}), person=BEA)
    async with room.db.transaction() as conn:
        await conn.execute("UPDATE workspaces SET sandbox = false WHERE workspace_id = $1", room.workspace_id)
    outcome = await post.deliverer.hand_over(await post.prepare(), system_now)
    nobody = "There is no enabled provider for sms in this workspace"
    assert (outcome.result, outcome.answer) == (
        ("sent", "250 2.0.0 Captured") if channel == "sms" else ("failed", nobody)
    )


async def test_a_test_address_is_for_emails_only(room: Room) -> None:
    settings = {"kind": "settings", "key": "workspace", "sending": {"test_address": "qa@example.com"}}
    post = await begin(room, settings, on("sms", {"body": "x"}), person=BEA)
    await post.deliver()
    assert (await post.mailbox())[0]["to"] == ["+15551230001"]
    assert (await post.delivery()).status == "delivered"
