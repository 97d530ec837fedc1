"""No input gives a 500: whatever is sent, the answer is JSON in the words of its path, and a refusal stores nothing."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from urllib.parse import quote

import pytest
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api import errors
from api.middleware import Front
from tests.api.conftest import Keys, Server
from tests.support.raw_http import Pair, raw

EASY = settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(min_value=-(10**30), max_value=10**30)
    | st.floats()
    | st.text(max_size=30)
    | st.sampled_from(["id", "email", "a@x.io", "\x00", "\ud800", "", " ", "cio_1", "9" * 20])
)
WORDS = [
    "name",
    "data",
    "id",
    "email",
    "cio_id",
    "timestamp",
    "_timestamp",
    "_update",
    "type",
    "attributes",
    "action",
    "identifiers",
    "batch",
    "kind",
    "key",
    "conditions",
    "workflow",
    "blocks",
    "trigger",
    "definitions",
    "source",
]
KEYS = st.sampled_from(WORDS) | st.text(max_size=10)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=5), max_leaves=15
)
ENTITIES = st.fixed_dictionaries(
    {"type": st.just("person"), "action": st.sampled_from(["identify", "event", "page", "screen"])},
    optional={"identifiers": VALUES, "attributes": VALUES, "name": VALUES, "timestamp": VALUES, "id": VALUES},
)
DOCUMENTS = st.fixed_dictionaries(
    {"kind": st.sampled_from(["campaign", "segment", "sender", "layout", "provider", "settings"]), "key": st.just("k")},
    optional={
        "name": VALUES,
        "conditions": VALUES,
        "workflow": VALUES,
        "trigger": VALUES,
        "body": VALUES,
        "email": VALUES,
    },
)
TRACK = [
    ("PUT", "/api/v1/customers/7"),
    ("POST", "/api/v1/customers/7/events"),
    ("PUT", "/api/v1/customers/7/devices"),
    ("POST", "/api/v1/events"),
    ("POST", "/api/v1/merge_customers"),
    ("POST", "/api/v1/metrics"),
    ("POST", "/api/v1/segments/1/add_customers"),
    ("POST", "/api/v2/entity"),
    ("POST", "/api/v2/batch"),
]
MANAGEMENT = [
    ("PUT", "/v1/definitions"),
    ("POST", "/v1/definitions/validate"),
    ("PUT", "/v1/definitions/segment/k"),
    ("PUT", "/v1/definitions/campaign/k"),
    ("POST", "/v1/campaigns/k/start"),
    ("POST", "/v1/campaigns/k/stop"),
    ("POST", "/v1/clock"),
    ("POST", "/v1/clock/advance"),
    ("POST", "/v1/workspaces"),
]
POISON = [
    b"",
    b"{",
    b"null",
    b"nul",
    b"[" * 100_000,
    b'{"a":' * 2_000 + b"1" + b"}" * 2_000,
    b'{"a":' * 80 + b"1" + b"}" * 80,
    b'{"name": "\\u0000"}',
    b'{"\\u0000": 1}',
    b'{"name": "\\ud800"}',
    b'{"name": NaN}',
    b'{"name": Infinity}',
    b'{"name": 1e400}',
    b'{"name": "\xff"}',
    b'\xef\xbb\xbf{"name": "e"}',
    b"\x1f\x8b\x08\x00",
    b'{"a": 1} trailing',
    b'{"name": 123456789012345678901234567890}',
    b"a=1&b=2",
    b"--- !!python/object:os.system\n",
]
TYPES = ["application/json", "application/yaml", "multipart/form-data", ""]


def written(value: Any) -> bytes:
    """JSON as careless clients write it: NaN, lone surrogates and all."""
    return json.dumps(value).encode()


def check(answer: Any) -> None:
    assert answer.status_code < 500, answer.text
    if answer.content:
        answer.json()
    assert "Traceback" not in answer.text


@pytest.mark.parametrize(("method", "path"), TRACK + MANAGEMENT)
@pytest.mark.parametrize("media", TYPES)
async def test_poisoned_bodies(workspace: Keys, method: str, path: str, media: str) -> None:
    caller = workspace.track if path.startswith("/api") else workspace.call
    before = len(await workspace.log())
    for body in POISON:
        answer = await caller(method, path, body, headers={"Content-Type": media} if media else {})
        check(answer)
        accepted = 200 <= answer.status_code < 300
        if path.startswith("/api") and not accepted:
            assert len(await workspace.log()) == before, body[:40]
        before = len(await workspace.log())


@EASY
@given(body=VALUES, target=st.sampled_from(TRACK + MANAGEMENT))
async def test_any_json(workspace: Keys, body: Any, target: tuple[str, str]) -> None:
    caller = workspace.track if target[1].startswith("/api") else workspace.call
    check(await caller(*target, written(body)))


@EASY
@given(items=st.lists(ENTITIES, max_size=4))
async def test_any_entity(workspace: Keys, items: list[Any]) -> None:
    check(await workspace.track("POST", "/api/v2/batch", written({"batch": items})))
    if items:
        check(await workspace.track("POST", "/api/v2/entity", written(items[0])))


@EASY
@given(documents=st.lists(DOCUMENTS, max_size=3))
async def test_any_document(workspace: Keys, documents: list[Any]) -> None:
    check(await workspace.call("PUT", "/v1/definitions?dry_run=true", written({"definitions": documents})))


@EASY
@given(form=st.lists(st.tuples(st.text(max_size=20), st.text(max_size=20)), max_size=8))
async def test_any_form(workspace: Keys, form: list[tuple[str, str]]) -> None:
    body = "&".join(f"{quote(k, errors='replace')}={quote(v, errors='replace')}" for k, v in form).encode()
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    check(await workspace.track("POST", "/api/v1/customers/7/events", body, headers=headers))


@EASY
@given(
    path=st.text(st.sampled_from(list("ab/%.+~;?0F2C \\|")), max_size=30),
    method=st.sampled_from(["PUT", "GET", "POST"]),
)
async def test_any_path(workspace: Keys, server: Server, path: str, method: str) -> None:
    path = path.replace(" ", "%20").replace("\\", "%5C")
    pair = Pair(workspace.site_id, workspace.api_key)
    for prefix in (
        "/api/v1/customers/",
        "/api/v1/customers/7/devices/",
        "/api/v1/segments/",
        "/v1/",
        "/v1/definitions/segment/",
        "/",
    ):
        status, body = await raw(server.port, pair, method, prefix + path, b"{}")
        assert status < 500, (prefix + path, body)


@pytest.mark.parametrize(
    "head",
    [
        b"GET /v1/\xff HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET http://x/v1/health/live HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET * HTTP/1.1\r\nHost: x\r\n\r\n",
        b"FLY /v1/clock HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"nonsense\r\n\r\n",
    ],
)
async def test_requests_that_are_hardly_http(server: Server, head: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(head.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
    writer.write_eof()
    answer = await asyncio.wait_for(reader.read(), 10)
    writer.close()
    assert b"Traceback" not in answer
    if answer:
        assert int(answer.split()[1]) < 500
    assert (await server.http.get("/v1/health/live")).status_code == 200


async def test_a_caller_that_goes_away(workspace: Keys, server: Server) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(b"PUT /api/v1/customers/7 HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
    await writer.drain()
    writer.close()
    assert (await workspace.put("7", {})).status_code == 200


async def test_a_fault_of_ours_tells_the_caller_an_error_id_only() -> None:
    app = FastAPI()
    app.add_middleware(Front)
    errors.install(app)

    @app.get("/v1/boom")
    @app.get("/api/v1/boom")
    @app.get("/api/v2/boom")
    async def boom() -> None:
        raise RuntimeError("secret")

    async with AsyncClient(transport=ASGITransport(app), base_url="http://x") as http:
        for path, where in (("/v1/boom", "errors"), ("/api/v1/boom", "meta"), ("/api/v2/boom", "errors")):
            answer = await http.get(path)
            assert answer.status_code == 500
            assert where in answer.json()
            assert "secret" not in answer.text
            assert answer.headers["x-request-id"]
