"""Messages on all channels, A/B tests and holdouts in the whole stack (ACT-17 to ACT-19, CMP-27, CMP-29)."""

from __future__ import annotations

from typing import Any

from tests.support.live import SENDER, Workspace, campaign, email, on_event
from tests.support.moments import messages, only_journey, walked

CHANNELS: dict[str, dict[str, Any]] = {
    "sms": {"body": "Hi {{ customer.first_name }}", "from": "+15550000000"},
    "push": {"title": "Hi", "message": "{{ event.what }}"},
    "in_app": {"body": "<p>{{ event.what }}</p>"},
    "inbox": {"properties": {"title": "{{ event.what }}"}},
    "whatsapp": {"template": {"name": "news", "variables": {"1": "{{ event.what }}"}}},
    "line": {"text": "{{ event.what }}"},
}
ANN = {"email": "ann@example.com", "first_name": "Ann", "phone": "+15551230001", "line_id": "U1"}


async def running(workspace: Workspace, blocks: dict[str, Any], **fields: Any) -> None:
    """A running campaign on an order, and somebody who can be reached everywhere."""
    await workspace.define(SENDER, campaign("drip", on_event("order"), next(iter(blocks)), blocks, **fields))
    await workspace.start("drip")
    await workspace.identify("7", **ANN)


async def test_a_journey_through_every_channel(sandbox: Workspace):
    kinds = list(CHANNELS)
    blocks = {
        kind: {"type": kind, "sending_state": "automatic", "message": CHANNELS[kind], "next": following}
        for kind, following in zip(kinds, [*kinds[1:], None], strict=True)
    }
    await running(sandbox, blocks)
    await sandbox.track("7", "order", {"what": "news"})
    await sandbox.settle()
    assert walked(await only_journey(sandbox)) == [(kind, "done") for kind in kinds]
    found = {mail["channel"]: mail for mail in await sandbox.mailbox()}
    assert {channel: mail["to"] for channel, mail in found.items()} == {
        "sms": ["+15551230001"],
        "push": ["7"],
        "in_app": ["7"],
        "inbox": ["7"],
        "whatsapp": ["+15551230001"],
        "line": ["U1"],
    }
    assert {mail["block"] for mail in found.values()} == set(kinds)
    assert (found["sms"]["from"], found["sms"]["rendered"]["text"]) == ("+15550000000", "Hi Ann")
    assert found["inbox"]["rendered"]["payload"] == {"title": "news"}
    types = {message["type"]: message["status"] for message in await messages(sandbox)}
    assert types == dict.fromkeys(("twilio", "push", "inbox", "whatsapp", "line"), "delivered") | {"in_app": "sent"}
    (texts,) = await messages(sandbox, type="twilio")
    assert texts["block"] == "sms"


async def test_act_case_25_a_holdout_arm_gets_nothing_and_converts(sandbox: Workspace):
    test = {"percent": 20, "holdout": True}
    after = {"type": "sms", "sending_state": "automatic", "conditions": {"cohort": {"block": "mail", "path": "b"}},
             "message": CHANNELS["sms"]}  # fmt: skip
    # The text comes an hour later, so that it is no message to which the purchase could be credited.
    pause = {"type": "time_delay", "duration": "PT1H", "next": "text"}
    blocks = {"mail": email("A", ab_test=test, next="pause"), "pause": pause, "text": after}
    fields = {"goal": {"event": "bought", "of": "sent", "within": "P1D"}, "frequency": {"mode": "every"}}
    await running(sandbox, blocks, **fields)
    for number in range(40):
        await sandbox.identify(f"p{number}", **{**ANN, "email": f"p{number}@example.com"})
        await sandbox.track(f"p{number}", "order")
    await sandbox.settle()
    made = await messages(sandbox, type="email", limit=100)
    held = {message["customer_id"] for message in made if message["variant"] == "b"}
    assert 0 < len(held) < 20
    assert {(message["variant"], message["status"]) for message in made} == {("a", "delivered"), ("b", "holdout")}
    mails = await sandbox.mailbox(channel="email", limit=100)
    assert {mail["customer_identifiers"]["id"] for mail in mails} == {m["customer_id"] for m in made} - held
    one = min(held)
    (journey,) = await sandbox.journeys(customer=one)
    first = (await sandbox.journey(journey["id"]))["steps"][0]
    assert (first["outcome"], first["path"], first["split_test_index"]) == ("done", "b", 1)
    await sandbox.track(one, "bought")
    await sandbox.settle()
    (message,) = await messages(sandbox, type="email", customer=one)
    assert (message["status"], "converted" in message["metrics"]) == ("holdout", True)
    (metric,) = (await sandbox.get("/v1/campaigns/drip/blocks/mail/ab_test"))["metrics"]
    assert (metric["original"], metric["variation"]) == (
        {"total": 40 - len(held), "count": 0},
        {"total": len(held), "count": 1},
    )
    await sandbox.advance("PT1H")
    texts = await sandbox.mailbox(channel="sms", limit=100)
    assert {mail["customer_identifiers"]["id"] for mail in texts} == held, "later blocks see the arm"
    refused = await sandbox.call("POST", "/v1/campaigns/drip/blocks/mail/winner", {"variant": "b"}, status=422)
    assert refused["errors"][0]["pointer"] == "/workflow/blocks/text/conditions/cohort/block", (
        "somebody asks for the arm"
    )
    del after["conditions"]
    await sandbox.define(campaign("drip", on_event("order"), "mail", blocks, **fields))
    status = await sandbox.call("POST", "/v1/campaigns/drip/blocks/mail/winner", {"variant": "b"})
    assert set(status["actions"]) == {"pause", "text"}


async def test_act_case_25_an_arm_that_is_off_makes_no_deliveries(sandbox: Workspace):
    test = {"percent": 100, "holdout": True, "sending_state": "off"}
    await running(sandbox, {"mail": email("A", ab_test=test, next="more"), "more": email("More")})
    await sandbox.track("7", "order")
    await sandbox.settle()
    journey = await only_journey(sandbox)
    assert walked(journey) == [("mail", "skipped"), ("more", "done")]
    assert (journey["steps"][0]["path"], journey["steps"][0]["split_test_index"]) == ("b", 1)
    assert [message["block"] for message in await messages(sandbox)] == ["more"]


async def test_act_17_a_split_edited_counts_for_later_arrivals(sandbox: Workspace):
    blocks = {"mail": email("A", ab_test={"percent": 0, "message": {"subject": "B", "body": "b"}})}
    await running(sandbox, blocks, frequency={"mode": "every"})
    await sandbox.track("7", "order")
    await sandbox.settle()
    blocks["mail"]["ab_test"]["percent"] = 100
    document = campaign("drip", on_event("order"), "mail", blocks, frequency={"mode": "every"})
    await sandbox.define(document)
    await sandbox.track("7", "order")
    await sandbox.settle()
    assert sorted((message["variant"], message["subject"]) for message in await messages(sandbox)) == [
        ("a", "A"),
        ("b", "B"),
    ]
