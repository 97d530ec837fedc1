"""Data blocks on the whole stack: Liquid in journey attributes, scripts, events that start campaigns (ACT-21 to 25)."""

from __future__ import annotations

from tests.support.live import SENDER, Workspace, campaign, email, on_event
from tests.support.moments import activities, attributes, subjects
from tests.support.outside import called, captured, running

BODY = "Hello {{customer.first_name}}!"


async def test_act_case_30_liquid_in_a_journey_attribute_is_rendered_on_demand(sandbox: Workspace):
    blocks = {
        "set": {"type": "set_journey_attributes", "set": {"body": {"static": BODY}}, "next": "plain"},
        "plain": email("{{ journey.body }}", next="rendered"),
        "rendered": email("{% render_liquid journey.body %}", next="missing"),
        "missing": email("{% render_liquid journey.nothing %}"),
    }
    await sandbox.define(SENDER, campaign("c", on_event("go"), "set", blocks))
    await sandbox.start("c")
    await sandbox.identify("7", email="alex@example.com", first_name="Alex")
    await sandbox.track("7", "go")
    await sandbox.settle()
    assert await subjects(sandbox) == [BODY, "Hello Alex!"]
    (journey,) = await sandbox.journeys()
    steps = await sandbox.steps(journey["id"])
    assert steps == [("set", "done"), ("plain", "done"), ("rendered", "done"), ("missing", "failed")]
    assert (await sandbox.journey(journey["id"]))["attributes"] == {}


async def test_an_event_to_somebody_else_starts_their_campaign_and_a_script_says_what_it_holds(sandbox: Workspace):
    invite = {
        "type": "send_event",
        "target": {"email": {"from": "event.friend"}},
        "event": "invited",
        "data": {"javascript": "return {by: customer.first_name, gifts: event.gifts.map(g => g.name).join(' and ')};"},
    }
    welcome = {"mail": email("{{ event.by }} sends {{ event.gifts }}")}
    await sandbox.define(
        SENDER,
        campaign("c", on_event("go"), "invite", {"invite": invite}),
        campaign("w", on_event("invited"), "mail", welcome),
    )
    for key in ("c", "w"):
        await sandbox.start(key)
    await sandbox.identify("7", email="alex@example.com", first_name="Alex")
    await sandbox.track("7", "go", {"friend": "new@example.com", "gifts": [{"name": "a pen"}, {"name": "a cup"}]})
    await sandbox.settle()
    (message,) = await sandbox.mailbox()
    assert message["rendered"]["fields"]["subject"] == "Alex sends a pen and a cup"
    assert message["to"] == ["new@example.com"]


PURCHASE = {
    "name": "purchase",
    "purchased_at": "Fri, 04 Feb 2022 23:49:39 GMT",
    "purchase": [{"product_name": "shoes", "price": 9.5}, {"product_name": "socks", "price": 2}],
}


async def test_act_case_26_values_of_a_call_arrive_as_what_they_are(sandbox: Workspace):
    to_event = {
        "type": "send_event",
        "target": {"id": "7"},
        "event": {"liquid": '{{ trigger.name | prepend: "online_" }}'},
        "data": {
            "at": {"liquid": '{{ trigger.purchased_at | date: "%s" }}'},
            "items": {"liquid": "{{ trigger.purchase | to_json }}"},
        },
    }
    text = "{% for one in event.items %}{{ one.product_name }} {{ one.price | plus: 1 }} {% endfor %}at {{ event.at }}"
    await sandbox.define(SENDER, campaign("c", on_event("online_purchase"), "mail", {"mail": email(text)}))
    await sandbox.start("c")
    await running(sandbox, "hook", "to-event", {"to-event": to_event})
    await sandbox.identify("7", email="alex@example.com")
    await called(sandbox, "hook", PURCHASE)
    assert await activities(sandbox, "7", "event") == [{"at": 1_644_018_579, "items": PURCHASE["purchase"]}]
    assert await subjects(sandbox) == ["shoes 10.5 socks 3 at 1644018579"]


async def test_act_case_29_a_call_has_no_customer_and_no_messages(sandbox: Workspace):
    liquid = "{% if customer.x == blank %}{{trigger.x}}{% else %}no{% endif %}"
    keep = {
        "type": "update_person",
        "target": {"email": {"from": "trigger.email"}},
        "set": {"seen": {"liquid": liquid}},
        "next": "tell",
    }
    tell = {"type": "slack", "sending_state": "automatic", "message": {"channel": "#ops", "text": liquid}}
    await sandbox.identify("7", email="a@b.co", x=9)
    await running(sandbox, "hook", "keep", {"keep": keep, "tell": tell})
    await called(sandbox, "hook", {"email": "a@b.co", "x": "1"})
    assert (await attributes(sandbox, "7"))["seen"] == "1"
    assert [posted["payload"]["text"] for posted in await captured(sandbox, "slack")] == ["1"]
    document = campaign("mails", {"type": "webhook"}, "mail", {"mail": email("Hello")})
    answer = await sandbox.call("PUT", "/v1/definitions/campaign/mails", document, status=422)
    assert [(problem["code"], problem["pointer"]) for problem in answer["errors"]] == [
        ("block_not_allowed", "/workflow/blocks/mail/type")
    ]
