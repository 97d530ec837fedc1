"""What no client covers of the App API, as one asks with curl: paging, figures, limits, what is in use (APP-01 to APP-23)."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.support.live import Workspace, email


async def test_an_empty_list_of_exports_is_null_and_an_unknown_address_is_nobody(sandbox: Workspace):
    assert await sandbox.get("/v1/exports") == {"exports": None}
    assert await sandbox.get("/v1/customers", email="nobody@example.com") == {"results": []}


async def test_a_search_of_people_goes_on_fifty_by_fifty_to_an_empty_next(sandbox: Workspace):
    for number in range(120):
        await sandbox.identify(f"p{number}", plan="pro")
    await sandbox.settle()
    asked = {"filter": {"attribute": {"field": "plan", "operator": "eq", "value": "pro"}}}
    sizes: list[int] = []
    found: set[str] = set()
    start = ""
    for _ in range(5):
        answer = await sandbox.request("POST", "/v1/customers", json=asked, params={"start": start, "limit": 50})
        page = answer.json()
        sizes.append(len(page["identifiers"]))
        found |= {one["id"] for one in page["identifiers"]}
        start = page["next"]
        if not start:
            break
    assert sizes[:2] == [50, 50]
    assert len(found) == 120
    assert start == ""


async def broadcast(sandbox: Workspace) -> dict[str, Any]:
    """A broadcast that runs; the answer to its start."""
    blocks = {"mail": email("{{ snippets.hours }}")}
    news = {"kind": "broadcast", "key": "news", "name": "News", "recipients": "everyone"}
    snippet = {"kind": "snippet", "key": "hours", "name": "hours", "value": "9-17"}
    await sandbox.define(snippet, {**news, "workflow": {"start": "mail", "blocks": blocks}})
    started: dict[str, Any] = await sandbox.call("POST", "/v1/broadcasts/news/start")
    return started


@pytest.mark.parametrize(("steps", "length"), [(1, 2), (2, 2), (5, 5), (45, 45)])
async def test_series_have_as_many_steps_as_asked_for(sandbox: Workspace, steps: int, length: int):
    number = (await broadcast(sandbox))["id"]
    (action,) = (await sandbox.get(f"/v1/broadcasts/{number}/actions"))["actions"]
    ways = [
        f"/v1/broadcasts/{number}/metrics",
        f"/v1/broadcasts/{number}/actions/{action['id']}/metrics",
        f"/v1/broadcast/{number}/actions/{action['id']}/metrics",
    ]
    for path in ways:
        series = (await sandbox.get(path, period="days", steps=steps))["metric"]["series"]
        assert {len(numbers) for numbers in series.values()} == {length}, path


async def test_a_trigger_too_soon_says_when_to_come_back(sandbox: Workspace):
    number = (await broadcast(sandbox))["id"]
    path = f"/v1/campaigns/{number}/triggers"
    assert (await sandbox.request("POST", path, json={})).status_code == 200
    answer = await sandbox.request("POST", path, json={})
    assert answer.status_code == 429
    assert 1 <= int(answer.headers["retry-after"]) <= 10
    (error,) = answer.json()["errors"]
    assert error["status"] == "429"
    assert error["detail"].startswith("rate limited to ")


async def test_a_snippet_in_use_stays_and_what_uses_things_is_told(sandbox: Workspace):
    await broadcast(sandbox)
    refused = await sandbox.request("DELETE", "/v1/snippets/hours")
    assert refused.status_code == 400
    assert refused.json()["errors"][0]["detail"] == "unable to delete snippet in use"
    segment = {"kind": "segment", "key": "pros", "name": "Pros", "conditions": {"attribute": {"field": "plan", "value": "pro"}}}  # fmt: skip
    await sandbox.define(segment)
    (listed,) = (await sandbox.get("/v1/segments"))["segments"]
    nested = await sandbox.get(f"/v1/segments/{listed['id']}/used_by")
    assert set(nested["used_by"]) >= {"campaigns", "sent_newsletters", "draft_newsletters"}
    sender = (await sandbox.get("/v1/sender_identities"))["sender_identities"][0]["id"]
    flat = await sandbox.get(f"/v1/sender_identities/{sender}/used_by")
    assert {"campaigns", "sent_newsletters", "draft_newsletters"} <= set(flat)


async def test_answers_are_json_that_nobody_keeps(sandbox: Workspace, http: httpx.AsyncClient):
    for path in ("/v1/broadcasts", "/v1/transactional", "/v1/messages"):
        answer = await sandbox.request("GET", path)
        assert answer.headers["content-type"].startswith("application/json"), path
    unknown = await http.get("/v1/broadcasts", headers={"Authorization": "Bearer wrong"})
    assert (unknown.status_code, unknown.json()["errors"][0]["detail"]) == (401, "unauthorized")
