"""The catalogue's recipes, and the contract's first example, from the first call to the mail (CMP-40)."""

from __future__ import annotations

from email import message_from_string
from email.policy import default
from typing import Any

import httpx

from stack.description import StackDescription
from tests.e2e.conftest import Begin
from tests.support.live import DAY, START, Workspace, campaign, email, on_event, on_match
from tests.support.moments import (
    attribute,
    attributes,
    delay,
    ended,
    mails,
    messages,
    only_journey,
    segment,
    standing,
    subjects,
    utc,
    walked,
)
from tests.support.recipes import cooked

HOUR = 3_600
SIGNED_UP = segment("signed-up", attribute("created_at", operator="is_timestamp"))


def welcome(**mail: Any) -> dict[str, Any]:
    """Ten minutes after signing up, a welcome."""
    message = {
        "sender": "team",
        "subject": "Welcome{% if customer.first_name %}, {{ customer.first_name }}{% endif %}",
        "preheader": "Three things to try first",
        "body": '<h1>Good to have you here</h1>\n<p><a href="https://example.com/start">Start here</a></p>\n'
        "<p>{% unsubscribe %}</p>\n",
    }
    blocks = {"settle-in": delay("PT10M", "hello"), "hello": {"type": "email", "message": message, **mail}}
    return campaign("welcome", on_match({"segment": "signed-up"}), "settle-in", blocks, tags=["lifecycle"])


async def test_contract_9_the_sandbox_example(stack: StackDescription, http: httpx.AsyncClient):
    workspace = await Workspace.create(stack, http, name="t1", now=1_767_261_600)
    sender = {
        "kind": "sender",
        "key": "team",
        "name": "The Example team",
        "email": "hello@example.com",
        "default": True,
    }
    bundle = {"definitions": [welcome(sending_state="automatic"), SIGNED_UP, sender]}
    answer = await workspace.call("PUT", "/v1/definitions", bundle)
    assert [change["action"] for change in answer["changes"]] == ["create"] * 3
    started = await workspace.call("POST", "/v1/campaigns/welcome/start")
    assert (started["state"], started["problems"]) == ("starting", [])
    await workspace.identify("7", email="ann@example.com", created_at=1_767_261_600)
    await workspace.call("POST", "/v1/clock/settle")
    assert await workspace.mailbox() == []
    await workspace.call("POST", "/v1/clock/advance", {"by": "PT10M"})
    (mail,) = await workspace.mailbox(to="ann@example.com")
    assert mail["at"] == 1_767_262_200
    assert (mail["outcome"], mail["from"]) == ("accepted", '"The Example team" <hello@example.com>')

    raw = await workspace.request("GET", f"/v1/mailbox/{mail['id']}/raw")
    assert raw.headers["content-type"].startswith("message/rfc822")
    message = message_from_string(raw.text, policy=default)
    assert (message["To"], message["Subject"]) == ("ann@example.com", "Welcome")
    assert message["Date"].datetime.timestamp() == 1_767_262_200
    assert [part.get_content_type() for part in message.walk()] == [
        "multipart/alternative",
        "text/plain",
        "text/html",
    ]
    html = message.get_body(("html",)).get_content()
    link = html.partition("/unsubscribe/")[2].partition('"')[0]
    assert link.split("?")[0].split("/")[0]
    assert "Three things to try first" in html


async def test_cmp_40_welcome(sandbox: Workspace):
    await sandbox.identify("old", email="old@example.com", created_at=START - DAY)
    await cooked(sandbox, "welcome")
    await sandbox.identify("7", email="ann@example.com", created_at=START, first_name="Ann")
    await sandbox.advance("P1D")
    assert await mails(sandbox) == [(START + 600, "Welcome, Ann")]
    assert [journey["customer_identifiers"]["id"] for journey in await sandbox.journeys()] == ["7"]


async def test_cmp_40_welcome_left_on_the_default_is_a_draft(sandbox: Workspace):
    await sandbox.define(SIGNED_UP, welcome())
    await sandbox.start("welcome")
    await sandbox.identify("7", email="ann@example.com", created_at=START)
    await sandbox.advance("P1D")
    assert await mails(sandbox) == []
    assert [(draft["subject"], draft["created"]) for draft in await messages(sandbox, drafts=True)] == [
        ("Welcome", START + 600)
    ]
    assert walked(await only_journey(sandbox)) == [("settle-in", "done"), ("hello", "drafted")]


CART = {
    "currency": "usd",
    "added": {"product": "x", "qty": 2, "price": 19.99},
    "already_in_cart": [{"product": "socks", "qty": 2, "price": 23.45}],
}


async def test_cmp_40_a_cart_left_alone(begin: Begin):
    workspace = await begin("2026-03-10T12:00")
    await cooked(workspace, "cart")
    await workspace.identify("7", email="ann@example.com")
    await workspace.track("7", "cart_updated", CART)
    await workspace.settle()
    assert standing(await only_journey(workspace)) == ("hold", utc("2026-03-10T12:00"), utc("2026-03-10T12:45"))
    await workspace.advance("PT1H")
    (mail,) = await workspace.mailbox()
    assert (mail["at"], mail["rendered"]["fields"]["subject"]) == (utc("2026-03-10T12:45"), "Your cart is waiting")
    assert "<p>You added 2 x x.</p>\n<p>socks x 2</p>" in mail["rendered"]["html"]
    (hold, _) = (await only_journey(workspace))["steps"]
    assert (hold["path"], hold["branch_index"], hold["left_at"]) == ("silent", 2, utc("2026-03-10T12:45"))


async def test_cmp_40_a_second_change_of_the_cart_takes_over(begin: Begin):
    workspace = await begin("2026-03-10T12:00")
    await cooked(workspace, "cart")
    await workspace.identify("7", email="ann@example.com")
    await workspace.track("7", "cart_updated", CART)
    await workspace.advance("PT30M")
    await workspace.track("7", "cart_updated", CART)
    await workspace.settle()
    first, second = await workspace.journeys()
    assert ended(first) == ("finished", "exit_block", utc("2026-03-10T12:30"))
    assert first["explanation"] == "Reached the exit block 'A newer cart took over'."
    assert await workspace.steps(first["id"]) == [("hold", "branched"), ("superseded", "exited")]
    assert standing(second) == ("hold", utc("2026-03-10T12:30"), utc("2026-03-10T13:15"))
    await workspace.advance("PT2H")
    assert await mails(workspace) == [(utc("2026-03-10T13:15"), "Your cart is waiting")]


async def test_cmp_40_a_cart_at_one_instant_keeps_only_the_last(sandbox: Workspace):
    await cooked(sandbox, "cart")
    await sandbox.identify("7", email="ann@example.com")
    for _ in range(3):
        await sandbox.track("7", "cart_updated", CART)
    await sandbox.settle()
    assert [journey["reason"] for journey in await sandbox.journeys()] == ["exit_block", "exit_block", None]
    await sandbox.advance("PT1H")
    assert await mails(sandbox) == [(START + 2_700, "Your cart is waiting")]


async def test_cmp_40_a_cart_that_is_bought(begin: Begin):
    workspace = await begin("2026-03-10T12:00")
    await cooked(workspace, "cart")
    await workspace.identify("7", email="ann@example.com")
    await workspace.track("7", "cart_updated", CART)
    await workspace.advance("PT20M")
    await workspace.track("7", "purchase")
    await workspace.advance("PT2H")
    journey = await only_journey(workspace)
    assert ended(journey) == ("finished", "exit_block", utc("2026-03-10T12:20"))
    assert journey["explanation"] == "Reached the exit block 'Purchased'."
    assert await mails(workspace) == []


async def test_cmp_40_a_cart_kept_as_an_attribute(begin: Begin):
    workspace = await begin("2026-03-10T12:00")
    body = "{% for item in customer.cart %}{{ item.item_name }} - {{ item.item_price }}{% endfor %}"
    blocks = {"hold": delay("PT45M", "reminder"), "reminder": email("You left something behind", body)}
    await workspace.define(
        segment("cart-not-empty", attribute("cart", operator="exists")),
        campaign("cart", on_match({"segment": "cart-not-empty"}), "hold", blocks, frequency={"mode": "every"}),
    )
    await workspace.start("cart")
    items = [{"item_name": "Hat", "item_price": 22}, {"item_name": "Scarf", "item_price": 11}]
    await workspace.identify("7", email="ann@example.com", cart=items)
    await workspace.advance("PT30M")
    await workspace.identify("7", cart="")
    await workspace.settle()
    assert ended(await only_journey(workspace)) == ("exited_early", "trigger", utc("2026-03-10T12:30"))
    await workspace.identify("7", cart=items)
    await workspace.advance("PT1H")
    (mail,) = await workspace.mailbox()
    assert mail["at"] == utc("2026-03-10T13:15")
    assert "Hat - 22Scarf - 11" in mail["rendered"]["html"]


async def test_cmp_40_onboarding_with_weekend_mornings(begin: Begin):
    workspace = await begin("2026-03-10T12:00")  # a Tuesday
    weekend = {"days": ["sat", "sun"], "hours": [{"from": "08:00", "to": "12:00"}], "timezone": "America/New_York"}
    blocks = {
        "first": email("Fill in your profile", message={"layout": "plain"}, next="a-day"),
        "a-day": delay("P1D", "second"),
        "second": email("Why a profile helps", message={"layout": "plain"}, next="weekend"),
        "weekend": {"type": "time_window", "use_customer_timezone": True, "next": "third", **weekend},
        "third": email("A weekend read", message={"layout": "plain"}),
    }
    await workspace.define(
        SIGNED_UP,
        segment("profile-filled", attribute("profile_percentage", 95, "gte")),
        {
            "kind": "layout",
            "key": "plain",
            "name": "Plain",
            "body": "<html><body>{{ content }}<p>{% unsubscribe %}</p></body></html>",
        },
        campaign(
            "onboarding",
            on_match({"segment": "signed-up"}),
            "first",
            blocks,
            goal={"enters_segment": "profile-filled", "within": "P7D", "of": "sent"},
            exit="goal",
        ),
    )
    await workspace.start("onboarding")
    await workspace.identify("quick", email="quick@example.com", created_at=utc("2026-03-10T12:00"))
    await workspace.identify("slow", email="slow@example.com", created_at=1, timezone="Europe/Rome")
    await workspace.identify("slow", created_at=utc("2026-03-10T12:00"))
    await workspace.advance("PT6H")
    await workspace.identify("quick", profile_percentage=100)
    await workspace.advance(to=utc("2026-03-16T00:00"))
    assert await mails(workspace, to="quick@example.com") == [(utc("2026-03-10T12:00"), "Fill in your profile")]
    assert await mails(workspace, to="slow@example.com") == [
        (utc("2026-03-10T12:00"), "Fill in your profile"),
        (utc("2026-03-11T12:00"), "Why a profile helps"),
        (utc("2026-03-14T07:00"), "A weekend read"),
    ]
    (quick,) = await workspace.journeys(customer="quick")
    assert ended(quick) == ("exited_early", "goal", utc("2026-03-10T18:00"))
    assert quick["converted_at"] == utc("2026-03-10T18:00")


async def test_cmp_40_trial_reminders(begin: Begin):
    workspace = await begin("2016-10-01T00:00")
    expires = 1_476_350_359
    await cooked(workspace, "trial")
    for name in ("stays", "upgrades"):
        await workspace.identify(name, email=f"{name}@example.com", plan="free", trial_expires=expires)
    await workspace.advance(to=utc("2016-10-10T00:00"))
    await workspace.identify("upgrades", plan="pro")
    await workspace.advance(to=utc("2016-10-20T00:00"))
    entry = utc("2016-10-06T09:19:20")  # strictly before seven days from now, one second after the week begins
    assert await mails(workspace, to="stays@example.com") == [
        (entry, "One week left"),
        (entry + 6 * DAY, "Last day"),
        (entry + 7 * DAY, "Your trial has ended"),
    ]
    assert await mails(workspace, to="upgrades@example.com") == [(entry, "One week left")]
    (upgraded,) = await workspace.journeys(customer="upgrades")
    assert ended(upgraded) == ("exited_early", "trigger", utc("2016-10-10T00:00"))
    (mail,) = await messages(workspace, customer="upgrades")
    assert mail["metrics"]["converted"] == upgraded["converted_at"] == utc("2016-10-10T00:00")


async def trips(workspace: Workspace, booked: tuple[str, ...], with_hotel: tuple[str, ...]) -> None:
    """Trips, and those for which a hotel is booked, ten days later."""
    known = "{% if customer.trips %}{{ customer.trips }},{{ event.trip_id }}{% else %}{{ event.trip_id }}{% endif %}"
    less = (
        '{% assign ids = customer.trips | split: "," %}{% capture left %}{% for id in ids %}'
        "{% unless id == event.trip_id %}{{ id }},{% endunless %}{% endfor %}{% endcapture %}"
        '{% assign n = left | size | minus: 1 %}{% if n > 0 %}"{{ left | slice: 0, n }}"{% endif %}'
    )
    remember = {"remember": {"type": "update_person", "set": {"trips": {"liquid": '"' + known + '"'}}}}
    blocks = {
        "ten-days": delay("P10D", "has-hotel"),
        "has-hotel": {
            "type": "true_false",
            "conditions": attribute("trips", {"from": "event.trip_id"}, "contains"),
            "then": "forget",
            "else": "remind",
        },
        "forget": {"type": "update_person", "set": {"trips": {"liquid": less}}},
        "remind": email("Still no hotel for trip {{ event.trip_id }}?"),
    }
    await workspace.define(
        campaign("hotel-booked", on_event("hotel_booked"), "remember", remember, exit="never"),
        campaign("trip-booked", on_event("trip_booked"), "ten-days", blocks, exit="never"),
    )
    await workspace.start("hotel-booked")
    await workspace.start("trip-booked")
    await workspace.identify("7", email="ann@example.com")
    for trip in booked:
        await workspace.track("7", "trip_booked", {"trip_id": trip})
    for trip in with_hotel:
        await workspace.track("7", "hotel_booked", {"trip_id": trip})
        await workspace.settle()
    assert (await attributes(workspace, "7"))["trips"] == ",".join(with_hotel)
    await workspace.advance("P10D")


async def test_cmp_40_several_trips(sandbox: Workspace):
    await trips(sandbox, ("123", "456", "789"), ("123", "456"))
    assert await mails(sandbox) == [(START + 10 * DAY, "Still no hotel for trip 789?")]
    assert "trips" not in await attributes(sandbox, "7")
    ends = [await sandbox.steps(journey["id"]) for journey in await sandbox.journeys(campaign="trip-booked")]
    assert sorted(step[-1][0] for step in ends) == ["forget", "forget", "remind"]


async def test_cmp_40_several_trips_of_which_one_is_taken_off_the_list(sandbox: Workspace):
    await trips(sandbox, ("123",), ("123", "456"))
    assert (await attributes(sandbox, "7"))["trips"] == "456"
    assert await mails(sandbox) == []


async def test_cmp_40_several_trips_whose_ids_contain_each_other(sandbox: Workspace):
    await trips(sandbox, ("12",), ("123",))
    # `contains` finds 12 in 123; nothing is taken off, for the cleanup compares whole ids.
    assert (await attributes(sandbox, "7"))["trips"] == "123"
    assert await mails(sandbox) == []


async def test_cmp_40_a_receipt_for_everyone_and_a_follow_up(sandbox: Workspace):
    blocks = {
        "count": {
            "type": "update_person",
            "set": {
                "orders": {"liquid": "{{ customer.orders | default: 0 | plus: 1 }}"},
                "last_product": {"from": "event.product"},
            },
            "next": "receipt",
        },
        "receipt": email(
            "Your receipt for {{ event.product }}", "<p>{{ event.product }}: {{ event.price }}</p>", next="first"
        ),
        "first": {"type": "true_false", "conditions": attribute("orders", 1), "then": "mark", "join": "wait"},
        "mark": {"type": "update_person", "set": {"welcome_series": "start"}},
        "wait": delay("P3D", "feedback"),
        "feedback": email("How is your {{ event.product }}?", subscription="subscribed"),
    }
    series = {"hello": email("A series for {{ customer.last_product }}", subscription="everyone")}
    await sandbox.define(
        campaign("receipt", on_event("purchase"), "count", blocks, subscription="everyone", exit="never"),
        campaign("series", on_match(attribute("welcome_series", "start")), "hello", series),
    )
    await sandbox.start("receipt")
    await sandbox.start("series")
    await sandbox.identify("7", email="ann@example.com", unsubscribed=True)
    form = {"name": "purchase", "data[price]": "13.45", "data[product]": "socks"}
    for _ in range(2):
        answer = await sandbox.client.post("/api/v1/customers/7/events", data=form, headers=sandbox.track_auth)
        assert answer.status_code == 200
        await sandbox.settle()
    await sandbox.advance("P4D")
    assert sorted(await subjects(sandbox)) == ["A series for socks", "Your receipt for socks", "Your receipt for socks"]
    assert (await attributes(sandbox, "7"))["orders"] == "2"
    first, second = [await sandbox.steps(journey["id"]) for journey in await sandbox.journeys(campaign="receipt")]
    assert ("mark", "done") in first
    assert ("mark", "done") not in second
    assert first[-1] == second[-1] == ("feedback", "skipped")


async def test_cmp_40_a_password_reset_is_confirmed(sandbox: Workspace):
    blocks = {
        "reset": email("Reset your password", "<p>{{ event.url }}</p>", next="hold"),
        "hold": {
            "type": "wait_until",
            "paths": [
                {
                    "key": "changed",
                    "conditions": {"performed": {"event": "password-changed", "since": "wait_start"}},
                    "next": "confirm",
                },
                {"key": "late", "max_time": "PT1H"},
            ],
        },
        "confirm": email("Your password was changed"),
    }
    await sandbox.define(campaign("reset", on_event("password_reset"), "reset", blocks, subscription="everyone"))
    await sandbox.start("reset")
    await sandbox.identify("7", email="ann@example.com", unsubscribed="1")
    await sandbox.track("7", "password-changed")
    await sandbox.track("7", "password_reset", {"url": "https://example.com/reset?a=1&b=2"})
    await sandbox.settle()
    assert await subjects(sandbox) == ["Reset your password"]
    await sandbox.track("7", "password-changed")
    await sandbox.settle()
    assert await mails(sandbox) == [(START, "Reset your password"), (START, "Your password was changed")]
