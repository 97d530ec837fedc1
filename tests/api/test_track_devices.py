"""Track v1, devices: what official clients send, each in its own way."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.conftest import Keys, Server
from tests.support.raw_http import Pair, raw

DEVICES = "/api/v1/customers/7/devices"
SEVEN = {"kind": "id", "value": "7"}


@pytest.mark.parametrize(
    ("device", "row"),
    [
        ({"id": "t", "platform": "ios"}, {}),
        ({"id": "t", "platform": "ios", "last_used": 1_700_000_000}, {"last_used": 1_700_000_000}),
        # Go: a numeric text, and null for attributes nobody gave.
        ({"id": "t", "platform": "ios", "last_used": "1700000000", "attributes": None}, {"last_used": 1_700_000_000}),
        ({"id": "t", "platform": "ios", "last_used": "", "attributes": {}}, {}),
        # Python and Ruby: flat extras.
        ({"id": "t", "platform": "ios", "app_version": "2"}, {"attributes": {"app_version": "2"}}),
        (
            {"id": "t", "platform": "ios", "a": 1, "b": 1, "attributes": {"b": 2, "push_enabled": "true"}},
            {"attributes": {"a": 1, "b": 2, "push_enabled": "true"}},
        ),
        ({"id": "t", "platform": "iOS", "_last_status": "sent", "attributes": {"_last_status": "bounced"}}, {}),
    ],
)
async def test_adding(workspace: Keys, device: dict[str, Any], row: dict[str, Any]) -> None:
    answer = await workspace.track("PUT", DEVICES, {"device": device})
    assert (answer.status_code, answer.content) == (200, b"{}")
    (found,) = await workspace.log()
    assert found.pop("source") == "Track API: Default"
    assert found == {"op": "add_device", "subject": SEVEN, "token": "t", "platform": "ios", **row}


@pytest.mark.parametrize("prefix", ["/api/v1", "/v1", "/api/v1/"])
async def test_spellings(workspace: Keys, server: Server, prefix: str) -> None:
    pair = Pair(workspace.site_id, workspace.api_key)
    body = b'{"device":{"id":"a/b:c","platform":"android"}}'
    assert await raw(server.port, pair, "PUT", f"{prefix}/customers/7/devices/", body) == (200, b"{}")
    path = f"{prefix}/customers/7/devices/a%2Fb%3Ac"
    for end, body in (("", b""), ("/", b"{}"), ("", b"{no json")):
        assert await raw(server.port, pair, "DELETE", path + end, body) == (200, b"{}")
    added, *deleted = await workspace.log()
    assert (added["op"], added["token"]) == ("add_device", "a/b:c")
    assert deleted == [{"source": "Track API: Default", "op": "delete_device", "subject": SEVEN, "token": "a/b:c"}] * 3


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({}, ["device must be present"]),
        ([], ["device must be present"]),
        ({"device": "t"}, ["device must be a hash"]),
        ({"device": {}}, ["device id must be present", "device platform must be present"]),
        ({"device": {"id": "t"}}, ["device platform must be present"]),
        ({"device": {"id": "t", "platform": "web"}}, ["device platform must be ios or android"]),
        ({"device": {"id": "t", "platform": ["ios"]}}, ["device platform must be ios or android"]),
        ({"device": {"platform": "ios", "token": "t"}}, ["device id must be present"]),
        ({"device": {"id": ["t"], "platform": "ios"}}, ["device id must be a string value"]),
        ({"device": {"id": "t" * 1001, "platform": "ios"}}, ["device id cannot be longer than 1000 bytes"]),
        (
            {"device": {"id": "t", "platform": "ios", "last_used": "soon"}},
            ["last_used must be a Unix timestamp in seconds"],
        ),
        ({"device": {"id": "t", "platform": "ios", "attributes": "x"}}, ["device attributes must be a hash"]),
        (
            {"device": {"id": "t", "platform": "ios", "x": "y" * 1001}},
            ["value for attribute 'x' cannot be longer than 1000 bytes"],
        ),
    ],
)
async def test_refusals(workspace: Keys, body: Any, said: list[str]) -> None:
    answer = await workspace.track("PUT", DEVICES, body)
    assert answer.status_code == 400
    assert answer.json()["meta"] == {"error": said[0], "errors": said}
    assert await workspace.log() == []


@pytest.mark.parametrize(("path", "status"), [("/%20", 400), ("/" + "t" * 1001, 400), ("/%FF", 400), ("", 405)])
async def test_tokens_that_are_none(workspace: Keys, path: str, status: int) -> None:
    answer = await workspace.track("DELETE", DEVICES + path)
    assert answer.status_code == status
    assert answer.json()["meta"]["errors"]
    assert await workspace.log() == []


async def test_a_credential_is_asked_for(workspace: Keys) -> None:
    for method, path in (("PUT", DEVICES), ("DELETE", f"{DEVICES}/t")):
        answer = await workspace.http.request(method, path)
        assert (answer.status_code, answer.json()) == (401, {"meta": {"error": "Unauthorized request"}})
