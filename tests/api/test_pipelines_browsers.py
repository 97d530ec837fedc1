"""What browsers, mobile libraries and proxies need: other origins, settings, clear answers where nothing is."""

from __future__ import annotations

import json

import pytest
import pytest_asyncio

from tests.api.conftest import Keys, Server
from tests.api.pipelines_source import SUCCESS, Source, make_source

PATHS = [
    *(f"/v1/{kind}" for kind in ("identify", "track", "page", "screen", "group", "alias", "batch")),
    *(f"/v1/{letter}" for letter in "itpsgab"),
    "/v1/api/track",
    "/b",
    "/v1/projects/key/settings",
    "/projects/key/settings",
    "/v1/analytics-js/snippet/key/analytics.min.js",
]


@pytest_asyncio.fixture(loop_scope="session")
async def source(workspace: Keys) -> Source:
    return await make_source(workspace)


@pytest.mark.parametrize("path", PATHS)
async def test_pages_of_every_origin_may_call(server: Server, path: str) -> None:
    asked = {"Origin": "https://shop.example.com", "Access-Control-Request-Method": "POST"}
    answer = await server.http.options(path, headers=asked)
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "POST" in answer.headers["access-control-allow-methods"]
    assert "content-type" in answer.headers["access-control-allow-headers"].lower()
    for method in ("GET", "POST", "DELETE"):
        other = await server.http.request(method, path, headers={"X-Strict-Mode": "1"})
        assert other.headers["access-control-allow-origin"] == "*", method
        assert other.json()["code"], method
        assert other.json()["message"], method


async def test_a_call_of_the_browser_library(source: Source) -> None:
    body = {
        "timestamp": "2026-01-01T10:00:00.152Z",
        "integrations": {},
        "anonymousId": "0b6c",
        "event": "Viewed",
        "type": "track",
        "properties": {"a": 1},
        "context": {"page": {"path": "/"}, "userAgent": "x", "library": {"name": "analytics.js"}},
        "messageId": "ajs-next-1",
        "writeKey": source.key,
        "userId": None,
        "sentAt": "2026-01-01T10:00:00.169Z",
        "_metadata": {"bundled": []},
    }
    headers = {"Content-Type": "text/plain", "Origin": "https://shop.example.com"}
    answer = await source.workspace.http.post("/v1/t", content=json.dumps(body), headers=headers)
    assert (answer.status_code, answer.json()) == (200, SUCCESS)
    assert answer.headers["access-control-allow-origin"] == "*"
    (row,) = await source.workspace.log()
    assert (row["op"], row["anonymous_id"], row["name"]) == ("anonymous_event", "0b6c", "Viewed")


async def test_a_link_identifies_by_cio_id(source: Source) -> None:
    await source.take("/v1/i", {"userId": "cio_0300001f", "anonymousId": "z"}, strict=True)
    first, second = await source.workspace.log()
    assert first["subject"] == second["subject"] == {"kind": "cio_id", "value": "0300001f"}
    assert second["op"] == "bind_anonymous"


@pytest.mark.parametrize("prefix", ["/v1", ""])
async def test_settings_of_a_library(source: Source, server: Server, prefix: str) -> None:
    answer = await server.http.get(f"{prefix}/projects/{source.key}/settings")
    assert answer.status_code == 200
    ours = answer.json()["integrations"]["Customer.io Data Pipelines"]
    assert ours["apiKey"] == source.key
    assert f"{ours['protocol']}://{ours['apiHost']}" == f"{server.url}/v1"
    unknown = await server.http.get(f"{prefix}/projects/nobody/settings")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "not_found")


async def test_no_library_is_served(server: Server) -> None:
    for path in ("/v1/analytics-js", "/v1/analytics-js/snippet/k/analytics.min.js", "/v1/analytics-js/actions/x.js"):
        answer = await server.http.get(path)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
        assert "library" in answer.json()["message"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/v1/track", 405), ("PUT", "/v1/identify", 405), ("POST", "/v1/projects/k/settings", 405)],
)
async def test_other_methods(server: Server, method: str, path: str, status: int) -> None:
    answer = await server.http.request(method, path)
    assert (answer.status_code, answer.json()["code"]) == (status, "method_not_allowed")


async def test_paths_of_other_apis_are_theirs(workspace: Keys) -> None:
    assert (await workspace.track("PUT", "/v1/customers/7", {"a": 1})).json() == {}
    unknown = await workspace.call("GET", "/v1/tracks")
    assert unknown.json()["errors"][0]["code"] == "not_found"
