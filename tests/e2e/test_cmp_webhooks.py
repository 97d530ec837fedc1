"""Webhook campaigns, and campaigns put away, in the whole product (CMP-09, CMP-20)."""

from __future__ import annotations

from tests.support.live import Workspace, campaign, on_event
from tests.support.moments import attributes, delay, ended, segment
from tests.support.outside import called, post, running, url_of

HOOK = {"type": "webhook"}


async def test_cmp_case_22_each_call_is_a_run_and_no_customer_is_there(sandbox: Workspace):
    liquid = "{% if customer.custom_attribute == blank %}{{ trigger.custom_attribute }}{% endif %}"
    keep = {
        "type": "update_person",
        "target": {"id": {"from": "trigger.identifiers.id"}},
        "set": {"seen": {"liquid": liquid}},
    }
    await sandbox.identify("abcd-1234", custom_attribute="mine")
    await running(sandbox, "hook", "keep", {"keep": keep})
    payload = {"identifiers": {"id": "abcd-1234"}, "custom_attribute": "x"}
    runs = [await called(sandbox, "hook", payload) for _ in range(2)]
    assert [ended(run)[:2] for run in runs] == [("finished", "completed")] * 2
    assert len({run["id"] for run in runs}) == 2
    assert [run["trigger"] for run in runs] == [{"data": payload}] * 2
    assert [run["customer_identifiers"] for run in runs] == [None, None]
    assert (await attributes(sandbox, "abcd-1234"))["seen"] == "x"
    copy = await sandbox.call("POST", "/v1/campaigns/hook/duplicate", {}, status=201)
    assert copy["status"]["webhook_url"] != await url_of(sandbox, "hook")


async def test_cmp_case_22_a_batch_update_of_too_many_is_a_failed_action(sandbox: Workspace):
    update = {
        "type": "batch_update",
        "match": {"attribute": {"field": "crowd", "value": 1}},
        "set": {"met": {"from": "trigger.n"}},
    }
    await running(sandbox, "hook", "update", {"update": update})
    people = [
        {"type": "person", "action": "identify", "identifiers": {"id": f"p{n}"}, "attributes": {"crowd": 1}}
        for n in range(1_001)
    ]
    for first in range(0, len(people), 500):
        answer = await sandbox.client.post(
            "/api/v2/batch", json={"batch": people[first : first + 500]}, headers=sandbox.track_auth
        )
        assert answer.status_code == 200, answer.text
    await sandbox.settle(120)
    run = await called(sandbox, "hook", {"n": 1})
    assert [(step["block"], step["outcome"]) for step in run["steps"]] == [("update", "failed")]
    assert "met" not in await attributes(sandbox, "p1")
    await sandbox.identify("p1", crowd=0)
    await sandbox.settle()
    run = await called(sandbox, "hook", {"n": 2})
    assert [(step["block"], step["outcome"]) for step in run["steps"]] == [("update", "done")]
    await sandbox.settle(120)
    assert (await attributes(sandbox, "p2"))["met"] == "2"


async def test_cmp_09_a_draft_keeps_a_sample_and_a_wait_lasts_as_long_as_it_says(sandbox: Workspace):
    await sandbox.define(campaign("hook", HOOK, "pause", {"pause": delay("PT1H")}))
    assert await post(sandbox, "hook", {"a": 1}) == {"journey_id": None, "sample_stored": True}
    await sandbox.start("hook")
    run = await called(sandbox, "hook", {"a": 2})
    assert (run["state"], run["position"]["block"]) == ("in_progress", "pause")
    await sandbox.advance("PT1H")
    assert ended(await sandbox.journey(run["id"]))[:2] == ("finished", "completed")


async def test_cmp_case_34_archive(sandbox: Workspace):
    blocks = {
        "mail": {"type": "email", "message": {"subject": "Hi", "body": "<p>x</p>"}, "next": "stays"},
        "stays": {"type": "true_false", "conditions": {"event": {"field": "stay", "value": True}}, "then": "pause"},
        "pause": delay("P1D"),
    }
    document = campaign(
        "drip", on_event("order"), "mail", blocks, filters={"segment": "everybody"}, frequency={"mode": "every"}
    )
    await sandbox.define(segment("everybody", {"attribute": {"field": "email", "operator": "exists"}}), document)
    answer = await sandbox.call("POST", "/v1/campaigns/drip/archive", status=409)
    assert answer["errors"][0]["code"] == "invalid_state"
    await sandbox.start("drip")
    for n in range(5):
        await sandbox.identify(str(n), email=f"{n}@example.com")
        await sandbox.track(str(n), "order", {"stay": n < 2})
    await sandbox.settle()
    status = (await sandbox.get("/v1/definitions/campaign/drip"))["status"]
    assert (status["state"], status["active_journeys"], status["drafts"]) == ("running", 2, 5)

    archived = await sandbox.call("POST", "/v1/campaigns/drip/archive")
    assert (archived["state"], archived["active_journeys"]) == ("archived", 0)
    await sandbox.settle()
    assert (await sandbox.get("/v1/definitions/campaign/drip"))["status"]["drafts"] == 0
    assert (await sandbox.get("/v1/messages", drafts=True))["messages"] == []
    reasons = [journey["reason"] for journey in await sandbox.journeys()]
    assert sorted(reasons) == ["archived", "archived", "completed", "completed", "completed"]
    changed = await sandbox.call("PUT", "/v1/definitions/campaign/drip", {**document, "name": "Other"}, status=409)
    assert changed["errors"][0]["code"] == "locked"
    copied = await sandbox.call("POST", "/v1/campaigns/drip/duplicate", {}, status=409)
    assert copied["errors"][0]["code"] == "invalid_state"

    await sandbox.call("POST", "/v1/segments/everybody/archive")
    assert (await sandbox.call("POST", "/v1/campaigns/drip/unarchive"))["state"] == "stopped"
    await sandbox.settle()
    assert (await sandbox.get("/v1/definitions/segment/everybody"))["status"]["state"] == "ready"
