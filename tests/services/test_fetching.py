"""Fetching files: how far a caller's URL may reach, and what is said where it may not (PPL-45)."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from domain.captured import FaultRule
from services.fetching import FetchFailed, fetch
from store import mailbox, workspaces
from store.workspaces import WorkspaceRow
from tests.support.database import START, Room

Served = Callable[[str], bytes]


@contextlib.asynccontextmanager
async def serving(answer: Served) -> AsyncIterator[str]:
    """A server on this machine; `answer` gets the head of a request and gives the whole answer."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        writer.write(answer(head))
        with contextlib.suppress(ConnectionError):
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    async with server:
        yield f"http://localhost:{server.sockets[0].getsockname()[1]}"


def ok(body: bytes, kind: str = "text/csv") -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Type: %b\r\nContent-Length: %d\r\n\r\n%b" % (kind.encode(), len(body), body)


def to(location: str) -> bytes:
    return f"HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n".encode()


@pytest.fixture
async def normal(room: Room) -> WorkspaceRow:
    async with room.db.transaction() as conn:
        number = await workspaces.create(
            conn, name="test", sandbox=False, clock_now=None, delivery_key=b"k" * 32, now=START
        )
        found = await workspaces.get(conn, number)
    assert found is not None
    return found


async def refused(call: Awaitable[Any]) -> FetchFailed:
    with pytest.raises(FetchFailed) as caught:
        await call
    return caught.value


async def test_a_file_is_fetched_where_private_addresses_are_allowed(room: Room, normal: WorkspaceRow):
    heads = []

    def answer(head: str) -> bytes:
        heads.append(head)
        return ok(b"id\n1\n")

    async with serving(answer) as base:
        found = await fetch(room.db, normal, f"{base}/a.csv?x=1", limit=5, allow_private=True)
        assert (found.body, found.content_type) == (b"id\n1\n", "text/csv")
        assert heads[0].startswith("GET /a.csv?x=1 ")
        assert f"host: {base.removeprefix('http://')}" in heads[0].lower()


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "[::1]", "10.0.0.1", "169.254.169.254", "[::ffff:10.0.0.1]"]
)
async def test_private_addresses_are_refused(room: Room, normal: WorkspaceRow, host: str):
    failure = await refused(fetch(room.db, normal, f"http://{host}:9/x", limit=100))
    assert failure.code == "private_address"


@pytest.mark.parametrize("url", ["ftp://example.com/x", "file:///etc/passwd", "nonsense", "http://", "http://[", ""])
async def test_only_http_is_spoken(room: Room, normal: WorkspaceRow, url: str):
    assert (await refused(fetch(room.db, normal, url, limit=100))).code == "url_invalid"


async def test_redirects_are_followed_and_each_is_looked_at(room: Room, normal: WorkspaceRow):
    def answer(head: str) -> bytes:
        path = head.split(" ")[1]
        return ok(b"here") if path == "/end" else to("/end" if path == "/start" else path)

    async with serving(answer) as base:
        found = await fetch(room.db, normal, f"{base}/start", limit=100, allow_private=True)
        assert found.body == b"here"
        failure = await refused(fetch(room.db, normal, f"{base}/round", limit=100, allow_private=True))
        assert failure.message == "The URL redirects too often."
    async with serving(lambda _head: to("ftp://example.com/")) as base:
        assert (await refused(fetch(room.db, normal, base, limit=100, allow_private=True))).code == "url_invalid"


@pytest.mark.parametrize("declared", [True, False])
async def test_what_is_too_large_is_not_taken(room: Room, normal: WorkspaceRow, *, declared: bool):
    body = ok(b"x" * 101) if declared else b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + b"x" * 101
    async with serving(lambda _head: body) as base:
        failure = await refused(fetch(room.db, normal, base, limit=100, allow_private=True))
        assert failure.code == "length"


@pytest.mark.parametrize(("status", "passing"), [("404 Not Found", False), ("503 Busy", True), ("429 Slow", True)])
async def test_other_answers_say_whether_to_try_again(room: Room, normal: WorkspaceRow, status: str, *, passing: bool):
    async with serving(lambda _head: f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode()) as base:
        failure = await refused(fetch(room.db, normal, base, limit=100, allow_private=True))
    assert (status[:3] in failure.message, failure.passing) == (True, passing)


async def test_nobody_there(room: Room, normal: WorkspaceRow):
    async with serving(lambda _head: b"") as base:
        pass
    assert (await refused(fetch(room.db, normal, base, limit=100, allow_private=True))).passing


async def sandboxed(room: Room, *rules: dict[str, Any]) -> WorkspaceRow:
    async with room.db.transaction() as conn:
        given = [FaultRule.model_validate({"channel": "webhook", **rule}) for rule in rules]
        await mailbox.replace_faults(conn, room.workspace_id, given)
        found = await workspaces.get(conn, room.workspace_id)
    assert found is not None
    return found


async def test_a_sandbox_calls_nobody(room: Room):
    failure = await refused(fetch(room.db, await sandboxed(room), "http://localhost:9/", limit=100))
    assert "fault rule" in failure.message


async def test_a_sandbox_calls_where_a_rule_lets_it(room: Room):
    async with serving(lambda _head: ok(b"real")) as base:
        sandbox = await sandboxed(room, {"outcome": "pass_through", "url": base, "times": 1})
        assert (await fetch(room.db, sandbox, f"{base}/x", limit=100)).body == b"real"
        assert "fault rule" in (await refused(fetch(room.db, sandbox, f"{base}/x", limit=100))).message


@pytest.mark.parametrize(
    ("rule", "body", "kind"),
    [
        ({"body": "id\n1\n"}, b"id\n1\n", "text/plain; charset=utf-8"),
        ({"body": [{"a": 1}]}, b'[{"a":1}]', "application/json"),
        ({}, b"{}", "application/json"),
    ],
)
async def test_a_rule_answers(room: Room, rule: dict[str, Any], body: bytes, kind: str):
    sandbox = await sandboxed(room, {"outcome": "answer", **rule})
    found = await fetch(room.db, sandbox, "https://example.com/", limit=100)
    assert (found.body, found.content_type) == (body, kind)


@pytest.mark.parametrize(
    ("rule", "passing"),
    [
        ({"outcome": "timeout"}, True),
        ({"outcome": "http_status", "status": 503}, True),
        ({"outcome": "answer", "status": 404}, False),
    ],
)
async def test_a_rule_fails(room: Room, rule: dict[str, Any], *, passing: bool):
    failure = await refused(fetch(room.db, await sandboxed(room, rule), "https://example.com/", limit=100))
    assert failure.passing == passing
