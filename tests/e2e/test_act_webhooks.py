"""Webhooks and Slack in a running product: waited for over retries, and never in anybody's way (ACT-29 to ACT-35)."""

from __future__ import annotations

from typing import Any

from tests.support.live import START, Workspace, campaign, on_event


def call(**more: Any) -> dict[str, Any]:
    request = {"url": "https://api.example.com/weather?city={{ customer.city | url_encode }}"}
    return {"type": "webhook", "sending_state": "automatic", "request": request, "next": "tell", **more}


TELL = {
    "type": "slack",
    "sending_state": "automatic",
    "message": {"channel": "#ops", "text": "It is {{ journey.weather | default: 'unknown' }}"},
}


async def begun(workspace: Workspace, faults: list[dict[str, Any]], **more: Any) -> None:
    await workspace.define(campaign("weather", on_event("ask"), "call", {"call": call(**more), "tell": TELL}))
    await workspace.call("PUT", "/v1/mailbox/faults", {"faults": faults})
    await workspace.start("weather")
    await workspace.identify("7", email="ann@example.com", city="Oslo")
    await workspace.track("7", "ask")
    await workspace.settle()


async def texts(workspace: Workspace) -> list[tuple[int, str]]:
    return [(mail["at"], mail["rendered"]["payload"]["text"]) for mail in await workspace.mailbox(channel="slack")]


async def test_act_case_33_the_next_block_comes_after_the_third_attempt(sandbox: Workspace) -> None:
    faults = [
        {"channel": "webhook", "outcome": "http_status", "status": 500, "times": 2},
        {"channel": "webhook", "outcome": "answer", "status": 200, "body": {"weather": "rainy"}},
    ]
    await begun(sandbox, faults, response={"journey": {"weather": "response.weather"}})
    assert await texts(sandbox) == []
    clock = await sandbox.get("/v1/clock")
    assert clock["next_due"] == {"at": START + 2, "kind": "webhook_retry"}
    await sandbox.advance("PT5M")
    assert await texts(sandbox) == [(START + 6, "It is rainy")]
    calls = await sandbox.mailbox(channel="webhook", include="refused")
    assert [mail["outcome"] for mail in calls] == ["http_status", "http_status", "accepted"]
    attempts = (await sandbox.get(f"/v1/messages/{calls[0]['delivery_id']}/attempts"))["attempts"]
    assert [(one["outcome"], one["status"]) for one in attempts] == [
        ("retry", "500"),
        ("retry", "500"),
        ("accepted", "200"),
    ]
    (journey,) = await sandbox.journeys()
    assert journey["state"] == "finished"


async def test_act_case_33_when_all_attempts_fail_the_attribute_is_unset(sandbox: Workspace) -> None:
    await begun(
        sandbox, [{"channel": "webhook", "outcome": "timeout"}], response={"journey": {"weather": "response.weather"}}
    )
    await sandbox.advance("PT50M")
    assert await texts(sandbox) == []
    await sandbox.advance("PT10M")
    assert [text for _, text in await texts(sandbox)] == ["It is unknown"]


async def test_act_case_33_without_a_mapping_the_next_block_runs_at_once(sandbox: Workspace) -> None:
    await begun(sandbox, [{"channel": "webhook", "outcome": "timeout"}])
    assert await texts(sandbox) == [(START, "It is unknown")]
