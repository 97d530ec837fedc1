from __future__ import annotations

import json
from datetime import timedelta

import pytest

from api.management import shapes
from domain.ids import cio_id
from tests.support.looking import START, UNIX, Scene, content, micros


@pytest.fixture
async def here(workspace) -> Scene:
    made = Scene(workspace.db, workspace.id)
    async with workspace.db.transaction() as conn:
        await conn.execute("UPDATE workspaces SET clock_now = $2 WHERE workspace_id = $1", workspace.id, START)
    return made


async def get(workspace, path: str, status: int = 200, **params):
    answer = await workspace.call("GET", path, params=params)
    assert answer.status_code == status, answer.text
    return answer.json()


async def ids(workspace, **params) -> list[str]:
    answer = await get(workspace, "/v1/messages", **params)
    shapes.Messages.model_validate(answer)
    return [message["id"] for message in answer["messages"]]


async def test_a_delivery_in_the_vendors_shape(workspace, here):
    ann = await here.person("7", "ann@example.com")
    metrics = {"sent": micros(START) + 1_500_000, "suppressed": micros(START) + 9_000_000}
    await here.delivery("D", ann, journey_id="J", campaign_id=3, action_id=4, block="hello", metrics=metrics)
    answer = await get(workspace, "/v1/messages/D")
    shapes.MessageAnswer.model_validate(answer)
    message = answer["message"]
    assert message["customer_identifiers"] == {"id": "7", "email": "ann@example.com", "cio_id": cio_id(ann)}
    assert message["metrics"] == {"created": UNIX, "sent": UNIX + 1, "dropped": UNIX + 9}
    assert (message["type"], message["recipient"], message["subject"]) == ("email", "ann@example.com", "Hi")
    assert (message["campaign_id"], message["action_id"], message["block"]) == (3, 4, "hello")
    assert (message["customer_id"], message["journey_id"]) == ("7", "J")
    assert (message["forgotten"], message["draft"], message["failure_message"]) == (False, False, None)


async def test_why_a_delivery_did_not_go(workspace, here):
    await here.delivery("D", None, status="undeliverable", metrics={}, failure_message="Unsubscribed.", recipient=None)
    message = (await get(workspace, "/v1/messages/D"))["message"]
    assert (message["failure_message"], message["recipient"], message["customer_id"]) == ("Unsubscribed.", "", None)
    assert "customer_identifiers" not in message


async def test_every_filter(workspace, here):
    ann = await here.person("7", "ann@example.com")
    await here.delivery("a", ann, journey_id="J", block="hello", campaign_id=3, action_id=4, status="sent")
    await here.delivery("b", None, at=START - timedelta(days=2), metrics={"suppressed": 1}, status="suppressed")
    await here.delivery("d", ann, status="drafted", draft=True, metrics={"drafted": 1})
    await here.delivery("old", ann, at=START - timedelta(days=200))
    assert await ids(workspace) == ["a", "b"]
    assert await ids(workspace, drafts="true") == ["d"]
    assert await ids(workspace, state="drafted") == ["d"]
    assert await ids(workspace, customer="ann@example.com", id_type="email") == ["a"]
    assert await ids(workspace, customer="nobody") == []
    assert await ids(workspace, journey_id="J", block="hello", campaign_id=3, action_id=4, type="email") == ["a"]
    assert await ids(workspace, type="twilio") == []
    assert await ids(workspace, metric="dropped") == ["b"]
    assert await ids(workspace, state="sent") == ["a"]
    assert await ids(workspace, newsletter_id=1) == []
    assert await ids(workspace, transactional_message_id=2) == []
    assert await ids(workspace, start_ts=UNIX) == ["a"]
    assert await ids(workspace, end_ts=UNIX - 1) == ["b", "old"]


async def test_pages(workspace, here):
    for n in range(5):
        await here.delivery(f"m{n}", None)
    first = await get(workspace, "/v1/messages", limit=3)
    rest = await get(workspace, "/v1/messages", limit=3, start=first["next"])
    assert [m["id"] for m in first["messages"] + rest["messages"]] == ["m4", "m3", "m2", "m1", "m0"]
    assert rest["next"] == ""
    assert len(await ids(workspace, limit=5_000)) == 5


@pytest.mark.parametrize(
    ("params", "pointer"),
    [
        ({"limit": 0}, "/limit"),
        ({"start": "???"}, "/start"),
        ({"metric": "liked"}, "/metric"),
        ({"type": "sms"}, "/type"),
        ({"state": "delivered"}, "/state"),
        ({"start_ts": -1}, "/start_ts"),
        ({"campaign_id": "welcome"}, "/campaign_id"),
        ({"drafts": "perhaps"}, "/drafts"),
    ],
)
async def test_a_filter_that_makes_no_sense_is_pointed_at(workspace, params, pointer):
    (error,) = (await get(workspace, "/v1/messages", 400, **params))["errors"]
    assert (error["pointer"], error["code"]) == (pointer, "invalid_parameter")


async def test_what_was_rendered(workspace, here):
    await here.delivery("D", None, rendered=content("Hello", "<p>Hi <b>Ann</b></p>", "Hi Ann"))
    answer = await get(workspace, "/v1/messages/D/archived_message")
    shapes.ArchivedAnswer.model_validate(answer)
    archived = answer["archived_message"]
    assert (archived["id"], archived["body"], archived["body_plain"]) == ("D", "<p>Hi <b>Ann</b></p>", "Hi Ann")
    assert (archived["subject"], archived["preheader_text"]) == ("Hello", "Soon")
    assert (archived["from"], archived["recipient"]) == ('"Team" <team@example.com>', "ann@example.com")
    assert json.loads(archived["headers"]) == [{"name": "X-Topic", "value": "news"}]
    assert archived["forgotten"] is False


async def test_content_that_is_not_kept_is_forgotten(workspace, here):
    await here.delivery("D", None, keep=False)
    archived = (await get(workspace, "/v1/messages/D/archived_message"))["archived_message"]
    assert (archived["forgotten"], archived["body"]) == (True, "")
    assert (await get(workspace, "/v1/messages/D"))["message"]["forgotten"] is True


async def test_attempts_say_what_came_back_and_when_the_next_comes(workspace, here):
    row = await here.delivery("D", None, status="attempted", metrics={"attempted": 1})
    await here.attempt(row, "retry", "451 4.3.0 Try later")
    row.held_until = START + timedelta(minutes=10)
    await here.attempt(row, "retry", "Connection refused")
    answer = await get(workspace, "/v1/messages/D/attempts")
    shapes.Attempts.model_validate(answer)
    first, second = answer["attempts"]
    assert (first["outcome"], first["status"], first["detail"]) == ("retry", "451", "451 4.3.0 Try later")
    assert (first["next_attempt_at"], second["next_attempt_at"]) == (None, UNIX + 600)
    assert (second["status"], second["provider"], second["at"]) == ("", "relay", UNIX)


@pytest.mark.parametrize("path", ["", "/archived_message", "/attempts"])
async def test_a_message_that_is_not_there(workspace, live, here, path):
    await here.delivery("D", None)
    await get(workspace, f"/v1/messages/nobody{path}", 404)
    await get(live, f"/v1/messages/D{path}", 404)


async def test_rendered_content_takes_its_own_scope(workspace, here):
    await here.delivery("D", None)
    body = {"kind": "app", "name": "Reader", "scopes": ["read"]}
    made = await workspace.http.post(f"/v1/workspaces/{workspace.id}/credentials", json=body, headers=workspace.admin)
    assert made.status_code == 201, made.text
    key = {"Authorization": f"Bearer {made.json()['app_key']}"}
    statuses = [
        (await workspace.http.get(path, headers=key)).status_code
        for path in ("/v1/messages/D", "/v1/messages/D/archived_message", "/v1/mailbox")
    ]
    assert statuses == [200, 403, 403]
