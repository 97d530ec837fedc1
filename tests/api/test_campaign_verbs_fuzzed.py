"""Whatever is sent to the verbs of campaigns, to tags and to the URLs of webhooks is answered in the documented words."""

from __future__ import annotations

import json
from typing import Any

import pytest

BODIES: list[Any] = [
    b"",
    b"null",
    b"[]",
    b"7",
    b'"text"',
    b"{",
    b"\xff\xfe",
    b"NaN",
    b'{"audience": 1}',
    b'{"audience": null}',
    b'{"audience": "everyone"}',
    b'{"audience": ["future"]}',
    b'{"audience": {"a": 1}}',
    b'{"journeys": null}',
    b'{"journeys": "leave"}',
    b'{"journeys": {}}',
    b'{"journeys": "exit", "audience": "future"}',
    b'{"a/b~c": 1}',
    b'{"": 1}',
    b'{"\\u0000": 1}',
    b'{"journeys": "\\u0000"}',
    b'{"key": 7, "name": []}',
    b'{"key": "Not A Key"}',
    b'{"key": "c"}',
    b'{"name": ""}',
    b'{"name": "\\u0000"}',
    b'{"name": "\\ud800"}',
    json.dumps({"name": "x" * 10_000}).encode(),
    json.dumps({"journeys": "x" * 10_000}).encode(),
    b"[" * 100 + b"]" * 100,
    b'{"audience": 1e999}',
]
REFS = ("c", "999999999", "9999999999", "-1", "0", "%00", "%ff", "a%2Fb", "x" * 300, "%F0%9F%98%80", "1.5", "٣")
VERBS = ("start", "stop", "restart", "archive", "unarchive", "duplicate")
CAMPAIGN = {
    "kind": "campaign",
    "key": "c",
    "name": "C",
    "tags": ["t"],
    "trigger": {"type": "webhook"},
    "workflow": {"start": "wait", "blocks": {"wait": {"type": "time_delay", "duration": "P1D"}}},
}


def told(answer: Any) -> None:
    """The answer is one of those that the contract knows."""
    assert answer.status_code < 500, answer.text
    if answer.status_code >= 400:
        assert all(set(problem) >= {"pointer", "code", "message"} for problem in answer.json()["errors"]), answer.text


@pytest.mark.parametrize("verb", VERBS)
async def test_the_verbs(workspace, verb):
    assert (await workspace.call("PUT", "/v1/definitions/campaign/c", CAMPAIGN)).status_code == 201
    for body in BODIES:
        told(await workspace.call("POST", f"/v1/campaigns/c/{verb}", body))
    for ref in REFS:
        told(
            await workspace.call(
                "POST", f"/v1/campaigns/{ref}/{verb}", {"journeys": "exit"} if verb == "stop" else None
            )
        )


async def test_a_field_is_pointed_at_as_json_pointers_are_written(workspace):
    assert (await workspace.call("PUT", "/v1/definitions/campaign/c", CAMPAIGN)).status_code == 201
    answer = await workspace.call("POST", "/v1/campaigns/c/start", {"a/b~c": 1})
    assert answer.status_code == 422
    assert [(e["code"], e["pointer"]) for e in answer.json()["errors"]] == [("unknown_field", "/a~1b~0c")]


async def test_tags(workspace):
    assert (await workspace.call("PUT", "/v1/definitions/campaign/c", CAMPAIGN)).status_code == 201
    for body in BODIES:
        told(await workspace.call("PUT", "/v1/tags/t", body))
    for ref in REFS:
        told(await workspace.call("PUT", f"/v1/tags/{ref}", {"name": "x"}))
        told(await workspace.call("DELETE", f"/v1/tags/{ref}"))


async def test_the_urls_of_webhooks(workspace):
    answer = await workspace.call("PUT", "/v1/definitions/campaign/c", CAMPAIGN)
    url = answer.json()["status"]["webhook_url"]
    for state in ("draft", "running"):
        for body in BODIES:
            told(await workspace.http.post(url, content=body))
        if state == "draft":
            assert (await workspace.call("POST", "/v1/campaigns/c/start")).status_code == 200
    for ref in REFS:
        told(await workspace.http.post(f"/v1/webhooks/campaigns/{ref}", content=b"{}"))


TRIGGERS: list[Any] = [
    None,
    [],
    "object",
    {},
    {"type": None},
    {"type": []},
    {"type": "object"},
    {"type": "object", "object_type": {}, "where": {}},
    {"type": "object", "object_type": 10**12, "where": {"field": "a", "value": 1}},
    {"type": "object", "object_type": "companies", "where": []},
    {"type": "object", "object_type": "companies", "where": {"field": "a", "operator": "gt", "value": 1}},
    {"type": "object", "object_type": "companies", "where": {"field": "a", "value": 1}, "audience": "person"},
    {"type": "object", "object_type": "companies", "where": {"field": "a", "value": 1}, "audience": []},
    {"type": "object", "object_type": "companies", "where": {"field": "a", "value": 1}, "audience": {"segment": "x"}},
    {"type": "object", "object_type": "companies", "where": {"field": "a\u0000", "value": 1}},
    {"type": "object", "object_type": "companies", "where": {"field": "a[", "value": 1}},
    {"type": "relationship", "object_type": "companies"},
    {"type": "relationship", "object_type": "companies", "change": "changed"},
    {"type": "relationship", "object_type": "companies", "change": "removed"},
    {"type": "relationship", "object_type": "companies", "change": "added", "where": 7},
    {"type": "relationship", "object_type": "nothing", "change": "added"},
    {"type": "webhook", "sample": {"a": "\u0000"}},
    {"type": "webhook", "url": "x"},
]
SCHEDULES: list[Any] = [
    None,
    [],
    {},
    {"start_at": None},
    {"start_at": "tomorrow"},
    {"start_at": -1},
    {"start_at": 10**18},
    {"start_at": 2**63},
    {"start_at": 1.5},
    {"start_at": True},
    {"stop_at": 4_000_000_000},
    {"stop_at": 4_000_000_000, "on_stop": "explode"},
    {"start_at": 4_000_000_000, "stop_at": 4_000_000_000, "on_stop": "exit"},
    {"on_stop": "exit"},
    {"start_at": 253_402_300_799},
]


async def test_documents(workspace):
    kind = {"kind": "object_type", "key": "companies", "name": "Companies", "singular_name": "Company"}
    assert (await workspace.call("PUT", "/v1/definitions/object_type/companies", kind)).status_code == 201
    for part in [{"trigger": one} for one in TRIGGERS] + [{"schedule": one} for one in SCHEDULES]:
        document = {**CAMPAIGN, **part}
        told(await workspace.call("PUT", "/v1/definitions/campaign/c", document))
        told(await workspace.call("POST", "/v1/definitions/validate", document))
    for params in (
        {"object_type": "9" * 10},
        {"object_type": "9" * 30},
        {"trigger": "x"},
        {"tag": "\u0000"},
        {"search": "\u0000"},
    ):
        told(await workspace.call("GET", "/v1/definitions/campaign", params=params))
