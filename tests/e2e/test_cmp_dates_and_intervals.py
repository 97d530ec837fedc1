"""Entry by dates, at fixed intervals, and by filters that come true later, with what is sent (CMP-05, CMP-13, CMP-14, CMP-34)."""

from __future__ import annotations

from tests.e2e.conftest import Begin
from tests.support.live import campaign, email, on_event, on_match
from tests.support.moments import attribute, delay, mails, only_journey, segment, utc


async def test_cmp_case_17_a_later_day_begins_when_the_journey_has_ended(begin: Begin):
    workspace = await begin("2026-10-01T00:00")
    trigger = {"type": "date", "field": "due", "recurrence": "monthly", "at": "09:00", "timezone": "UTC"}
    await workspace.define(campaign("due", trigger, "pause", {"pause": delay("P7D", "mail"), "mail": email("Due")}))
    await workspace.start("due")
    await workspace.identify("7", email="ann@example.com", due="2020-01-05")
    await workspace.advance(to=utc("2026-10-06T00:00"))
    await workspace.identify("7", due="2020-01-10")
    await workspace.advance(to=utc("2026-10-20T00:00"))
    assert [journey["started_at"] for journey in await workspace.journeys()] == [
        utc("2026-10-05T09:00"),
        utc("2026-10-12T09:00"),
    ]
    assert await mails(workspace) == [(utc("2026-10-12T09:00"), "Due"), (utc("2026-10-19T09:00"), "Due")]


async def test_a_message_every_seven_days(begin: Begin):
    workspace = await begin("2026-03-01T10:00")
    frequency = {"mode": "interval", "interval": "P7D"}
    document = campaign(
        "digest", on_match(attribute("plan", "pro")), "mail", {"mail": email("Digest")}, frequency=frequency
    )
    await workspace.define(document)
    await workspace.start("digest")
    await workspace.identify("7", email="ann@example.com", plan="pro")
    await workspace.advance("P15D")
    await workspace.identify("7", plan="free")
    await workspace.advance("P14D")
    assert [at for at, _ in await mails(workspace)] == [utc(f"2026-03-{day}T10:00") for day in ("01", "08", "15")]


async def test_cmp_case_10_a_filter_met_within_30_minutes(begin: Begin):
    workspace = await begin("2026-03-10T12:00")
    vip = segment("vip", attribute("vip", "yes"))
    blocks = {"mail": email("Order {{ event.n }}")}
    await workspace.define(vip, campaign("filtered", on_event("order"), "mail", blocks, filters={"segment": "vip"}))
    await workspace.start("filtered")
    await workspace.identify("7", email="ann@example.com")
    await workspace.track("7", "order", {"n": 1})
    await workspace.advance("PT25M")
    answer = await workspace.get("/v1/campaigns/filtered/explain", customer="7")
    assert (answer["entered"], answer["checks"][-1]["check"]) == (False, "filters")
    await workspace.identify("7", vip="yes")
    await workspace.settle()
    assert (await only_journey(workspace))["started_at"] == utc("2026-03-10T12:25")
    assert await mails(workspace) == [(utc("2026-03-10T12:25"), "Order 1")]


async def test_what_became_of_each_message(begin: Begin):
    workspace = await begin("2026-03-10T12:00")
    blocks = {
        "skipped": email("A", conditions=attribute("plan", "pro"), next="draft"),
        "draft": email("B", sending_state="draft", next="off"),
        "off": email("C", sending_state="off", next="sent"),
        "sent": email("D", next="pause"),
        "pause": delay("P1D", "later"),
        "later": email("E"),
    }
    await workspace.define(campaign("told", on_event("order"), "skipped", blocks))
    await workspace.start("told")
    await workspace.identify("7", email="ann@example.com")
    await workspace.track("7", "order")
    await workspace.settle()
    answer = await workspace.get("/v1/campaigns/told/explain", customer="ann@example.com", id_type="email")
    assert answer["entered"]
    (journey,) = answer["journeys"]
    told = [(message["block"], message["outcome"], message["status"]) for message in journey["messages"]]
    assert told == [
        ("skipped", "skipped", None),
        ("draft", "drafted", "drafted"),
        ("off", "skipped", None),
        ("sent", "done", "delivered"),
        ("later", "not_reached", None),
    ]
    assert all(message["explanation"] for message in journey["messages"] if message["block"] != "sent")
    await workspace.call("GET", "/v1/campaigns/none/explain?customer=7", status=404)
    await workspace.call("GET", "/v1/campaigns/told/explain?customer=8", status=404)
    await workspace.call("GET", "/v1/campaigns/told/explain?customer=7&occurrence=none", status=404)
    await workspace.call("GET", "/v1/campaigns/told/explain", status=400)
