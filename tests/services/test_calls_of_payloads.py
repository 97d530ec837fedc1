"""Calls and Slack messages of journeys in which nobody travels, and of sandboxes that let calls pass (ACT-29, ACT-35)."""

from __future__ import annotations

from typing import Any

from clock import system_now
from services import campaigns
from tests.services.test_webhook_campaigns import call as receive
from tests.services.test_webhooks import answer, begin, campaign, status, told, webhook
from tests.services.test_webhooks_live import SLACK, allowing, endpoint, http
from tests.support.database import Room
from tests.support.walking import Walk


async def started(room: Room, blocks: dict[str, Any]) -> Walk:
    await room.define(
        {
            "kind": "campaign",
            "key": "calls",
            "name": "Calls",
            "trigger": {"type": "webhook"},
            "workflow": {"start": next(iter(blocks)), "blocks": blocks},
        }
    )
    await campaigns.start(room.db, room.workspace_id, "calls", None, system_now())
    return Walk(room)


async def test_a_payload_calls_waits_and_keeps_the_answer(room: Room) -> None:
    ask = webhook("https://api.example.com/{{ trigger.city }}", request={"body": "{{ customer.city }}"})
    ask |= {"response": {"journey": {"weather": "response.weather"}}, "next": "tell"}
    walk = await started(room, {"ask": ask, "tell": told("{{ trigger.city }}: {{ journey.weather }}")})
    await walk.faults(status(500, times=1), answer({"weather": "rainy"}))
    await receive(room, {"city": "Oslo"})
    await room.apply()
    await walk.go()
    (journey,) = await room.journeys()
    assert (journey["person_id"], journey["block"], journey["state"]) == (0, "ask", "in_progress")
    await walk.next()
    (journey,) = await room.journeys()
    assert (journey["state"], journey["attributes"]) == ("finished", {})
    posted = (await walk.mailbox())[-1]
    assert (posted["channel"], posted["to"], posted["rendered"]["payload"]["text"]) == (
        "slack",
        ["#ops"],
        "Oslo: rainy",
    )
    assert {
        row["person_id"] for row in await room.rows("SELECT person_id FROM deliveries WHERE workspace_id = $1")
    } == {None}
    await walk.close()


async def test_a_payload_moves_on_when_all_fail(room: Room) -> None:
    ask = webhook("https://api.example.com/", wait=True, request={"body": ""}) | {"next": "tell"}
    walk = await started(room, {"ask": ask, "tell": told("over")})
    await walk.faults({"channel": "webhook", "outcome": "timeout"})
    await receive(room, {})
    await room.apply()
    await walk.go()
    while await walk.due():
        await walk.next()
    assert (await room.journeys())[0]["state"] == "finished"
    assert ((await walk.delivery("ask"))["attempts"], (await walk.delivery("tell"))["status"]) == (12, "sent")
    await walk.close()


async def test_slack_says_nothing_to_nobody(room: Room) -> None:
    walk = await started(room, {"tell": {"type": "slack", "sending_state": "automatic", "message": {"text": "Hi"}}})
    await receive(room, {})
    await room.apply()
    await walk.go()
    delivery = await walk.delivery("tell")
    assert (delivery["status"], delivery["failure_message"]) == (
        "failed",
        "There is no channel to post to (in channel)",
    )
    await walk.close()


async def test_slack_in_a_sandbox_answers_as_rules_say(room: Room) -> None:
    walk = Walk(room)
    rule = {"channel": "slack", "outcome": "answer", "to": "#OPS", "body": {"ok": False, "error": "not_in_channel"}}
    await walk.faults(rule)
    await begin(walk, campaign(told("a") | {"next": "after"}, after=told("b")))
    assert [(await walk.delivery(key))["failure_message"] for key in ("call", "after")] == ["not_in_channel"] * 2
    await walk.close()


async def test_a_rule_lets_calls_really_pass(room: Room) -> None:
    async with endpoint(http(body=b'{"weather":"real"}'), http(body=b'{"ok":true}')) as there:
        walk = Walk(room)
        await walk.faults(
            {"channel": "webhook", "outcome": "pass_through", "url": there.url},
        )
        # The rule also lets the address be named.
        await begin(
            walk, campaign(webhook(there.url, response={"journey": {"weather": "response.weather"}}), after=told())
        )
        assert len(there.asked) == 1
        assert (await walk.mailbox())[-1]["rendered"]["payload"]["text"] == "real"
        await walk.close()


async def test_the_url_of_a_private_network_is_saved_where_the_deployment_allows_it(room: Room) -> None:
    with allowing():
        await room.define(SLACK, campaign(webhook("http://10.0.0.1/x")))
