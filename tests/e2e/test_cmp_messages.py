"""What becomes of messages: words of the event, failures, retries, the unsubscribe link (CMP-29, CMP-31, CMP-32, SUB-09)."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.support.live import START, Workspace, campaign, email, on_event
from tests.support.moments import activities, delay, ended, mails, messages, only_journey, person, subjects, walked

HOUR = 3_600


async def running(workspace: Workspace, blocks: dict[str, Any], start: str = "mail", **fields: Any) -> None:
    """A running campaign on an order, and somebody with an address."""
    await workspace.define(campaign("drip", on_event("order"), start, blocks, **fields))
    await workspace.start("drip")
    await workspace.identify("7", email="ann@example.com", first_name="Ann")


async def test_cmp_31_an_event_redirects_every_mail_of_its_journey(sandbox: Workspace):
    blocks = {"mail": email("First", next="pause"), "pause": delay("PT1H", "more"), "more": email("Second")}
    await running(sandbox, blocks)
    data = {"recipient": "wile@example.com", "from_address": "shop@example.com", "reply_to": "help@example.com"}
    await sandbox.track("7", "order", data)
    await sandbox.track("7", "order")
    await sandbox.advance("PT2H")
    found = [
        (mail["to"], mail["rendered"]["fields"]["subject"], mail["rendered"]["fields"]["from"])
        for mail in await sandbox.mailbox(to="wile@example.com")
    ]
    assert [(to, subject) for to, subject, _ in found] == [
        (["wile@example.com"], "First"),
        (["wile@example.com"], "Second"),
    ]
    assert all("shop@example.com" in sender for _, _, sender in found)
    assert await subjects(sandbox, to="ann@example.com") == ["First", "Second"]


async def test_cmp_32_a_mail_that_cannot_be_rendered_fails_and_holds_nobody(sandbox: Workspace):
    blocks = {"mail": email("Hi {{ event.name.first }}", next="other"), "other": email("Other")}
    await running(sandbox, blocks)
    await sandbox.track("7", "order")
    await sandbox.settle()
    journey = await only_journey(sandbox)
    assert ended(journey) == ("finished", "completed", START)
    assert walked(journey) == [("mail", "failed"), ("other", "done")]
    (failed, _) = journey["steps"]
    message = (await sandbox.get(f"/v1/messages/{failed['delivery_id']}"))["message"]
    assert (message["status"], message["failure_message"]) == ("failed", failed["explanation"])
    assert "name" in failed["explanation"]
    assert await mails(sandbox) == [(START, "Other")]


async def test_cmp_32_nobody_to_send_to(sandbox: Workspace):
    await running(sandbox, {"mail": email("Hello")})
    await sandbox.track("8", "order")
    await sandbox.settle()
    assert walked(await only_journey(sandbox)) == [("mail", "failed")]
    assert await mails(sandbox) == []


async def test_cmp_32_retries_follow_the_clock_and_the_journey_does_not_wait(sandbox: Workspace):
    await running(
        sandbox, {"mail": email("Hello", next="pause"), "pause": delay("PT1M", "more"), "more": email("More")}
    )
    rule = {"channel": "email", "to": "ann@example.com", "outcome": "timeout", "times": 3}
    await sandbox.call("PUT", "/v1/mailbox/faults", {"faults": [rule]})
    await sandbox.track("7", "order")
    await sandbox.settle()
    (message,) = await messages(sandbox)
    assert (message["status"], await mails(sandbox)) == ("attempted", [])
    assert (await only_journey(sandbox))["position"]["block"] == "pause"
    report = await sandbox.advance("P1D")
    assert report["fired"]["delivery_retry"] >= 2
    for found in await messages(sandbox):
        assert (found["status"], "sent" in found["metrics"]) == ("delivered", True)
    kept = await sandbox.mailbox(include="refused")
    outcomes = [mail["outcome"] for mail in kept]
    assert (outcomes.count("accepted"), len(outcomes)) == (2, 5)
    attempts = (await sandbox.get(f"/v1/messages/{message['id']}/attempts"))["attempts"]
    assert [attempt["at"] for attempt in attempts] == sorted({attempt["at"] for attempt in attempts})
    assert [attempt["outcome"] for attempt in attempts][-1] == "accepted"


async def test_cmp_32_a_server_that_never_answers_fails_in_the_end(sandbox: Workspace):
    await running(sandbox, {"mail": email("Hello")})
    rule = {"channel": "email", "outcome": "timeout"}
    await sandbox.call("PUT", "/v1/mailbox/faults", {"faults": [rule]})
    await sandbox.track("7", "order")
    await sandbox.advance("P2D")
    (message,) = await messages(sandbox)
    assert message["status"] == "failed"
    attempts = (await sandbox.get(f"/v1/messages/{message['id']}/attempts"))["attempts"]
    assert len(attempts) == 12
    assert START + HOUR / 2 < attempts[-1]["at"] < START + 2 * HOUR


async def test_cmp_29_whether_somebody_is_subscribed_is_asked_when_it_is_sent(sandbox: Workspace):
    await running(sandbox, {"pause": delay("PT1H", "mail"), "mail": email("Hello")}, "pause")
    await sandbox.track("7", "order")
    await sandbox.settle()
    await sandbox.identify("7", unsubscribed=True)
    await sandbox.advance("PT1H")
    (message,) = await messages(sandbox)
    assert (message["status"], message["failure_message"]) == ("undeliverable", "Customer is unsubscribed")
    await sandbox.identify("7", unsubscribed="")
    await sandbox.track("7", "order")
    await sandbox.advance("PT1H")
    assert await mails(sandbox) == [(START + 2 * HOUR, "Hello")]


@pytest.mark.parametrize("way", ["page", "one-click", "api"])
async def test_sub_09_the_unsubscribe_link(sandbox: Workspace, way: str):
    await running(sandbox, {"mail": email("Hello {{ event.n }}", "<p>Hi</p>{% unsubscribe %}")})
    await sandbox.track("7", "order", {"n": 1})
    await sandbox.settle()
    (mail,) = await sandbox.mailbox()
    link = re.search(r'href="([^"]+/unsubscribe/[^"]+)"', mail["rendered"]["html"])
    assert link is not None
    page = await sandbox.client.get(link[1])
    assert page.status_code == 200
    await sandbox.settle()
    assert not (await person(sandbox, "7"))["unsubscribed"]
    if way == "api":
        answer = await sandbox.client.post(link[1], json={"unsubscribe": True})
    elif way == "one-click":
        answer = await sandbox.client.post(link[1], data={"List-Unsubscribe": "One-Click"})
    else:
        form = dict(re.findall(r'name="([^"]+)"[^>]*value="([^"]*)"', page.text))
        answer = await sandbox.client.post(link[1], data=form)
    assert answer.status_code == 200, answer.text
    await sandbox.settle()
    assert (await person(sandbox, "7"))["unsubscribed"]
    assert await activities(sandbox, "7", "attribute_change")
    await sandbox.track("7", "order", {"n": 2})
    await sandbox.settle()
    assert await subjects(sandbox) == ["Hello 1"]
