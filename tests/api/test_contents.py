"""What campaigns, broadcasts and templates say, read and written over HTTP (APP-04 to APP-06, APP-08)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from api.app_api import content_shapes as shapes
from tests.api.conftest import Keys

SENDERS = [
    {"kind": "sender", "key": "team", "name": "Team", "email": "team@example.com"},
    {"kind": "sender", "key": "help", "email": "help@example.com"},
]
LAYOUT = {"kind": "layout", "key": "branded", "name": "Branded", "body": "<b>{{ content }}</b>"}
MAIL = {
    "subject": "Hi {{ customer.name }}",
    "body": "<p>Hi</p>",
    "sender": "team",
    "layout": "branded",
    "headers": [{"name": "X-One", "value": "1"}],
    "languages": {"fr-CA": {"subject": "Allô", "body": "<p>Allô</p>"}},
}
HOOK = {"method": "PUT", "url": "https://example.com/hook", "body": "{}", "headers": {"X-Key": "k"}}
BLOCKS = {
    "hello": {"type": "email", "name": "Hello", "sending_state": "automatic", "message": MAIL, "next": "text"},
    "text": {"type": "sms", "message": {"body": "Hi", "from": "+15551230000"}, "next": "call"},
    "call": {"type": "webhook", "request": HOOK, "next": "wait"},
    "wait": {"type": "time_delay", "duration": "PT1H"},
}
CAMPAIGN = {
    "kind": "campaign",
    "key": "welcome",
    "name": "Welcome",
    "trigger": {"type": "event", "event": "joined"},
    "workflow": {"start": "hello", "blocks": BLOCKS},
}
RECEIPT = {"kind": "transactional", "key": "receipt", "name": "Receipt", "channel": "email", "message": MAIL}


async def call(workspace: Keys, method: str, path: str, body: Any = None, status: int = 200) -> Any:
    answer = await workspace.call(method, path, body)
    assert answer.status_code == status, answer.text
    return answer.json()


async def define(workspace: Keys, *documents: dict[str, Any]) -> None:
    await call(workspace, "PUT", "/v1/definitions", {"definitions": [*SENDERS, LAYOUT, *documents]})


async def document(workspace: Keys, kind: str, key: str) -> dict[str, Any]:
    found: dict[str, Any] = (await call(workspace, "GET", f"/v1/definitions/{kind}/{key}"))["definition"]
    return found


def told(answer: dict[str, Any]) -> list[tuple[str, str]]:
    assert {one["status"] for one in answer["errors"]} == {"400"}
    assert answer["meta"]["error"]
    return [(one["pointer"], one["code"]) for one in answer["errors"]]


async def test_actions_of_a_campaign_are_listed_as_the_vendor_has_them(workspace: Keys):
    await define(workspace, CAMPAIGN)
    for ref in ("1", "welcome"):
        answer = await call(workspace, "GET", f"/v1/campaigns/{ref}/actions")
        shapes.ActionPage.model_validate(answer)
        assert answer["next"] == ""
        assert [(one["id"], one["type"], one["key"]) for one in answer["actions"]] == [
            (1, "email", "hello"),
            (2, "twilio", "text"),
            (3, "webhook", "call"),
        ]
    mail, text, hook = answer["actions"]
    created = mail.pop("created")
    assert mail.pop("deduplicate_id") == f"1:{mail.pop('updated')}"
    assert mail == {
        "id": 1,
        "campaign_id": 1,
        "key": "hello",
        "name": "Hello",
        "type": "email",
        "sending_state": "automatic",
        "language": "",
        "layout": "Branded",
        "subject": "Hi {{ customer.name }}",
        "body": "<p>Hi</p>",
        "body_amp": "",
        "preheader_text": "",
        "preprocessor": "premailer",
        "recipient": "{{customer.email}}",
        "from": '"Team" <team@example.com>',
        "from_id": 1,
        "reply_to": "",
        "reply_to_id": None,
        "bcc": "",
        "cc": "",
        "fake_bcc": True,
        "headers": '[{"name":"X-One","value":"1"}]',
    }
    assert created > 0
    assert (text["body"], text["recipient"], text["sending_state"]) == ("Hi", "", "draft")
    assert (hook["url"], hook["method"], hook["body"]) == (HOOK["url"], "put", "{}")
    assert json.loads(hook["headers"]) == [{"name": "X-Key", "value": "k"}]


async def test_ten_actions_come_at_a_time(workspace: Keys):
    blocks: dict[str, Any] = {
        f"b{n}": {"type": "sms", "message": {"body": str(n), "from": "+15551230000"}, "next": f"b{n + 1}"}
        for n in range(1, 13)
    }
    del blocks["b12"]["next"]
    await define(workspace, {**CAMPAIGN, "workflow": {"start": "b1", "blocks": blocks}})
    first = await call(workspace, "GET", "/v1/campaigns/1/actions")
    assert len(first["actions"]) == 10
    rest = await call(workspace, "GET", f"/v1/campaigns/1/actions?start={first['next']}")
    assert [one["body"] for one in rest["actions"]] == ["11", "12"]
    assert rest["next"] == ""
    await call(workspace, "GET", "/v1/campaigns/1/actions?start=x", status=400)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/campaigns/9/actions", 404),
        ("/v1/campaigns/Nothing!/actions", 400),
        ("/v1/campaigns/1/actions/9", 404),
        ("/v1/campaigns/1/actions/x", 400),
        ("/v1/campaigns/1/actions/4", 404),
        ("/v1/campaigns/1/actions/1/language/de", 400),
        ("/v1/broadcasts/1/actions", 404),
        ("/v1/broadcasts/2/actions/x", 400),
        ("/v1/transactional/9/contents", 404),
        ("/v1/transactional/2/contents/99", 404),
        ("/v1/transactional/2/contents/x", 400),
        ("/v1/transactional/2/language/de", 400),
    ],
)
async def test_what_is_not_there(workspace: Keys, path: str, status: int):
    await define(workspace, CAMPAIGN, RECEIPT)
    answer = await call(workspace, "GET", path, status=status)
    assert answer["errors"][0]["status"] == str(status)


async def test_an_answer_sent_back_changes_nothing(workspace: Keys):
    await define(workspace, CAMPAIGN, RECEIPT)
    before = await call(workspace, "GET", "/v1/definitions/campaign/welcome")
    for number in (1, 2, 3):
        for tail in ("", "/language/fr-CA") if number == 1 else ("",):
            path = f"/v1/campaigns/1/actions/{number}{tail}"
            action = (await call(workspace, "GET", path))["action"]
            assert (await call(workspace, "PUT", path, action))["action"] == action
    assert await call(workspace, "GET", "/v1/definitions/campaign/welcome") == before


async def test_the_fields_that_can_be_written_are_and_others_are_ignored(workspace: Keys):
    await define(workspace, CAMPAIGN)
    body = {
        "subject": "New",
        "body": "<p>New</p>",
        "preheader_text": "Look",
        "recipient": "{{customer.work}}",
        "from_id": 2,
        "reply_to_id": 1,
        "headers": [{"name": "X-Two", "value": "2"}],
        "sending_state": "draft",
        "id": 77,
        "name": "ignored",
        "from": "ignored@example.com",
        "bcc": "ignored@example.com",
        "anything": {},
    }
    answer = await call(workspace, "PUT", "/v1/campaigns/1/actions/1", body)
    action = answer["action"]
    assert (action["id"], action["name"], action["bcc"]) == (1, "Hello", "")
    assert (action["from"], action["from_id"]) == ("help@example.com", 2)
    assert (action["reply_to"], action["reply_to_id"]) == ("team@example.com", 1)
    block = (await document(workspace, "campaign", "welcome"))["workflow"]["blocks"]["hello"]
    assert block["sending_state"] == "draft"
    said = block["message"]
    assert {name: said[name] for name in ("subject", "body", "preheader", "to", "sender", "reply_to", "headers")} == {
        "subject": "New",
        "body": "<p>New</p>",
        "preheader": "Look",
        "to": "{{customer.work}}",
        "sender": "help",
        "reply_to": "team@example.com",
        "headers": [{"name": "X-Two", "value": "2"}],
    }
    cleared = {"preheader_text": "", "reply_to_id": None, "headers": "[]"}
    action = (await call(workspace, "PUT", "/v1/campaigns/1/actions/1", cleared))["action"]
    assert (action["preheader_text"], action["reply_to_id"], action["headers"]) == ("", None, "[]")
    assert action["sending_state"] == "draft"


async def test_webhooks_and_texts_are_written(workspace: Keys):
    await define(workspace, CAMPAIGN)
    body = {"url": "https://example.com/other", "method": "post", "headers": '{"X-A":"1"}', "body": "{{ event.x }}"}
    hook = (await call(workspace, "PUT", "/v1/campaigns/1/actions/3", body))["action"]
    assert (hook["url"], hook["method"], hook["body"]) == (body["url"], "post", body["body"])
    assert hook["headers"] == '[{"name":"X-A","value":"1"}]'
    texted = {"body": "Yo", "image_url": "https://x.io/a.png", "recipient": "+15550001111", "sending_state": "off"}
    text = (await call(workspace, "PUT", "/v1/campaigns/welcome/actions/2", texted))["action"]
    assert {name: text[name] for name in texted} == texted


@pytest.mark.parametrize(
    ("number", "body", "expected"),
    [
        (1, {"subject": "{% coyotes %}"}, [("/subject", "liquid_syntax")]),
        (1, {"body": None, "from_id": 99}, [("/from_id", "unknown_reference"), ("/body", "required")]),
        (1, {"subject": 5}, [("/subject", "type")]),
        (1, {"subject": " "}, [("/subject", "required")]),
        (1, {"headers": "nothing"}, [("/headers", "type")]),
        (1, {"headers": [{"name": "Subject", "value": "x"}]}, [("/headers/0/name", "reserved_header")]),
        (1, {"sending_state": "sometimes"}, [("/sending_state", "enum")]),
        (1, [], [("", "type")]),
        (3, {"method": "steal"}, [("/method", "enum")]),
        (3, {"url": "http://127.0.0.1/"}, [("/url", "private_address")]),
    ],
)
async def test_what_is_wrong_is_refused_with_400(workspace: Keys, number: int, body: Any, expected: Any):
    await define(workspace, CAMPAIGN)
    answer = await call(workspace, "PUT", f"/v1/campaigns/1/actions/{number}", body, status=400)
    assert sorted(told(answer)) == sorted(expected)


async def test_bodies_that_editors_made_stay(workspace: Keys):
    made = {**MAIL, "editor": "drag_and_drop"}
    blocks = {"hello": {"type": "email", "message": made}}
    await define(workspace, {**CAMPAIGN, "workflow": {"start": "hello", "blocks": blocks}})
    answer = await call(workspace, "PUT", "/v1/campaigns/1/actions/1", {"body": "mine"}, status=400)
    assert told(answer) == [("/body", "not_applicable")]
    assert (await call(workspace, "PUT", "/v1/campaigns/1/actions/1", {"subject": "mine"}))["action"]["layout"] == ""


async def test_a_variant_has_its_own_texts_and_nothing_else(workspace: Keys):
    await define(workspace, CAMPAIGN)
    path = "/v1/campaigns/1/actions/1/language"
    action = (await call(workspace, "GET", f"{path}/FR-ca"))["action"]
    assert (action["language"], action["subject"], action["preheader_text"]) == ("fr-CA", "Allô", "")
    changed = {"subject": "Salut", "preheader_text": "Bonjour", "from_id": 2, "recipient": "x@example.com"}
    action = (await call(workspace, "PUT", f"{path}/fr-CA", changed))["action"]
    assert (action["subject"], action["from_id"]) == ("Salut", 1)
    said = (await document(workspace, "campaign", "welcome"))["workflow"]["blocks"]["hello"]["message"]
    assert said["subject"] == MAIL["subject"]
    assert said["to"] == "{{customer.email}}"
    assert said["languages"]["fr-CA"]["subject"] == "Salut"
    assert said["languages"]["fr-CA"]["preheader"] == "Bonjour"
    wrong = await call(workspace, "PUT", f"{path}/fr-CA", {"body": "{% if %}"}, status=400)
    assert told(wrong) == [("/body", "liquid_syntax")]
    # An empty language is the default.
    assert (await call(workspace, "GET", f"{path}/"))["action"]["subject"] == MAIL["subject"]
    assert (await call(workspace, "PUT", path, {"subject": "D"}))["action"]["subject"] == "D"


async def test_actions_of_a_broadcast_are_read_and_written(workspace: Keys):
    call_last = {name: value for name, value in BLOCKS["call"].items() if name != "next"}
    blocks = {"hello": BLOCKS["hello"], "text": BLOCKS["text"], "call": call_last}
    broadcast = {"kind": "broadcast", "key": "news", "name": "News", "workflow": {"start": "hello", "blocks": blocks}}
    await define(workspace, broadcast)
    answer = await call(workspace, "GET", "/v1/broadcasts/news/actions")
    shapes.Actions.model_validate(answer)
    assert [one["broadcast_id"] for one in answer["actions"]] == [1, 1, 1]
    assert "next" not in answer
    assert (await call(workspace, "GET", "/v1/broadcasts/1/actions/1"))["action"] == answer["actions"][0]
    changed = await call(workspace, "PUT", "/v1/broadcasts/1/actions/1/language/fr-CA", {"body": "<p>F</p>"})
    assert changed["action"]["body"] == "<p>F</p>"
    await call(workspace, "GET", "/v1/campaigns/1/actions", status=404)


async def test_contents_of_a_template_have_numbers_that_stay(workspace: Keys):
    await define(workspace, RECEIPT, {**RECEIPT, "key": "other", "name": "Other"})
    answer = await call(workspace, "GET", "/v1/transactional/receipt/contents")
    shapes.Contents.model_validate(answer)
    assert [(one["id"], one["language"], one["type"]) for one in answer["contents"]] == [
        (1, "", "email"),
        (2, "fr-CA", "email"),
    ]
    assert await call(workspace, "GET", "/v1/transactional/2/contents") == answer
    assert (await call(workspace, "GET", "/v1/transactional/2/contents/2"))["content"] == answer["contents"][1]
    assert (await call(workspace, "GET", "/v1/transactional/3/contents"))["contents"][0]["id"] == 3
    other = await call(workspace, "GET", "/v1/transactional/3/contents/2", status=400)
    assert told(other) == [("", "invalid_parameter")]


async def test_contents_of_a_template_are_written(workspace: Keys):
    await define(workspace, RECEIPT)
    await call(workspace, "GET", "/v1/transactional/2/contents")
    path = "/v1/transactional/2/content/1"
    changed = await call(workspace, "PUT", path, {"body": "<p>{{ trigger.total }}</p>", "from_id": 2, "name": "no"})
    shapes.ContentAnswer.model_validate(changed)
    assert (changed["content"]["from_id"], changed["content"]["name"]) == (2, "Receipt")
    french = await call(workspace, "PUT", "/v1/transactional/2/content/2", {"subject": "Reçu"})
    assert (french["content"]["language"], french["content"]["subject"]) == ("fr-CA", "Reçu")
    said = (await document(workspace, "transactional", "receipt"))["message"]
    assert said["body"] == "<p>{{ trigger.total }}</p>"
    assert said["languages"]["fr-CA"]["subject"] == "Reçu"
    in_french = await call(workspace, "GET", "/v1/transactional/2/language/fr-ca")
    assert in_french["content"] == [french["content"]]
    again = await call(workspace, "PUT", "/v1/transactional/2/language/fr-CA", {"body": "<p>F</p>"})
    assert again["content"]["body"] == "<p>F</p>"
    assert (await call(workspace, "GET", "/v1/transactional/2/language"))["content"][0]["language"] == ""
    wrong = await call(workspace, "PUT", path, {"subject": "{{ x | nothing }}"}, status=400)
    assert told(wrong) == [("/subject", "liquid_syntax")]
    await call(workspace, "PUT", "/v1/transactional/2/content/9", {}, status=404)


async def test_a_template_without_a_message_has_no_contents(workspace: Keys):
    empty = {name: value for name, value in RECEIPT.items() if name != "message"}
    await define(workspace, empty)
    assert await call(workspace, "GET", "/v1/transactional/2/contents") == {"contents": []}
    await call(workspace, "GET", "/v1/transactional/2/language", status=404)


async def test_a_variant_that_is_gone_has_no_content(workspace: Keys):
    await define(workspace, RECEIPT)
    await call(workspace, "GET", "/v1/transactional/2/contents")
    await define(workspace, {**RECEIPT, "message": {**MAIL, "languages": {}}})
    await call(workspace, "GET", "/v1/transactional/2/contents/2", status=404)
    await define(workspace, RECEIPT)
    assert (await call(workspace, "GET", "/v1/transactional/2/contents/2"))["content"]["language"] == "fr-CA"
