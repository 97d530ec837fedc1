"""What the pages and reads say of rows that the running product wrote itself."""

from __future__ import annotations

import re

import pytest

from api.management import shapes
from tests.support.live import START, Workspace, campaign, email, on_event

pytestmark = pytest.mark.stack

PAYING = {
    "kind": "segment",
    "key": "paying",
    "name": "Paying",
    "conditions": {"attribute": {"field": "plan", "value": "pro"}},
}
BODY = "<p>Hi {{ customer.first_name }}</p><p><a href='{% unsubscribe_url %}'>Leave</a></p>"


async def a_journey(sandbox: Workspace) -> str:
    """Somebody in the middle of a campaign, with one message behind them."""
    blocks = {"hello": email("Welcome, {{ customer.first_name }}", BODY, next="pause")}
    blocks |= {"pause": {"type": "time_delay", "duration": "P1D", "next": "more"}, "more": email("More", BODY)}
    await sandbox.define(PAYING, campaign("welcome", on_event("signed_up"), "hello", blocks))
    await sandbox.start("welcome")
    await sandbox.identify("7", email="ann@example.com", first_name="Ann", plan="pro")
    await sandbox.track("7", "signed_up", {"plan": "pro"})
    await sandbox.settle()
    (journey,) = await sandbox.journeys()
    return journey["id"]


async def test_every_page_shows_it(sandbox, stack):
    journey_id = await a_journey(sandbox)
    headers = {"Cookie": f"sojourn_ui={stack.admin_token}"}
    base = f"/ui/{sandbox.id}"
    todo, seen = [f"{base}/journeys", f"{base}/people", f"{base}/mailbox"], {}
    while todo:
        path = todo.pop()
        answer = await sandbox.client.get(path, headers=headers)
        assert answer.status_code == 200, (path, answer.text)
        seen[path] = answer.text
        found = {link.replace("&amp;", "&") for link in re.findall(rf'(?:href|src)="({base}/[^"]+)"', answer.text)}
        todo += [link for link in found if link not in seen and link not in todo]
    kinds = {path.removeprefix(base).partition("?")[0].split("/")[1] for path in seen}
    shown = {
        "campaigns",
        "broadcasts",
        "journeys",
        "people",
        "mailbox",
        "messages",
        "data-in",
        "data-index",
        "segments",
    }
    assert kinds == shown
    assert "Waits at" in seen[f"{base}/journeys/{journey_id}"]
    (person,) = [text for path, text in seen.items() if re.fullmatch(rf"{base}/people/[0-9a-f]+", path)]
    for words in ("signed_up", "Person created", "Attributes changed", "Entered", "Welcome, Ann", "Paying"):
        assert words in person


async def test_leaving_by_the_link_is_seen_everywhere(sandbox):
    journey_id = await a_journey(sandbox)
    (mail,) = await sandbox.mailbox()
    (path,) = set(re.findall(r"/unsubscribe/[\w-]+", mail["rendered"]["html"]))
    assert path == f"/unsubscribe/{mail['delivery_id']}"
    assert (await sandbox.client.get(path)).status_code == 200
    await sandbox.settle()
    assert (await sandbox.get("/v1/customers/7/attributes"))["customer"]["unsubscribed"] is False

    assert (await sandbox.client.post(path, data={"List-Unsubscribe": "One-Click"})).status_code == 200
    await sandbox.settle()
    assert (await sandbox.get("/v1/customers/7/attributes"))["customer"]["unsubscribed"] is True
    message = (await sandbox.get(f"/v1/messages/{mail['delivery_id']}"))["message"]
    assert message["metrics"]["unsubscribed"] == START
    timeline = await sandbox.get("/v1/customers/7/timeline", types="activity,delivery")
    shapes.Timeline.model_validate(timeline)
    names = [entry["name"] for entry in timeline["timeline"]]
    assert names.count("unsubscribed") == 2

    await sandbox.advance("P1D")
    assert [m["delivery_id"] for m in await sandbox.mailbox()] == [mail["delivery_id"]]
    steps = (await sandbox.journey(journey_id))["steps"]
    refused = (await sandbox.get(f"/v1/messages/{steps[-1]['delivery_id']}"))["message"]
    assert refused["status"] == "undeliverable"
    assert refused["failure_message"]

    await sandbox.client.post(path, data={"action": "resubscribe"})
    await sandbox.settle()
    assert (await sandbox.get("/v1/customers/7/attributes"))["customer"]["unsubscribed"] is False


async def test_answers_have_the_described_shapes(sandbox):
    journey_id = await a_journey(sandbox)
    (mail,) = await sandbox.mailbox()
    delivery_id = mail["delivery_id"]
    for path, shape in {
        f"/v1/journeys/{journey_id}": shapes.JourneyAnswer,
        "/v1/journeys": shapes.Journeys,
        f"/v1/messages/{delivery_id}": shapes.MessageAnswer,
        f"/v1/messages/{delivery_id}/archived_message": shapes.ArchivedAnswer,
        f"/v1/messages/{delivery_id}/attempts": shapes.Attempts,
        "/v1/mailbox": shapes.Mailbox,
        "/v1/customers/7/timeline": shapes.Timeline,
        "/v1/customers/7/segments": shapes.PersonSegments,
    }.items():
        shape.model_validate(await sandbox.get(path))
    archived = (await sandbox.get(f"/v1/messages/{delivery_id}/archived_message"))["archived_message"]
    assert archived["subject"] == "Welcome, Ann"
    assert "Hi Ann" in archived["body"]
    assert archived["from"]
    (attempt,) = (await sandbox.get(f"/v1/messages/{delivery_id}/attempts"))["attempts"]
    assert (attempt["outcome"], attempt["status"]) == ("accepted", "250")
    source = await sandbox.request("GET", f"/v1/mailbox/{mail['id']}/raw")
    assert b"Subject: Welcome, Ann" in source.content


async def test_a_journey_ended_by_hand_ends(sandbox):
    journey_id = await a_journey(sandbox)
    ended = await sandbox.call("POST", f"/v1/journeys/{journey_id}/end")
    assert ended["journey"]["reason"] == "manual"
    await sandbox.settle()
    await sandbox.advance("P2D")
    assert len(await sandbox.mailbox()) == 1
    assert (await sandbox.journey(journey_id))["state"] == "exited_early"
