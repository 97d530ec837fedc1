"""The URLs of webhook campaigns over HTTP: what is taken, what is refused, and in which words (CMP-09)."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from api.bodies import TRACK_BATCH_LIMIT

HOOK: dict[str, Any] = {
    "kind": "campaign",
    "key": "hook",
    "name": "Hook",
    "trigger": {"type": "webhook"},
    "workflow": {"start": "wait", "blocks": {"wait": {"type": "time_delay", "duration": "P1D"}}},
}


async def url_of(workspace: Any, key: str = "hook") -> str:
    record = (await workspace.call("GET", f"/v1/definitions/campaign/{key}")).json()
    return str(record["status"]["webhook_url"])


async def made(workspace: Any, *verbs: tuple[str, Any]) -> str:
    """A webhook campaign after these verbs, by its URL."""
    answer = await workspace.call("PUT", "/v1/definitions/campaign/hook", HOOK)
    assert answer.status_code == 201, answer.text
    for verb, body in verbs:
        answer = await workspace.call("POST", f"/v1/campaigns/hook/{verb}", body)
        assert answer.status_code == 200, answer.text
    url = await url_of(workspace)
    assert answer.json().get("status", answer.json())["webhook_url"] == url
    return url


async def post(workspace: Any, url: str, content: bytes, **headers: str) -> httpx.Response:
    answer: httpx.Response = await workspace.http.post(url, content=content, headers=headers)
    return answer


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["errors"][0]["code"]


async def test_the_url_is_a_whole_one_wherever_a_status_is_told(workspace, server):
    url = await made(workspace)
    assert url.startswith("http")
    assert "/v1/webhooks/campaigns/" in url
    (listed,) = (await workspace.call("GET", "/v1/definitions/campaign")).json()["definitions"]
    assert listed["status"]["webhook_url"] == url
    copy = await workspace.call("POST", "/v1/campaigns/hook/duplicate")
    assert copy.status_code == 201
    assert copy.json()["status"]["webhook_url"] not in (url, None)


async def test_a_draft_keeps_a_sample(workspace):
    url = await made(workspace)
    answer = await post(workspace, url, b'{"a": [1, 2]}')
    assert (answer.status_code, answer.json()) == (200, {"journey_id": None, "sample_stored": True})
    assert await workspace.log() == []


async def test_a_running_one_begins_a_journey_whatever_the_content_type_says(workspace):
    url = await made(workspace, ("start", None))
    answer = await post(workspace, url, b'{"a": 1}', **{"Content-Type": "text/plain"})
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert body["sample_stored"] is False
    (fact,) = await workspace.log()
    assert (fact["op"], fact["journey_id"], fact["payload"]) == ("webhook_entry", body["journey_id"], {"a": 1})
    assert fact["source"] == "Webhook: Hook"
    logged = (await workspace.call("GET", "/v1/data_in")).json()["data_in"]
    assert [(entry["source"], entry["status"]) for entry in logged] == [("Webhook: Hook", "pending")]


@pytest.mark.parametrize("content", [b"", b"{", b"a=1", b'{"a": "\\u0000"}', b'{"a": NaN}', b"\xff"])
async def test_what_is_not_json(workspace, content):
    url = await made(workspace, ("start", None))
    assert code(await post(workspace, url, content)) == (400, "invalid_json")
    assert await workspace.log() == []


async def test_what_is_too_large(workspace):
    url = await made(workspace, ("start", None))
    assert code(await post(workspace, url, b'"' + b"a" * TRACK_BATCH_LIMIT + b'"')) == (413, "too_large")
    assert (await post(workspace, url, b'"' + b"a" * (TRACK_BATCH_LIMIT - 2) + b'"')).status_code == 200


async def test_states_that_take_no_calls(workspace):
    url = await made(workspace, ("start", None), ("stop", {"journeys": "exit"}))
    assert code(await post(workspace, url, b"{}")) == (409, "invalid_state")
    assert (await workspace.call("POST", "/v1/campaigns/hook/archive")).json()["state"] == "archived"
    assert code(await post(workspace, url, b"{}")) == (404, "not_found")
    assert (await workspace.call("POST", "/v1/campaigns/hook/unarchive")).json()["state"] == "stopped"
    assert (await workspace.call("DELETE", "/v1/definitions/campaign/hook")).status_code == 204
    assert code(await post(workspace, url, b"{}")) == (404, "not_found")
    assert code(await post(workspace, url.rsplit("/", 1)[0] + "/nothing", b"{}")) == (404, "not_found")


async def test_the_verbs_take_a_key_that_may_do_them(workspace):
    await made(workspace, ("start", None))
    for verb in ("archive", "unarchive", "duplicate"):
        answer = await workspace.http.post(f"/v1/campaigns/hook/{verb}")
        assert answer.status_code == 401
    assert code(await workspace.call("POST", "/v1/campaigns/nobody/archive")) == (404, "not_found")
