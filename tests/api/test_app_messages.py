"""Lists of messages of one source and one person, and what is archived of them (APP-04, APP-05, APP-08, APP-09, APP-12)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from api.management import shapes
from domain.ids import cio_id
from store import message_events
from store.message_events import MessageEvent
from tests.api.test_ui_campaigns import look
from tests.support.looking import START, UNIX, WELCOME, Scene, content, micros

DAY = 86_400
NEWS: dict[str, Any] = {
    "kind": "broadcast",
    "key": "news",
    "name": "News",
    "recipients": "everyone",
    "workflow": {
        "start": "mail",
        "blocks": {
            "mail": {"type": "email", "sending_state": "automatic", "message": {"subject": "Hi", "body": "<p>Hi</p>"}}
        },
    },
}
RECEIPT: dict[str, Any] = {
    "kind": "transactional",
    "key": "receipt",
    "name": "Receipt",
    "description": "After every order",
    "channel": "email",
    "trigger_name": "Order_Receipt",
    "queue_drafts": True,
    "message": {"subject": "Thanks", "body": "<p>Hi</p>", "to": "{{customer.email}}", "open_tracking": False},
}


@pytest.fixture
async def here(workspace: Any) -> Scene:
    made = Scene(workspace.db, workspace.id)
    async with workspace.db.transaction() as conn:
        await conn.execute("UPDATE workspaces SET clock_now = $2 WHERE workspace_id = $1", workspace.id, START)
    await made.define(WELCOME, NEWS, RECEIPT)
    return made


async def number(workspace: Any, kind: str, key: str) -> int:
    answer = await workspace.call("GET", f"/v1/definitions/{kind}/{key}")
    found: int = answer.json()["status"]["id"]
    return found


async def get(workspace: Any, path: str, status: int = 200, **params: Any) -> Any:
    answer = await workspace.call("GET", path, params=params)
    assert answer.status_code == status, answer.text
    return answer.json()


async def ids(workspace: Any, path: str, **params: Any) -> list[str]:
    answer = await get(workspace, path, **params)
    shapes.Messages.model_validate(answer)
    return [message["id"] for message in answer["messages"]]


async def triggered(workspace: Any, broadcast: int, at: Any, trigger: int = 1) -> None:
    async with workspace.db.transaction() as conn:
        await conn.execute(
            """INSERT INTO broadcast_triggers (workspace_id, broadcast_id, trigger_no, state, paused, accepted, created_at,
                   audience, data, position, progress, error_count, rate_sent)
               VALUES ($1, $2, $3, 'finished', false, true, $4, '{}', '{}', 0, '{}', 0, 0)""",
            workspace.id,
            broadcast,
            trigger,
            at,
        )


async def test_a_message_of_a_broadcast_names_it(workspace: Any, here: Scene) -> None:
    ann, news = await here.person("7", "ann@example.com"), await number(workspace, "broadcast", "news")
    await here.delivery(
        "B", ann, campaign_id=news, action_id=9, block="mail", trigger_no=3, recipient_no=1, language="fr"
    )
    message = (await get(workspace, "/v1/messages/B"))["message"]
    assert (message["broadcast_id"], message["action_id"], message["msg_template_id"]) == (news, 9, 9)
    assert "campaign_id" not in message
    assert (message["language"], message["customer_id"], message["forgotten"]) == ("fr", "7", False)
    assert await ids(workspace, "/v1/messages", campaign_id=news) == ["B"]


async def test_a_message_of_a_transactional_one_names_it_and_carries_both_kinds_of_identifiers(
    workspace: Any, here: Scene
) -> None:
    ann, receipt = await here.person("7", "ann@example.com"), await number(workspace, "transactional", "receipt")
    await here.delivery("T", ann, transactional_id=receipt, content_id=31, forgotten=True)
    await here.delivery("other", ann, transactional_id=1)
    (message,) = (await get(workspace, f"/v1/transactional/{receipt}/messages"))["messages"]
    names = {"id": "7", "email": "ann@example.com", "cio_id": cio_id(ann)}
    assert message["customer_identifiers"] == message["identifiers"] == names
    assert message["transactional_message_id"] == receipt
    assert message["msg_template_id"] == message["message_template_id"] == message["content_id"] == 31
    assert (message["action_id"], message["block"], message["forgotten"]) == (None, None, True)
    assert await ids(workspace, "/v1/transactional/1/messages") == ["other"]
    assert await ids(workspace, "/v1/transactional/receipt/messages") == ["T"]
    assert await ids(workspace, "/v1/messages", transactional_message_id=receipt) == ["T"]
    for names_it in ({"transactional_id": receipt}, {"content_id": 31}, {"template_id": 31}):
        assert await ids(workspace, "/v1/messages", **names_it) == ["T"]


async def test_messages_of_one_trigger(workspace: Any, here: Scene) -> None:
    ann, news = await here.person("7", "ann@example.com"), await number(workspace, "broadcast", "news")
    for name, trigger_no in (("first", 1), ("second", 2)):
        await here.delivery(name, ann, campaign_id=news, trigger_no=trigger_no, recipient_no=1)
    assert await ids(workspace, "/v1/messages", campaign_id=news, trigger_id=2) == ["second"]


async def test_a_message_has_the_number_of_what_it_says_once_there_is_one(workspace: Any, here: Scene) -> None:
    receipt = await number(workspace, "transactional", "receipt")
    await here.delivery("T", None, transactional_id=receipt)
    message = (await get(workspace, "/v1/messages/T"))["message"]
    assert (message["content_id"], message["msg_template_id"]) == (None, receipt)
    (content_of,) = (await get(workspace, f"/v1/transactional/{receipt}/contents"))["contents"]
    message = (await get(workspace, "/v1/messages/T"))["message"]
    assert message["content_id"] == message["msg_template_id"] == content_of["id"]


async def test_of_a_send_that_is_queued_nobody_is_known_and_nothing_is_forgotten(workspace: Any, here: Scene) -> None:
    await here.delivery("Q", None, status="queued", metrics={"created": micros(START)}, transactional_id=1, keep=False)
    message = (await get(workspace, "/v1/messages/Q"))["message"]
    assert (message["customer_id"], message["status"], message["forgotten"]) == (None, "queued", False)
    assert "customer_identifiers" not in message
    assert message["metrics"] == {"created": UNIX}


async def test_states_go_on_from_a_hand_over(workspace: Any, here: Scene) -> None:
    for name in ("failed", "sent", "delivered", "opened", "attempted", "undeliverable"):
        await here.delivery(name, None, status=name, transactional_id=1)
    await here.delivery("drafted", None, status="drafted", draft=True, transactional_id=1)
    path = "/v1/transactional/1/messages"
    assert await ids(workspace, path, state="sent") == ["sent", "opened", "delivered"]
    assert await ids(workspace, path, state="failed") == ["failed"]
    assert await ids(workspace, path, state="attempted") == ["attempted"]
    assert await ids(workspace, path, state="drafted") == await ids(workspace, path, drafts="true") == ["drafted"]
    assert await ids(workspace, path, metric="delivered", state="failed") == ["failed"]


async def test_windows_of_campaigns_and_transactional_messages(workspace: Any, here: Scene) -> None:
    welcome = here.campaigns["welcome"]
    for days in (1, 150, 200, 360, 400):
        at = START - timedelta(days=days)
        await here.delivery(f"c{days}", None, at=at, campaign_id=welcome, action_id=4)
        await here.delivery(f"t{days}", None, at=at, transactional_id=1)
    for path, letter in ((f"/v1/campaigns/{welcome}/messages", "c"), ("/v1/transactional/1/messages", "t")):
        assert await ids(workspace, path) == [f"{letter}1", f"{letter}150"]
        year = [f"{letter}{days}" for days in (1, 150, 200, 360)]
        assert await ids(workspace, path, start_ts=0) == year
        assert await ids(workspace, path, end_ts=UNIX - 100 * DAY) == [*year[1:], f"{letter}400"]
        assert await ids(workspace, path, start_ts=0, end_ts=UNIX - 300 * DAY) == [f"{letter}360", f"{letter}400"]
    assert await ids(workspace, "/v1/campaigns/welcome/messages", type="twilio") == []


async def test_a_broadcast_shows_the_month_after_its_first_trigger(workspace: Any, here: Scene) -> None:
    news = await number(workspace, "broadcast", "news")
    path = f"/v1/broadcasts/{news}/messages"
    assert await ids(workspace, path) == []
    first = START - timedelta(days=100)
    await triggered(workspace, news, first)
    await triggered(workspace, news, first + timedelta(days=50), 2)
    for name, days in (("within", 10), ("later", 50)):
        await here.delivery(name, None, at=first + timedelta(days=days), campaign_id=news, action_id=9, trigger_no=1)
    assert await ids(workspace, path) == ["within"]
    assert await ids(workspace, path, start_ts=0) == ["later", "within"]
    assert await ids(workspace, path, start_ts=0, type="email", metric="sent", state="sent") == ["later", "within"]
    assert await ids(workspace, path, start_ts=0, type="push") == []


async def test_messages_of_a_person_go_back_six_months_at_most(workspace: Any, here: Scene) -> None:
    ann, ben = await here.person("7", "ann@example.com"), await here.person("8")
    for days in (1, 150, 200):
        await here.delivery(f"d{days}", ann, at=START - timedelta(days=days))
    await here.delivery("draft", ann, draft=True, status="drafted")
    await here.delivery("ben", ben)
    assert await ids(workspace, "/v1/customers/7/messages") == ["d1", "d150"]
    assert await ids(workspace, "/v1/customers/7/messages", start_ts=0) == ["d1", "d150"]
    assert await ids(workspace, "/v1/customers/7/messages", end_ts=UNIX - 100 * DAY) == ["d150", "d200"]
    assert await ids(workspace, f"/v1/customers/cio_{cio_id(ann)}/messages", id_type="cio_id") == ["d1", "d150"]
    assert await ids(workspace, "/v1/customers/ann%40example.com/messages", id_type="email") == ["d1", "d150"]
    first = await get(workspace, "/v1/customers/7/messages", limit=1)
    assert await ids(workspace, "/v1/customers/7/messages", limit=1, start=first["next"]) == ["d150"]
    (error,) = (await get(workspace, "/v1/customers/9/messages", 404))["errors"]
    assert (error["code"], error["status"]) == ("not_found", "404")
    await get(workspace, "/v1/customers/7/messages", 400, id_type="phone")


async def test_pages_follow_each_other_and_over_large_ones_are_cut(workspace: Any, here: Scene) -> None:
    for n in range(5):
        await here.delivery(f"m{n}", None, transactional_id=1)
    first = await get(workspace, "/v1/transactional/1/messages", limit=3)
    rest = await get(workspace, "/v1/transactional/1/messages", limit=3, start=first["next"])
    assert [m["id"] for m in first["messages"] + rest["messages"]] == ["m4", "m3", "m2", "m1", "m0"]
    assert rest["next"] == ""
    assert len(await ids(workspace, "/v1/transactional/1/messages", limit=5_000)) == 5


@pytest.mark.parametrize(
    "path",
    [
        "/v1/messages",
        "/v1/messages?customer=nobody",
        "/v1/messages?newsletter_id=1",
        "/v1/campaigns/welcome/messages",
        "/v1/broadcasts/news/messages",
        "/v1/transactional/1/messages",
    ],
)
async def test_a_cursor_that_is_not_ours_is_refused_also_where_nothing_is_found(
    workspace: Any, here: Scene, path: str
) -> None:
    assert await ids(workspace, path) == []
    answer = await workspace.call("GET", f"{path}{'&' if '?' in path else '?'}start=W251bGxd")
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, "/start")


async def test_an_end_in_the_future_takes_nothing_away(workspace: Any, here: Scene) -> None:
    ann = await here.person("7")
    for days in (1, 200, 400):
        await here.delivery(f"d{days}", ann, at=START - timedelta(days=days), transactional_id=1)
    asked = {"start_ts": 0, "end_ts": 99_999_999_999}
    assert await ids(workspace, "/v1/transactional/1/messages", **asked) == ["d1", "d200"]
    assert await ids(workspace, "/v1/customers/7/messages", **asked) == ["d1"]


@pytest.mark.parametrize("kind", ["campaigns", "broadcasts", "transactional"])
async def test_what_is_not_there_and_what_is_no_id(workspace: Any, here: Scene, kind: str) -> None:
    for missing in ("99", "nothing", "9999999999999999999"):
        body = await get(workspace, f"/v1/{kind}/{missing}/messages", 404)
        assert (body["errors"][0]["status"], body["meta"]["error"]) == ("404", body["errors"][0]["detail"])
    for malformed in ("5x", "-1", "A", "%20"):
        body = await get(workspace, f"/v1/{kind}/{malformed}/messages", 400)
        assert body["errors"][0]["code"] == "invalid_parameter"
    await get(workspace, f"/v1/{kind}/welcome/messages", 400, metric="liked")


async def test_a_campaign_is_no_broadcast(workspace: Any, here: Scene) -> None:
    news = await number(workspace, "broadcast", "news")
    await get(workspace, f"/v1/campaigns/{news}/messages", 404)
    await get(workspace, f"/v1/broadcasts/{here.campaigns['welcome']}/messages", 404)


async def test_named_buttons_that_were_clicked_are_told_where_asked_for(workspace: Any, here: Scene) -> None:
    await here.delivery("I", None, transactional_id=1)
    await here.delivery("J", None, transactional_id=1)
    at = START + timedelta(seconds=9)
    async with workspace.db.transaction() as conn:
        await message_events.insert(
            conn,
            workspace.id,
            [
                MessageEvent("I", 5, "clicked", at, human=True, response="yes"),
                MessageEvent("I", 6, "clicked", at + timedelta(seconds=1), human=True, response="yes"),
                MessageEvent("I", 7, "clicked", at, human=True, link="https://x.io"),
            ],
        )
    told = await get(workspace, "/v1/messages", get_tracked_responses="true")
    shapes.Messages.model_validate(told)
    assert [message["tracked_responses"] for message in told["messages"]] == [{}, {"yes": {"id": 5, "ts": UNIX + 9}}]
    one = (await get(workspace, "/v1/messages/I", get_tracked_responses="true"))["message"]
    assert one["tracked_responses"] == {"yes": {"id": 5, "ts": UNIX + 9}}
    assert "tracked_responses" not in (await get(workspace, "/v1/messages/I"))["message"]


async def test_what_is_archived_of_a_message(workspace: Any, here: Scene) -> None:
    rendered = content("Hello", "<p>Hi <b>Ann</b></p>", "Hi Ann") | {"amp": "<html amp4email></html>"}
    rendered["fields"] |= {"bcc": "b@example.com", "cc": "c@example.com", "fake_bcc": True, "reply_to": "r@example.com"}
    await here.delivery("D", None, rendered=rendered, language="fr")
    answer = await get(workspace, "/v1/messages/D/archived_message")
    shapes.ArchivedAnswer.model_validate(answer)
    assert answer["archived_message"] == {
        "id": "D",
        "body": "<p>Hi <b>Ann</b></p>",
        "body_plain": "Hi Ann",
        "body_amp": "<html amp4email></html>",
        "subject": "Hello",
        "preheader_text": "Soon",
        "from": '"Team" <team@example.com>',
        "reply_to": "r@example.com",
        "recipient": "ann@example.com",
        "bcc": "b@example.com",
        "cc": "c@example.com",
        "fake_bcc": True,
        "headers": '[{"name":"X-Topic","value":"news"}]',
        "language": "fr",
        "forgotten": False,
    }


async def test_chn_case_10_of_a_forgotten_message_nothing_is_archived(workspace: Any, here: Scene) -> None:
    await here.delivery("D", None, transactional_id=1, forgotten=True)
    archived = (await get(workspace, "/v1/messages/D/archived_message"))["archived_message"]
    assert archived["forgotten"] is True
    assert (archived["body"], archived["body_plain"], archived["subject"], archived["headers"]) == ("", "", None, "[]")
    assert (await get(workspace, "/v1/messages/D"))["message"]["forgotten"] is True


async def test_an_archived_webhook_tells_its_request(workspace: Any, here: Scene) -> None:
    payload = {"method": "POST", "url": "https://x.io/in", "headers": {"X-A": "1"}, "body": '{"a":1}'}
    rendered = {"channel": "webhook", "fields": {"method": "POST", "url": "https://x.io/in"}, "payload": payload}
    async with workspace.db.transaction() as conn:
        await here.delivery("W", None, rendered={**rendered, "headers": [], "errors": []}, recipient="https://x.io/in")
        await conn.execute("UPDATE deliveries SET channel = 'webhook' WHERE workspace_id = $1", workspace.id)
    archived = (await get(workspace, "/v1/messages/W/archived_message"))["archived_message"]
    assert (archived["request_method"], archived["url"]) == ("post", "https://x.io/in")
    assert (archived["body"], archived["headers"]) == ('{"a":1}', '{"X-A":"1"}')


async def test_transactional_messages_are_listed_with_their_settings(workspace: Any, here: Scene) -> None:
    receipt = await number(workspace, "transactional", "receipt")
    listed = (await get(workspace, "/v1/transactional"))["messages"]
    assert [message["id"] for message in listed] == [receipt]
    one = (await get(workspace, f"/v1/transactional/{receipt}"))["message"]
    assert one == listed[0] == (await get(workspace, "/v1/transactional/receipt"))["message"]
    times = {name: one[name] for name in ("created_at", "updated_at")}
    assert one == {
        "id": receipt,
        "key": "receipt",
        "name": "Receipt",
        "description": "After every order",
        "channel": "email",
        "trigger_name": "Order_Receipt",
        "send_to_unsubscribed": True,
        "link_tracking": True,
        "open_tracking": False,
        "hide_message_body": False,
        "queue_drafts": True,
        **times,
    }
    assert all(isinstance(at, int) for at in times.values())
    await get(workspace, "/v1/transactional/9", 404)
    await get(workspace, "/v1/transactional/Receipt", 400)


async def test_sends_without_a_template_have_the_id_1_and_are_listed_once_there_are_some(
    workspace: Any, here: Scene
) -> None:
    one = (await get(workspace, "/v1/transactional/1"))["message"]
    assert (one["id"], one["key"], one["name"]) == (1, None, "Uncategorized")
    await here.delivery("D", None, transactional_id=1)
    listed = (await get(workspace, "/v1/transactional"))["messages"]
    assert [message["id"] for message in listed] == [1, await number(workspace, "transactional", "receipt")]


async def test_the_mailbox_and_the_timeline_name_what_sent_a_message(workspace: Any, here: Scene) -> None:
    ann, news = await here.person("7", "ann@example.com"), await number(workspace, "broadcast", "news")
    receipt = await number(workspace, "transactional", "receipt")
    welcome = here.campaigns["welcome"]
    await here.delivery("C", ann, campaign_id=welcome, action_id=4)
    await here.delivery("B", ann, campaign_id=news, action_id=9, trigger_no=2, recipient_no=1, language="fr")
    await here.delivery("T", ann, transactional_id=receipt)
    for delivery, key in (("C", "welcome"), ("B", "news"), ("T", "receipt")):
        await here.captured(delivery, "ann@example.com", campaign=key)
    mails = (await get(workspace, "/v1/mailbox"))["messages"]
    named = [(m["campaign"], m["broadcast"], m["transactional"], m["language"]) for m in mails]
    assert named == [("welcome", None, None, None), (None, "news", None, "fr"), (None, None, "receipt", None)]
    found = await get(workspace, "/v1/mailbox", broadcast="news")
    assert [mail["delivery_id"] for mail in found["messages"]] == ["B"]
    assert (await get(workspace, "/v1/mailbox", campaign="news"))["messages"] == []
    await get(workspace, "/v1/mailbox", 400, campaign="news", transactional="receipt")
    entries = (await get(workspace, "/v1/customers/7/timeline", types="delivery"))["timeline"]
    data = {entry["data"]["delivery_id"]: entry["data"] for entry in entries if entry["type"] == "delivery"}
    assert (data["B"]["broadcast"], data["B"]["broadcast_id"], data["B"]["trigger_id"]) == ("news", news, 2)
    assert (data["T"]["transactional"], data["T"]["transactional_message_id"]) == ("receipt", receipt)
    assert (data["C"]["campaign"], data["C"]["campaign_id"]) == ("welcome", welcome)


async def test_pages_say_what_sent_a_message(workspace: Any, here: Scene) -> None:
    ann, news = await here.person("7", "ann@example.com"), await number(workspace, "broadcast", "news")
    await here.delivery("B", ann, campaign_id=news, action_id=9, block="mail", trigger_no=2, recipient_no=1)
    await here.delivery("T", ann, transactional_id=await number(workspace, "transactional", "receipt"))
    for name, key in (("B", "news"), ("T", "receipt")):
        await here.captured(name, "ann@example.com", campaign=key)
    assert "News broadcast" in (await look(workspace, "/messages/B")).text
    assert "Receipt transactional" in (await look(workspace, "/messages/T")).text
    mailbox = (await look(workspace, "/mailbox")).text
    assert "news broadcast" in mailbox
    assert "receipt transactional" in mailbox
    person = (await look(workspace, f"/people/{cio_id(ann)}")).text
    assert "broadcast news" in person
    assert "transactional receipt" in person


async def test_drafts_of_one_source_are_deleted_in_bulk(workspace: Any, here: Scene) -> None:
    news, receipt = (
        await number(workspace, "broadcast", "news"),
        await number(workspace, "transactional", "receipt"),
    )
    draft: dict[str, Any] = {"status": "drafted", "draft": True, "metrics": {"drafted": 1}}
    await here.delivery("B", None, campaign_id=news, action_id=9, trigger_no=1, recipient_no=1, **draft)
    await here.delivery("T", None, transactional_id=receipt, **draft)
    await here.delivery("U", None, transactional_id=1, **draft)
    for source, count in (({"transactional": "receipt"}, 1), ({"broadcast": "news"}, 1), ({"transactional": 1}, 1)):
        answer = await workspace.call("POST", "/v1/messages/bulk", {"action": "delete_drafts", **source})
        assert answer.status_code == 202, answer.text
        assert answer.json()["progress"]["total"] == count
    for body, pointer in (
        ({"transactional": "gone"}, "/transactional"),
        ({"broadcast": "welcome"}, "/broadcast"),
        ({"newsletter": "x"}, "/newsletter"),
        ({"broadcast": "news", "transactional": "receipt"}, "/transactional"),
        ({"transactional": "receipt", "block": "mail"}, "/campaign"),
        ({"broadcast": "news", "block": "nothing"}, "/block"),
    ):
        answer = await workspace.call("POST", "/v1/messages/bulk", {"action": "delete_drafts", **body})
        assert answer.status_code == 422, answer.text
        assert answer.json()["errors"][0]["pointer"] == pointer


async def test_exports_of_one_transactional_message_or_broadcast_are_taken(workspace: Any, here: Scene) -> None:
    news, receipt = (
        await number(workspace, "broadcast", "news"),
        await number(workspace, "transactional", "receipt"),
    )
    for body in ({"campaign_id": news}, {"transactional_message_id": receipt}, {"transactional_message_id": 1}):
        answer = await workspace.call("POST", "/v1/exports/deliveries", body)
        assert answer.status_code == 200, answer.text
    answer = await workspace.call("POST", "/v1/exports/deliveries", {"transactional_message_id": 99})
    assert answer.status_code == 400
