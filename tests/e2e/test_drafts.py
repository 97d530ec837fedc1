"""Drafts: what waits for somebody to send it, and what becomes of it (CMP-27, CMP-28, ACT-02)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.live import DAY, START, Workspace, campaign, email, on_event
from tests.support.moments import attributes, delay, mails, messages, only_journey, subjects, walked


def drafted(subject: str, body: str = "<p>Hello {{ customer.first_name }}</p>", **fields: Any) -> dict[str, Any]:
    return email(subject, body, sending_state="draft", **fields)


async def running(workspace: Workspace, blocks: dict[str, Any], start: str = "mail", **fields: Any) -> None:
    """A running campaign on an order, and somebody with an address."""
    await workspace.define(campaign("drip", on_event("order"), start, blocks, **fields))
    await workspace.start("drip")
    await workspace.identify("7", email="ann@example.com", first_name="Ann")


async def put(workspace: Workspace, blocks: dict[str, Any], start: str = "mail", **fields: Any) -> dict[str, Any]:
    """Save the campaign anew; what that did."""
    document = campaign("drip", on_event("order"), start, blocks, **fields)
    answer = await workspace.call("PUT", "/v1/definitions/campaign/drip", document)
    await workspace.settle()
    return answer["change"]


async def order(workspace: Workspace, who: str = "7", **data: Any) -> None:
    await workspace.track(who, "order", data)
    await workspace.settle()


async def the_draft(workspace: Workspace) -> dict[str, Any]:
    (draft,) = await messages(workspace, drafts=True)
    return draft


async def content(workspace: Workspace, delivery: str) -> dict[str, Any]:
    return (await workspace.get(f"/v1/messages/{delivery}/archived_message"))["archived_message"]


async def send(workspace: Workspace, delivery: str, verb: str = "send") -> dict[str, Any]:
    """Send a draft, or try a delivery again, and see what became of it."""
    answer = await workspace.call("POST", f"/v1/messages/{delivery}/{verb}")
    assert answer["message"]["id"] == delivery
    await workspace.settle()
    return (await workspace.get(f"/v1/messages/{delivery}"))["message"]


async def state(workspace: Workspace, delivery: str) -> str:
    return (await workspace.get(f"/v1/messages/{delivery}"))["message"]["status"]


async def test_a_draft_is_sent_with_what_is_so_now(sandbox: Workspace):
    await running(sandbox, {"mail": drafted("Order {{ event.n }}")})
    await order(sandbox, n=1)
    draft = await the_draft(sandbox)
    assert (draft["status"], draft["draft"], draft["subject"]) == ("drafted", True, "Order 1")
    assert (await sandbox.get("/v1/definitions/campaign/drip"))["status"]["drafts"] == 1
    await sandbox.identify("7", first_name="Anna")
    await sandbox.advance("P2D")
    answer = await sandbox.call("POST", f"/v1/messages/{draft['id']}/send")
    assert (answer["message"]["status"], answer["message"]["draft"]) == ("queued", False)
    await sandbox.settle()
    assert await mails(sandbox) == [(START + 2 * DAY, "Order 1")]
    (mail,) = await sandbox.mailbox()
    assert "Hello Anna" in mail["rendered"]["html"]
    assert mail["delivery_id"] == draft["id"]
    assert await messages(sandbox, drafts=True) == []
    (sent,) = await messages(sandbox)
    assert (sent["status"], sent["held_until"]) == ("delivered", None)
    assert sent["metrics"]["drafted"] == START < sent["metrics"]["sent"] == START + 2 * DAY
    for verb in ("send", "retry"):
        await sandbox.call("POST", f"/v1/messages/{draft['id']}/{verb}", status=409)
    await sandbox.call("DELETE", f"/v1/messages/{draft['id']}", status=409)
    await sandbox.call("PATCH", f"/v1/messages/{draft['id']}", {"subject": "x"}, status=409)


async def test_consent_is_asked_again_and_nothing_else(sandbox: Workspace):
    vip = {"attribute": {"field": "vip", "value": True}}
    await sandbox.define({"kind": "segment", "key": "vip", "name": "VIP", "conditions": vip})
    await running(sandbox, {"mail": drafted("Hi {{ event.n }}")}, filters={"segment": "vip"})
    await sandbox.identify("7", vip=True)
    await sandbox.settle()
    for n in (1, 2):
        await order(sandbox, n=n)
    first, second = await messages(sandbox, drafts=True)
    await sandbox.identify("7", unsubscribed=True, vip=False)
    await sandbox.settle()
    refused = await send(sandbox, first["id"])
    assert (refused["status"], refused["failure_message"]) == ("undeliverable", "Customer is unsubscribed")
    await sandbox.identify("7", unsubscribed=False)
    await sandbox.settle()
    assert (await send(sandbox, second["id"]))["status"] == "delivered"
    assert (await send(sandbox, first["id"], "retry"))["status"] == "delivered"
    assert sorted(await subjects(sandbox)) == ["Hi 1", "Hi 2"]


async def test_a_draft_of_somebody_who_is_gone_reaches_nobody(sandbox: Workspace):
    await running(sandbox, {"mail": drafted("Hi")})
    await order(sandbox)
    draft = await the_draft(sandbox)
    answer = await sandbox.client.delete("/api/v1/customers/7", auth=(sandbox.site_id, sandbox.api_key))
    assert answer.status_code == 200
    await sandbox.settle()
    assert await state(sandbox, draft["id"]) == "undeliverable"
    await sandbox.call("POST", f"/v1/messages/{draft['id']}/send", status=409)
    assert await sandbox.mailbox() == []


async def test_what_is_missing_shows_on_the_draft(sandbox: Workspace):
    await running(sandbox, {"mail": drafted("Hi {{ customer.nick }}")})
    await order(sandbox)
    draft = await the_draft(sandbox)
    assert (draft["status"], draft["failure_message"]) == (
        "drafted",
        "Variable 'customer.nick' is missing (in subject)",
    )
    failed = await send(sandbox, draft["id"])
    assert (failed["status"], failed["failure_message"]) == ("failed", draft["failure_message"])
    await sandbox.identify("7", nick="Annie")
    await sandbox.settle()
    assert (await send(sandbox, draft["id"], "retry"))["status"] == "delivered"
    assert await subjects(sandbox) == ["Hi Annie"]


async def test_an_edit_by_hand_is_rendered_when_it_is_sent_and_lost_when_the_block_is_saved(sandbox: Workspace):
    await running(sandbox, {"mail": drafted("Hi")})
    await order(sandbox, n=1)
    await sandbox.advance("PT1S")
    await order(sandbox, n=2)
    first, second = await messages(sandbox, drafts=True)
    edit = {"subject": "Dear {{ customer.first_name }}", "recipient": "boss@example.com", "preheader": "Psst"}
    answer = await sandbox.call("PATCH", f"/v1/messages/{first['id']}", edit)
    assert (answer["message"]["subject"], answer["message"]["recipient"]) == ("Dear Ann", "boss@example.com")
    await sandbox.call("PATCH", f"/v1/messages/{first['id']}", {"body": "<b>{{ customer.first_name }}!</b>"})
    await sandbox.call("PATCH", f"/v1/messages/{second['id']}", {"subject": "Lost"})
    await sandbox.identify("7", first_name="Anna")
    await sandbox.settle()
    assert (await send(sandbox, first["id"]))["status"] == "delivered"
    (mail,) = await sandbox.mailbox(to="boss@example.com")
    assert mail["rendered"]["fields"]["subject"] == "Dear Anna"
    assert "<b>Anna!</b>" in mail["rendered"]["html"]
    change = await put(sandbox, {"mail": drafted("Hello {{ event.n }}")})
    assert change["effects"]["drafts_rerendered"] == 1
    assert (await the_draft(sandbox))["subject"] == "Hello 2"
    assert (await send(sandbox, second["id"]))["subject"] == "Hello 2"


async def test_the_same_content_renders_nothing_anew(sandbox: Workspace):
    await running(sandbox, {"mail": drafted("Hi")})
    await order(sandbox)
    draft = await the_draft(sandbox)
    await sandbox.call("PATCH", f"/v1/messages/{draft['id']}", {"subject": "Mine"})
    change = await put(sandbox, {"mail": drafted("Hi", name="Renamed", next="end"), "end": drafted("End")})
    assert change["effects"]["drafts_rerendered"] == 0
    assert [found["subject"] for found in await messages(sandbox, drafts=True)] == ["Mine"]


@pytest.mark.parametrize(
    ("body", "code", "pointer"),
    [
        ({}, "required", ""),
        ({"colour": "red"}, "unknown_field", "/colour"),
        ({"subject": 3}, "type", "/subject"),
        ({"body": "{{ customer.name "}, "liquid_syntax", "/body"),
        ([], "type", ""),
    ],
)
async def test_edits_that_cannot_be(sandbox: Workspace, body: Any, code: str, pointer: str):
    await running(sandbox, {"mail": drafted("Hi")})
    await order(sandbox)
    draft = await the_draft(sandbox)
    answer = await sandbox.call("PATCH", f"/v1/messages/{draft['id']}", body, status=422)
    assert [(error["code"], error["pointer"]) for error in answer["errors"]] == [(code, pointer)]
    assert (await the_draft(sandbox))["subject"] == "Hi"


async def test_cmp_case_38_a_deleted_draft_is_not_drafted_again(sandbox: Workspace):
    message = drafted("M")
    await running(sandbox, {"mail": {**message, "next": "pause"}, "pause": delay("P1D")})
    await order(sandbox)
    draft = await the_draft(sandbox)
    await sandbox.call("DELETE", f"/v1/messages/{draft['id']}", status=204)
    await sandbox.call("GET", f"/v1/messages/{draft['id']}", status=404)
    await sandbox.call("POST", f"/v1/messages/{draft['id']}/send", status=404)
    await put(sandbox, {"pause": delay("P1D", "mail"), "mail": message}, "pause")
    await sandbox.advance("P2D")
    journey = await only_journey(sandbox)
    assert walked(journey) == [("mail", "drafted"), ("pause", "done")]
    step = journey["steps"][0]
    assert (step["draft"], step["delivery_id"]) == (True, draft["id"])
    assert await messages(sandbox, drafts=True) == []
    assert await sandbox.mailbox() == []


async def test_cmp_case_39_drafts_stay_drafts_and_are_gone_after_thirty_days(sandbox: Workspace):
    await running(sandbox, {"mail": drafted("Mail {{ event.n }}")})
    await order(sandbox, n=1)
    await sandbox.advance("P1D")
    status = await sandbox.call("POST", "/v1/campaigns/drip/sending_state", {"sending_state": "automatic"})
    assert (status["key"], status["revision"]) == ("drip", 2)
    await order(sandbox, n=2)
    assert await subjects(sandbox) == ["Mail 2"]
    draft = await the_draft(sandbox)
    assert draft["subject"] == "Mail 1"
    await sandbox.call("POST", "/v1/campaigns/drip/sending_state", {"sending_state": "draft", "blocks": ["mail"]})
    await order(sandbox, n=3)
    await sandbox.advance("P28D")
    assert [found["subject"] for found in await messages(sandbox, drafts=True)] == ["Mail 1", "Mail 3"]
    report = await sandbox.advance("PT25H")
    assert report["fired"]["draft_expiry"] == 1
    assert (await the_draft(sandbox))["subject"] == "Mail 3"
    await sandbox.call("POST", f"/v1/messages/{draft['id']}/send", status=404)
    await sandbox.advance("P60D")
    assert await messages(sandbox, drafts=True) == []
    assert (await sandbox.get("/v1/definitions/campaign/drip"))["status"]["drafts"] == 0


async def test_switching_is_an_ordinary_edit(sandbox: Workspace):
    blocks = {"mail": drafted("A", next="note"), "note": {"type": "update_person", "set": {"a": 1}, "next": "pause"}}
    await running(sandbox, blocks | {"pause": delay("P1D")})
    path = "/v1/campaigns/drip/sending_state"
    await sandbox.call("POST", path, {"sending_state": "off"})
    document = (await sandbox.get("/v1/definitions/campaign/drip"))["definition"]
    states = {key: block.get("sending_state") for key, block in document["workflow"]["blocks"].items()}
    assert states == {"mail": "off", "note": "off", "pause": None}
    await order(sandbox)
    assert walked(await only_journey(sandbox))[:2] == [("mail", "skipped"), ("note", "skipped")]
    for body, code, pointer in (
        ({"sending_state": "loud"}, "enum", "/sending_state"),
        ({}, "required", "/sending_state"),
        ({"sending_state": "draft", "blocks": ["nowhere"]}, "unknown_block", "/blocks/0"),
        ({"sending_state": "draft", "blocks": ["mail", "pause"]}, "not_applicable", "/blocks/1"),
    ):
        answer = await sandbox.call("POST", path, body, status=422)
        assert [(error["code"], error["pointer"]) for error in answer["errors"]] == [(code, pointer)]
    await sandbox.call("POST", "/v1/campaigns/nobody/sending_state", {"sending_state": "off"}, status=404)


async def test_act_02_actions_are_drafted_and_carried_out_when_they_are_sent(sandbox: Workspace):
    blocks = {
        "note": {
            "type": "update_person",
            "sending_state": "draft",
            "name": "Note it",
            "set": {"seen": {"from": "event.n"}},
        },
        "keep": {"type": "set_journey_attributes", "sending_state": "draft", "set": {"n": {"from": "event.n"}}},
        "pause": delay("P1D", "mail"),
        "mail": email("N is {{ journey.n | default: 'unknown' }}"),
    }
    blocks["note"]["next"], blocks["keep"]["next"] = "keep", "pause"
    await running(sandbox, blocks, "note")
    await order(sandbox, n=1)
    journey = await only_journey(sandbox)
    assert walked(journey) == [("note", "drafted"), ("keep", "drafted"), ("pause", "waiting")]
    keep, note = sorted(await messages(sandbox, drafts=True), key=lambda found: found["type"])
    assert [(found["type"], found["block"], found["subject"]) for found in (note, keep)] == [
        ("update_person", "note", "Note it"),
        ("set_journey_attributes", "keep", "keep"),
    ]
    assert [step["delivery_id"] for step in journey["steps"][:2]] == [note["id"], keep["id"]]
    assert (await content(sandbox, note["id"]))["payload"]["set"] == {"seen": {"from": "event.n"}}
    assert "seen" not in await attributes(sandbox, "7")
    assert (await send(sandbox, note["id"]))["status"] == "sent"
    assert (await attributes(sandbox, "7"))["seen"] == "1"
    assert (await send(sandbox, keep["id"]))["status"] == "sent"
    await sandbox.advance("P2D")
    assert await subjects(sandbox) == ["N is 1"]
    assert (await sandbox.get("/v1/definitions/campaign/drip"))["status"]["drafts"] == 0


async def test_act_02_a_journey_that_is_over_gets_no_attributes_any_more_and_its_person_does(sandbox: Workspace):
    blocks = {
        "keep": {"type": "set_journey_attributes", "sending_state": "draft", "set": {"n": 1}, "next": "note"},
        "note": {"type": "update_person", "sending_state": "draft", "set": {"plan": {"liquid": "{{ event.plan }}"}}},
    }
    await running(sandbox, blocks, "keep")
    await order(sandbox, plan="gold")
    assert (await only_journey(sandbox))["state"] == "finished"
    for draft in await messages(sandbox, drafts=True):
        await send(sandbox, draft["id"])
    assert (await attributes(sandbox, "7"))["plan"] == "gold"
    assert (await only_journey(sandbox))["attributes"] == {}


async def test_a_draft_remembers_what_its_journey_knew(sandbox: Workspace):
    blocks = {
        "keep": {"type": "set_journey_attributes", "set": {"n": {"from": "event.n"}}, "next": "mail"},
        "mail": drafted("N is {{ journey.n }}"),
    }
    await running(sandbox, blocks, "keep")
    await order(sandbox, n=5)
    assert (await only_journey(sandbox))["state"] == "finished"
    await put(sandbox, blocks | {"mail": drafted("N was {{ journey.n }}")}, "keep")
    draft = await the_draft(sandbox)
    assert (draft["subject"], draft["failure_message"]) == ("N was 5", None)
    await send(sandbox, draft["id"])
    assert await subjects(sandbox) == ["N was 5"]


async def test_a_draft_that_is_addressed_to_nobody_in_particular(sandbox: Workspace):
    request = {"method": "POST", "url": "https://api.example.com/x", "body": '{"n": {{ event.n }}}'}
    blocks = {"call": {"type": "webhook", "request": request, "next": "post"}, "post": slack("N {{ event.n }}")}
    await running(sandbox, blocks, "call")
    await order(sandbox, n=1)
    found = {draft["type"]: draft for draft in await messages(sandbox, drafts=True)}
    assert set(found) == {"webhook", "slack"}
    assert await sandbox.mailbox() == []
    await sandbox.identify("7", unsubscribed=True)
    await sandbox.settle()
    await sandbox.call("PATCH", f"/v1/messages/{found['webhook']['id']}", {"body": '{"edited": true}'})
    await sandbox.call("PATCH", f"/v1/messages/{found['slack']['id']}", {"recipient": "#boss"})
    for draft in found.values():
        assert (await send(sandbox, draft["id"]))["status"] == "sent"
    called, posted = sorted(await sandbox.mailbox(), key=lambda mail: mail["channel"] == "slack")
    assert called["rendered"]["payload"]["body"] == '{"edited": true}'
    assert posted["rendered"]["payload"]["channel"] == "#boss"


async def test_a_webhook_that_is_tried_again_is_the_same_call(sandbox: Workspace):
    request = {"url": "https://api.example.com/x", "body": '{"plan": "{{ customer.plan }}"}'}
    await running(sandbox, {"call": {"type": "webhook", "sending_state": "automatic", "request": request}}, "call")
    await sandbox.identify("7", plan="old")
    fault = {"channel": "webhook", "outcome": "http_status", "status": 404, "times": 1}
    await sandbox.call("PUT", "/v1/mailbox/faults", {"faults": [fault]})
    await order(sandbox)
    (failed,) = await messages(sandbox)
    assert failed["status"] == "failed"
    await sandbox.identify("7", plan="new")
    await sandbox.settle()
    assert (await send(sandbox, failed["id"], "retry"))["status"] == "sent"
    first, second = await sandbox.mailbox(include="refused")
    bodies = [mail["rendered"]["payload"]["body"] for mail in (first, second)]
    assert bodies == ['{"plan": "old"}', '{"plan": "new"}']
    keys = {mail["rendered"]["payload"]["headers"]["X-CIO-Idempotency-Key"] for mail in (first, second)}
    assert keys == {failed["id"]}
    assert walked(await only_journey(sandbox)) == [("call", "failed")]


async def test_drafts_of_a_test_say_what_their_arm_says(sandbox: Workspace):
    variation = {"percent": 100, "message": {"subject": "B", "body": "<p>b</p>"}}
    await running(sandbox, {"mail": drafted("A", ab_test=variation)})
    await order(sandbox)
    draft = await the_draft(sandbox)
    assert (draft["subject"], draft["variant"]) == ("B", "b")
    await sandbox.call("PATCH", f"/v1/messages/{draft['id']}", {"subject": "Mine"})
    change = await put(sandbox, {"mail": drafted("A", ab_test={**variation, "percent": 90})})
    assert change["effects"]["drafts_rerendered"] == 0
    variation = {"percent": 90, "message": {"subject": "C", "body": "<p>c</p>"}}
    await put(sandbox, {"mail": drafted("A", ab_test=variation)})
    assert (await the_draft(sandbox))["subject"] == "C"
    assert (await send(sandbox, draft["id"]))["status"] == "delivered"
    assert await subjects(sandbox) == ["C"]


async def test_a_drafted_holdout_counts_when_it_is_sent_and_leaves_nothing(sandbox: Workspace):
    await running(sandbox, {"mail": drafted("A", holdout=True)})
    await order(sandbox)
    draft = await the_draft(sandbox)
    await sandbox.call("PATCH", f"/v1/messages/{draft['id']}", {"subject": "x"}, status=422)
    assert (await send(sandbox, draft["id"]))["status"] == "holdout"
    assert await sandbox.mailbox() == []


async def test_archiving_deletes_drafts(sandbox: Workspace):
    await many(sandbox, 3)
    await sandbox.call("POST", "/v1/campaigns/drip/archive")
    await sandbox.settle()
    assert await messages(sandbox, drafts=True) == []


def slack(text: str, **fields: Any) -> dict[str, Any]:
    return {"type": "slack", "message": {"channel": "#new", "text": text}, **fields}


async def test_a_draft_of_a_journey_in_which_nobody_travels(sandbox: Workspace):
    await sandbox.define(campaign("drip", {"type": "webhook"}, "post", {"post": slack("X is {{ trigger.x }}")}))
    status = await sandbox.start("drip")
    answer = await sandbox.client.post(f"/v1{status['webhook_url'].split('/v1', 1)[1]}", json={"x": 1})
    assert answer.status_code < 300, answer.text
    await sandbox.settle()
    draft = await the_draft(sandbox)
    assert (await send(sandbox, draft["id"]))["status"] == "sent"
    (mail,) = await sandbox.mailbox()
    assert mail["rendered"]["payload"]["text"] == "X is 1"


async def test_a_draft_whose_block_is_gone_is_sent_as_it_is(sandbox: Workspace):
    await running(sandbox, {"mail": drafted("Hi", next="end"), "end": drafted("End")})
    await order(sandbox)
    await put(sandbox, {"end": drafted("End")}, "end")
    first, _ = sorted(await messages(sandbox, drafts=True), key=lambda found: found["subject"] != "Hi")
    await sandbox.call("PATCH", f"/v1/messages/{first['id']}", {"subject": "x"}, status=409)
    assert (await send(sandbox, first["id"]))["status"] == "delivered"
    assert await subjects(sandbox) == ["Hi"]


async def many(workspace: Workspace, count: int) -> list[dict[str, Any]]:
    """So many people with a draft each."""
    await running(workspace, {"mail": drafted("Hi {{ customer.id }}")})
    for n in range(count):
        await workspace.identify(f"p{n}", email=f"p{n}@example.com", first_name=f"P{n}")
        await workspace.track(f"p{n}", "order")
    await workspace.settle()
    return await messages(workspace, drafts=True)


async def bulk(workspace: Workspace, action: str, **which: Any) -> dict[str, Any]:
    """A task over many, when it is over."""
    task = await workspace.call("POST", "/v1/messages/bulk", {"action": action, **which}, status=202)
    await workspace.settle()
    return await workspace.get(f"/v1/tasks/{task['id']}")


async def test_all_drafts_of_a_campaign_are_sent_at_once(sandbox: Workspace):
    drafts = await many(sandbox, 5)
    task = await bulk(sandbox, "send_drafts", campaign="drip", block="mail")
    assert (task["state"], task["progress"], task["about"]["kind"]) == (
        "succeeded",
        {"done": 5, "total": 5},
        "campaign",
    )
    assert sorted(await subjects(sandbox)) == sorted(found["subject"] for found in drafts)
    assert await messages(sandbox, drafts=True) == []


async def test_selected_drafts_are_deleted_and_the_rest_sent_so_many_a_second(sandbox: Workspace):
    drafts = await many(sandbox, 5)
    chosen = [draft["id"] for draft in drafts[:2]]
    task = await bulk(sandbox, "delete_drafts", ids=[*chosen, "nothing"])
    assert (task["state"], task["progress"]) == ("succeeded", {"done": 3, "total": 3})
    assert len(await messages(sandbox, drafts=True)) == 3
    await bulk(sandbox, "send_drafts", per_second=0.1)
    assert [at for at, _ in await mails(sandbox)] == [START]
    report = await sandbox.advance("PT1M")
    assert report["fired"]["send_at"] == 2
    assert [at for at, _ in await mails(sandbox)] == [START, START + 10, START + 20]


async def test_failures_are_tried_again(sandbox: Workspace):
    await running(sandbox, {"mail": email("Hi {{ customer.nick }}")})
    await order(sandbox)
    await order(sandbox)
    assert [found["status"] for found in await messages(sandbox)] == ["failed", "failed"]
    await sandbox.identify("7", nick="Annie")
    await sandbox.settle()
    task = await bulk(sandbox, "retry_failed", campaign="drip")
    assert (task["state"], task["progress"]) == ("succeeded", {"done": 2, "total": 2})
    assert [found["status"] for found in await messages(sandbox)] == ["delivered", "delivered"]
    assert await subjects(sandbox) == ["Hi Annie", "Hi Annie"]


async def test_a_retry_by_hand_is_one_more_attempt(sandbox: Workspace):
    await running(sandbox, {"mail": email("Hi")})
    rule = {"channel": "email", "outcome": "timeout", "times": 12}
    await sandbox.call("PUT", "/v1/mailbox/faults", {"faults": [rule]})
    await order(sandbox)
    await sandbox.advance("P1D")
    (failed,) = await messages(sandbox)
    assert failed["status"] == "failed"
    answer = await sandbox.call("POST", f"/v1/messages/{failed['id']}/retry", {"message_limit": "ignore"})
    assert answer["message"]["status"] == "queued"
    await sandbox.settle()
    assert await state(sandbox, failed["id"]) == "delivered"
    attempts = (await sandbox.get(f"/v1/messages/{failed['id']}/attempts"))["attempts"]
    assert (len(attempts), attempts[-1]["outcome"]) == (13, "accepted")


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ([], [("type", "")]),
        ({}, [("required", "/action")]),
        ({"action": "burn"}, [("enum", "/action")]),
        ({"action": "send_drafts", "x": 1}, [("unknown_field", "/x")]),
        ({"action": "send_drafts", "ids": "a"}, [("type", "/ids")]),
        ({"action": "send_drafts", "ids": [1]}, [("type", "/ids/0")]),
        ({"action": "send_drafts", "ids": ["a"] * 10_001}, [("length", "/ids")]),
        ({"action": "send_drafts", "campaign": "nobody"}, [("unknown_reference", "/campaign")]),
        ({"action": "send_drafts", "newsletter": 3}, [("unknown_reference", "/newsletter")]),
        ({"action": "send_drafts", "block": "mail"}, [("required", "/campaign")]),
        ({"action": "send_drafts", "campaign": "drip", "block": "x"}, [("unknown_block", "/block")]),
        ({"action": "send_drafts", "per_second": 0}, [("range", "/per_second")]),
        ({"action": "delete_drafts", "per_second": 2}, [("not_applicable", "/per_second")]),
    ],
)
async def test_what_cannot_be_done_to_many(sandbox: Workspace, body: Any, found: list[tuple[str, str]]):
    await sandbox.define(campaign("drip", on_event("order"), "mail", {"mail": drafted("Hi")}))
    answer = await sandbox.call("POST", "/v1/messages/bulk", body, status=422)
    assert [(error["code"], error["pointer"]) for error in answer["errors"]] == found
