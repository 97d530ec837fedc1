"""Forms that start journeys, and what is reported of messages, in a running product (API-10, API-33)."""

from __future__ import annotations

from typing import Any

from tests.support.live import START, Workspace, campaign, email, on_event
from tests.support.moments import attributes, messages, segment, segments, subjects, timeline

ASKED = campaign(
    "asked",
    on_event("form_submit", where={"field": "form_id", "value": "demo"}),
    "hello",
    {"hello": email("{{ event.msisdn }} is {{ customer.phone }}")},
)
DEMO = {
    "kind": "form",
    "key": "ask-us",
    "name": "Ask us",
    "form_id": "demo",
    "fields": {"mail": {"identifier": "email"}, "msisdn": {"attribute": "phone"}},
}


async def submit(workspace: Workspace, form: str, **data: Any) -> int:
    path = f"/api/v1/forms/{form}/submit"
    answer = await workspace.client.post(path, json={"data": data}, headers=workspace.track_auth)
    await workspace.settle()
    return answer.status_code


async def post(workspace: Workspace, path: str, body: Any) -> int:
    answer = await workspace.client.post(path, json=body)
    await workspace.settle()
    return answer.status_code


async def sent(workspace: Workspace) -> str:
    """The id of the one message to Ann."""
    await workspace.define(campaign("hello", on_event("hi"), "hello", {"hello": email("Hi")}))
    await workspace.start("hello")
    await workspace.identify("ann", email="ann@example.com")
    await workspace.track("ann", "hi")
    await workspace.settle()
    (message,) = await messages(workspace)
    return message["id"]


async def test_api_case_37_a_form_makes_a_person_and_an_event(sandbox: Workspace):
    assert await submit(sandbox, "f1", email_address="a@x") == 400
    form = (await sandbox.get("/v1/definitions/form/f1"))["definition"]
    assert form["fields"] == {"email_address": {"attribute": "email_address"}}
    form["fields"] = {"email_address": {"identifier": "email"}}
    await sandbox.call("PUT", "/v1/definitions/form/f1", form)
    assert await submit(sandbox, "f1", email_address="a@x", form_name="dropped") == 204
    (event,) = [
        entry
        for entry in await timeline(sandbox, "a@x", "activity", id_type="email")
        if entry["data"].get("type") == "event"
    ]
    assert event["data"]["name"] == "form_submit"
    assert event["data"]["data"]["email_address"] == "a@x"
    assert event["data"]["data"]["form_name"] == "f1"


async def test_a_form_starts_journeys_and_is_a_condition(sandbox: Workspace):
    await sandbox.define(
        DEMO,
        ASKED,
        segment("by-key", {"performed": {"form": "ask-us"}}),
        segment("by-name", {"performed": {"form": "ASK US"}}),
        segment("by-id", {"performed": {"form": "demo", "where": {"field": "msisdn", "value": "+39"}}}),
        segment("by-event", {"performed": {"event": "form_submit"}}),
        segment("other", {"performed": {"form": "contact"}}),
    )
    await sandbox.start("asked")
    assert await submit(sandbox, "demo", mail="ann@example.com", msisdn="+39") == 204
    assert await subjects(sandbox) == ["+39 is +39"]
    found = await sandbox.get("/v1/customers/ann@example.com/segments", id_type="email")
    assert {one["key"] for one in found["segments"]} == {"by-key", "by-name", "by-id", "by-event"}
    assert await submit(sandbox, "contact", id="7") == 204
    assert await segments(sandbox, "7") == {"by-event", "other"}
    assert len(await sandbox.journeys(campaign="asked")) == 1


async def test_api_case_38_unsubscribing_without_a_credential(sandbox: Workspace):
    delivery = await sent(sandbox)
    assert await post(sandbox, f"/unsubscribe/{delivery}", {"unsubscribe": True}) == 200
    assert (await attributes(sandbox, "ann"))["unsubscribed"] == "true"
    message = (await sandbox.get(f"/v1/messages/{delivery}"))["message"]
    assert message["metrics"]["unsubscribed"] == START
    assert await post(sandbox, "/unsubscribe/nonsense", {"unsubscribe": True}) == 400


async def test_api_10_what_is_reported_stands_on_the_message(sandbox: Workspace):
    delivery = await sent(sandbox)
    await sandbox.advance("PT1H")
    report = {"delivery_id": delivery, "metric": "clicked", "timestamp": START + 60, "href": "https://x.io/a"}
    for _ in range(2):
        assert await post(sandbox, "/api/v1/metrics", report) == 200
    message = (await sandbox.get(f"/v1/messages/{delivery}"))["message"]
    assert message["status"] == "clicked"
    assert {name: message["metrics"].get(name) for name in ("opened", "clicked", "human_clicked")} == dict.fromkeys(
        ("opened", "clicked", "human_clicked"), START + 60
    )
    clicks = [
        entry for entry in await timeline(sandbox, "ann", "activity") if entry["data"].get("type") == "clicked_email"
    ]
    assert [(entry["at"], entry["data"]["data"]["href"]) for entry in clicks] == [(START + 60, "https://x.io/a")]
