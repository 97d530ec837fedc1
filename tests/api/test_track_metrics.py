"""Track, what became of deliveries: from anybody who knows the id, in the words their channel knows."""

from __future__ import annotations

from typing import Any

import pytest

from domain.deliveries import delivery_id
from tests.api.conftest import Keys
from tests.support.looking import Scene

METRICS = "/api/v1/metrics"
PUSH = "/api/v1/push/events"
ENTITY = "/api/v2/entity"
MAIL = {"bounced", "clicked", "converted", "deferred", "delivered", "dropped", "opened", "spammed"}
ALLOWED = {
    "email": MAIL,
    "webhook": MAIL,
    "in_app": {"clicked", "converted", "opened"},
    "push": {"converted", "delivered", "opened"},
    "slack": {"clicked", "converted", "delivered", "opened"},
    "sms": {"bounced", "clicked", "delivered", "opened"},
}


async def sent(keys: Keys, channel: str = "email", name: str = "1") -> str:
    """The id of a delivery that exists."""
    found = delivery_id(b"k" * 32, f"journey/{keys.id}/{channel}/{name}")
    await Scene(keys.db, keys.id).delivery(found, None)
    async with keys.db.connection() as conn:
        await conn.execute(
            "UPDATE deliveries SET channel = $3 WHERE workspace_id = $1 AND delivery_id = $2", keys.id, found, channel
        )
    return found


async def post(keys: Keys, path: str, body: Any, **options: Any) -> tuple[int, Any]:
    answer = await keys.http.post(path, json=body, **options)
    return answer.status_code, answer.json()


@pytest.mark.parametrize("path", [METRICS, f"{METRICS}/", "/v1/metrics", "/api//v1/metrics"])
async def test_no_credential_is_needed(workspace: Keys, path: str) -> None:
    name = await sent(workspace)
    body = {
        "delivery_id": name,
        "metric": "clicked",
        "timestamp": 1_700_000_000,
        "recipient": "ann@example.com",
        "href": "https://example.com",
        "reason": None,
        "metadata": {"action_name": "buy", "action_value": "now"},
        "unknown": 1,
    }
    assert await post(workspace, path, body) == (200, {})
    assert await workspace.log() == [
        {
            "source": "Track API: metrics",
            "op": "report_delivery",
            "delivery_id": name,
            "metric": "clicked",
            "timestamp": 1_700_000_000,
            "details": {
                "recipient": "ann@example.com",
                "href": "https://example.com",
                "action_name": "buy",
                "action_value": "now",
            },
        }
    ]


async def test_a_wrong_credential_is_refused_and_a_right_one_tells_of_its_own(workspace: Keys, live: Keys) -> None:
    body = {"delivery_id": await sent(workspace), "metric": "opened"}
    for path in (METRICS, PUSH):
        assert await post(workspace, path, body, auth=("x", "y")) == (401, {"meta": {"error": "Unauthorized request"}})
        assert (await post(workspace, path, body, headers={"Authorization": "Bearer x"}))[0] == 401
    assert await post(workspace, METRICS, body, auth=live.basic) == (200, {})
    assert await workspace.log() == await live.log() == []
    assert await post(workspace, METRICS, body, auth=workspace.basic) == (200, {})
    assert [row["source"] for row in await workspace.log()] == ["Track API: metrics"]


@pytest.mark.parametrize("name", ["x", "a" * 24, "A" * 150, "-_" * 12])
async def test_a_delivery_nobody_knows_is_ignored(workspace: Keys, name: str) -> None:
    assert await post(workspace, METRICS, {"delivery_id": name, "metric": "opened"}) == (200, {})
    assert await post(workspace, PUSH, {"delivery_id": name, "event": "opened"}) == (200, {})
    assert await workspace.log() == []


@pytest.mark.parametrize("channel", sorted(ALLOWED))
async def test_each_channel_knows_its_words(workspace: Keys, channel: str) -> None:
    name = await sent(workspace, channel)
    for word in sorted(MAIL):
        status, answer = await post(workspace, METRICS, {"delivery_id": name, "metric": word})
        if word in ALLOWED[channel]:
            assert (status, answer) == (200, {})
        else:
            assert status == 400
            said = f"metric '{word}' is not allowed for a delivery of the channel {channel}"
            assert answer["meta"] == {"error": said, "errors": [said]}
    assert [row["metric"] for row in await workspace.log()] == sorted(ALLOWED[channel])


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({}, ["delivery_id must be present", "metric must be present"]),
        ({"delivery_id": 5.5, "metric": "opened"}, ["delivery_id must be a string value"]),
        ({"delivery_id": "x" * 151, "metric": "opened"}, ["delivery_id cannot be longer than 150 bytes"]),
        (
            {"delivery_id": "x", "metric": "sent"},
            ["metric must be one of " + ", ".join(sorted(MAIL))],
        ),
        ({"delivery_id": "x", "metric": ["opened"]}, ["metric must be one of " + ", ".join(sorted(MAIL))]),
        (
            {"delivery_id": "x", "metric": "opened", "timestamp": "soon"},
            ["timestamp must be a Unix timestamp in seconds"],
        ),
        ({"delivery_id": "x", "metric": "opened", "href": {}}, ["href must be a string value"]),
        ({"delivery_id": "x", "metric": "opened", "metadata": "x"}, ["metadata must be a hash"]),
        ([], ["the request must be a JSON object"]),
    ],
)
async def test_refusals(workspace: Keys, body: Any, said: list[str]) -> None:
    status, answer = await post(workspace, METRICS, body)
    assert (status, answer["meta"]) == (400, {"error": said[0], "errors": said})
    assert await workspace.log() == []


async def test_the_phone_of_an_sms_may_be_a_number(workspace: Keys) -> None:
    body = {"delivery_id": await sent(workspace, "sms"), "metric": "delivered", "recipient": 15551234567}
    assert await post(workspace, METRICS, body) == (200, {})
    assert [row["details"] for row in await workspace.log()] == [{"recipient": "15551234567"}]


@pytest.mark.parametrize("path", [PUSH, "/push/events", "/push/events/", "/v1/push/events"])
async def test_push_events(workspace: Keys, path: str) -> None:
    name = await sent(workspace, "push")
    body = {"delivery_id": name, "event": "opened", "device_id": "t", "timestamp": 5}
    assert await post(workspace, path, body) == (200, {})
    (row,) = await workspace.log()
    assert (row["delivery_id"], row["metric"], row["timestamp"]) == (name, "opened", 5)
    assert row["details"] == {"device_id": "t"}
    for wrong in ({"event": "clicked"}, {"event": None}, {"delivery_id": ""}):
        status, answer = await post(workspace, path, {**body, **wrong})
        assert status == 400
        assert answer["meta"]["errors"]
    assert len(await workspace.log()) == 1


def entity(name: str, word: str = "opened", **more: Any) -> dict[str, Any]:
    body = {"type": "delivery", "action": "event", "identifiers": {"id": name}, "name": word}
    return {**body, "attributes": {"device_token": "t"}, **more}


async def test_version_two(workspace: Keys) -> None:
    name = await sent(workspace, "push")
    assert (await workspace.track("POST", ENTITY, entity(name, timestamp=5))).content == b"{}"
    (row,) = await workspace.log()
    assert row == {
        "source": "Track API: Default",
        "op": "report_delivery",
        "delivery_id": name,
        "metric": "opened",
        "timestamp": 5,
        "details": {"device_id": "t"},
    }
    assert (await workspace.track("POST", ENTITY, entity("unknown"))).content == b"{}"


@pytest.mark.parametrize(
    ("change", "reason", "field"),
    [
        ({"name": "clicked"}, "invalid", "name"),
        ({"name": ""}, "required", "name"),
        ({"identifiers": None}, "required", "identifiers"),
        ({"identifiers": {}}, "required", "identifiers.id"),
        ({"attributes": []}, "invalid", "attributes"),
        ({"attributes": {"device_token": []}}, "invalid", "attributes.device_token"),
        ({"timestamp": -1}, "invalid", "timestamp"),
    ],
)
async def test_refusals_of_version_two(workspace: Keys, change: dict[str, Any], reason: str, field: str) -> None:
    answer = await workspace.track("POST", ENTITY, {**entity("x"), **change})
    assert answer.status_code == 400
    assert [(error["reason"], error["field"]) for error in answer.json()["errors"]] == [(reason, field)]


async def test_version_two_asks_the_channel_too(workspace: Keys) -> None:
    sms, push = await sent(workspace, "sms"), await sent(workspace, "push")
    batch = [entity(sms, "converted"), entity(push, "converted"), entity(sms, "opened")]
    answer = await workspace.track("POST", "/api/v2/batch", {"batch": batch})
    message = "name 'converted' is not allowed for a delivery of the channel sms"
    assert (answer.status_code, answer.json()) == (
        207,
        {"errors": [{"batch_index": 0, "reason": "invalid", "field": "name", "message": message}]},
    )
    assert [(row["delivery_id"], row["metric"]) for row in await workspace.log()] == [
        (push, "converted"),
        (sms, "opened"),
    ]
    assert (await workspace.track("POST", ENTITY, batch[0])).status_code == 400


async def test_api_case_38_a_bare_call_unsubscribes(workspace: Keys) -> None:
    scene = Scene(workspace.db, workspace.id)
    name = delivery_id(b"k" * 32, f"unsubscribe/{workspace.id}")
    person = await scene.person("7", "ann@example.com")
    await scene.delivery(name, person)
    assert await post(workspace, f"/unsubscribe/{name}", {"unsubscribe": True}) == (200, {})
    (row,) = await workspace.log()
    assert (row["op"], row["delivery_id"], row["person_id"]) == ("unsubscribe", name, person)
    status, answer = await post(workspace, "/unsubscribe/not-an-id", {"unsubscribe": True})
    assert status == 400
    assert answer["meta"]["error"]
