"""The routes of A/B tests (ACT-17, ACT-18)."""

from __future__ import annotations

import httpx
import pytest

from tests.api.conftest import Keys

SENDER = {"kind": "sender", "key": "team", "email": "team@example.com"}
HELLO = {
    "type": "email",
    "message": {"subject": "A", "body": "a"},
    "ab_test": {"percent": 50, "message": {"subject": "B", "body": "b"}},
    "next": "plain",
}
CAMPAIGN = {
    "kind": "campaign",
    "key": "c",
    "name": "C",
    "trigger": {"type": "event", "event": "go"},
    "workflow": {"start": "hello", "blocks": {"hello": HELLO, "plain": {"type": "time_delay", "duration": "P1D"}}},
}
TEST = "/v1/campaigns/c/blocks/hello/ab_test"
WINNER = "/v1/campaigns/c/blocks/hello/winner"


def codes(response: httpx.Response) -> list[tuple[str, str]]:
    return [(error["pointer"], error["code"]) for error in response.json()["errors"]]


async def test_a_test_is_looked_at_and_decided(workspace: Keys):
    await workspace.call("PUT", "/v1/definitions", {"definitions": [SENDER, CAMPAIGN]})
    response = await workspace.call("GET", TEST)
    assert response.status_code == 200
    assert [metric["metric"] for metric in response.json()["metrics"]] == ["opened", "clicked", "converted"]
    assert response.json()["metrics"][0]["chance_to_beat_original"] is None
    response = await workspace.call("GET", TEST, params={"human_only": "false"})
    assert response.status_code == 200
    response = await workspace.call("POST", WINNER, {"variant": "b"})
    assert (response.status_code, response.json()["revision"]) == (200, 2)
    block = (await workspace.call("GET", "/v1/definitions/campaign/c")).json()["definition"]["workflow"]["blocks"][
        "hello"
    ]
    assert (block["message"]["subject"], "ab_test" in block) == ("B", False)
    assert (await workspace.call("GET", TEST)).status_code == 404
    response = await workspace.call("POST", WINNER, {"variant": "a"})
    assert (response.status_code, codes(response)) == (409, [("", "invalid_state")])


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/v1/campaigns/x/blocks/hello/ab_test", None, 404),
        ("GET", "/v1/campaigns/c/blocks/x/ab_test", None, 404),
        ("GET", "/v1/campaigns/c/blocks/plain/ab_test", None, 404),
        ("GET", "/v1/campaigns/9999999999/blocks/9999999999/ab_test", None, 404),
        ("GET", TEST + "?human_only=perhaps", None, 400),
        ("POST", "/v1/campaigns/x/blocks/hello/winner", {"variant": "a"}, 404),
        ("POST", "/v1/campaigns/c/blocks/x/winner", {"variant": "a"}, 404),
        ("POST", "/v1/campaigns/c/blocks/plain/winner", {"variant": "a"}, 409),
        ("POST", WINNER, {"variant": "c"}, 422),
        ("POST", WINNER, {}, 422),
        ("POST", WINNER, {"variant": "a", "more": 1}, 422),
        ("POST", WINNER, b"{", 400),
    ],
)
async def test_what_is_refused(workspace: Keys, method: str, path: str, body: object, status: int):
    await workspace.call("PUT", "/v1/definitions", {"definitions": [SENDER, CAMPAIGN]})
    assert (await workspace.call(method, path, body)).status_code == status
