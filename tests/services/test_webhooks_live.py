"""Webhooks of real workspaces: an endpoint on this machine is really called, and may do anything (ACT-29 to ACT-31)."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import orjson
import pytest

from activities.holding import holding
from channels.base import Outside
from clock import system_now
from domain.operations import Identifier, Identify, TrackEvent
from domain.signatures import signature
from domain.steps import JourneyRef
from services import signing_keys
from services.captures import CaptureMailbox
from store import workspaces
from store.database import Database
from tests.services.test_webhooks import ANN, TEAM, campaign, webhook
from tests.support.database import START, Room
from tests.support.walking import Walk


@dataclass
class Asked:
    """One request as it came in."""

    line: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Endpoint:
    """A server of somebody; `answers` are used up from the left, the last one stays."""

    answers: list[bytes | None]
    asked: list[Asked] = field(default_factory=list)
    url: str = ""

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = dict(line.split(": ", 1) for line in head[1:] if line)
        low = {name.lower(): value for name, value in headers.items()}
        body = await reader.readexactly(int(low.get("content-length", "0")))
        self.asked.append(Asked(head[0], low, body))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if answer is None:
            # It never says anything.
            await reader.read()
        else:
            writer.write(answer)
            with contextlib.suppress(ConnectionError):
                await writer.drain()
        writer.close()


def http(status: str = "200 OK", body: bytes = b"{}", **headers: str) -> bytes:
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {status}\r\n{lines}Content-Length: {len(body)}\r\n\r\n".encode() + body


@contextlib.asynccontextmanager
async def endpoint(*answers: bytes | None) -> AsyncIterator[Endpoint]:
    made = Endpoint(list(answers))
    server = await asyncio.start_server(made.handle, "127.0.0.1", 0)
    async with server:
        made.url = f"http://localhost:{server.sockets[0].getsockname()[1]}"
        yield made


@contextlib.asynccontextmanager
async def live(database: Database, **outside: Any) -> AsyncIterator[Walk]:
    """A real workspace, whose deployment lets calls go to this machine."""
    async with database.transaction() as conn:
        number = await workspaces.create(
            conn, name="live", sandbox=False, clock_now=None, delivery_key=b"l" * 32, now=START
        )
    options = {"allow_private": True, "tls": ssl.create_default_context(), **outside}
    walk = Walk(Room(database, number), outside=Outside(CaptureMailbox(database), **options))
    try:
        yield walk
    finally:
        await walk.close()


async def begin(walk: Walk, call: dict[str, Any], *documents: dict[str, Any]) -> str:
    """Somebody who has just entered the campaign; the id of the journey."""
    pause = {"type": "time_delay", "duration": "P1D"}
    with allowing():
        await walk.room.define(TEAM, *documents, campaign(call, after=pause))
    await walk.room.run_campaign("c")
    subject = Identifier(kind="id", value="p0")
    await walk.room.apply(Identify(subject=subject, attributes=ANN), TrackEvent(subject=subject, name="go", data={}))
    (journey,) = await walk.room.journeys()
    return str(journey["journey_id"])


@contextlib.contextmanager
def allowing() -> Any:
    from services import private_urls

    private_urls.configure(allowed=True)
    try:
        yield
    finally:
        private_urls.configure(allowed=False)


async def again(walk: Walk) -> None:
    """The next attempt, as if its instant had come."""
    await walk.room.rows("UPDATE deliveries SET held_until = NULL WHERE workspace_id = $1 RETURNING 1")
    for row in await walk.due():
        await walk.deliverer.retry(walk.room.workspace_id, row["ref"], system_now)
    await walk.go()


async def test_a_real_call_is_signed_as_it_is_sent(database: Database) -> None:
    async with endpoint(http(body=b'{"ok":true}')) as there, live(database) as walk:
        url = there.url.replace("http://", "http://KEY@") + "/hook?x=1"
        await walk.one(await begin(walk, webhook(url, request={"method": "PUT", "body": '{"a": "ä"}'})))
        (asked,) = there.asked
        async with database.transaction() as conn:
            (key,) = await signing_keys.keys_of(conn, walk.room.workspace_id, "webhook", system_now())
        assert (asked.line, asked.body) == ("PUT /hook?x=1 HTTP/1.1", '{"a": "ä"}'.encode())
        assert asked.headers["host"] == there.url.removeprefix("http://")
        assert asked.headers["authorization"] == "Basic S0VZOg=="
        assert asked.headers["content-type"] == "application/json"
        stamp = int(asked.headers["x-cio-timestamp"])
        assert asked.headers["x-cio-signature"] == signature(key, stamp, asked.body)
        delivery = await walk.delivery("call")
        assert asked.headers["x-cio-idempotency-key"] == asked.headers["x-cio-delivery-id"] == delivery["delivery_id"]
        assert (delivery["status"], delivery["provider"], delivery["attempts"]) == ("sent", "http", 1)
        (attempt,) = await walk.attempts()
        assert attempt["answer"] == f'200 OK to PUT {there.url}/hook?x=1: {{"ok":true}}'


async def test_private_addresses_are_not_called(database: Database) -> None:
    async with endpoint(http()) as there, live(database, allow_private=False) as walk:
        await walk.one(await begin(walk, webhook(there.url)))
        delivery = await walk.delivery("call")
        assert (delivery["status"], there.asked) == ("failed", [])
        assert "private" in delivery["failure_message"]


async def test_redirects_are_not_followed(database: Database) -> None:
    async with endpoint(http("302 Found", b"", Location="/elsewhere")) as there, live(database) as walk:
        await walk.one(await begin(walk, webhook(there.url)))
        assert ((await walk.delivery("call"))["status"], len(there.asked)) == ("failed", 1)


async def test_a_large_answer_is_not_read_to_its_end(database: Database) -> None:
    async with endpoint(http(body=b"x" * 102_401)) as there, live(database) as walk:
        await walk.one(await begin(walk, webhook(there.url)))
        delivery = await walk.delivery("call")
        assert (delivery["status"], delivery["attempts"], await walk.due()) == ("failed", 1, [])
    async with endpoint(http(body=b"x" * 102_400)) as there, live(database) as walk:
        await walk.one(await begin(walk, webhook(there.url)))
        assert (await walk.delivery("call"))["status"] == "sent"


async def test_silence_is_tried_again_and_the_answer_is_waited_for(database: Database) -> None:
    async with endpoint(None, http(body=b'{"weather":"rainy"}')) as there, live(database, call_seconds=0.2) as walk:
        await walk.one(await begin(walk, webhook(there.url, response={"journey": {"weather": "response.weather"}})))
        delivery = await walk.delivery("call")
        assert (delivery["status"], delivery["ambiguous"]) == ("attempted", False)
        assert delivery["failure_message"] == f"No answer to POST {there.url} within 0.2 seconds"
        await again(walk)
        (journey,) = await walk.room.journeys()
        assert (journey["block"], journey["attributes"]) == ("after", {"weather": "rainy"})
        assert len({asked.headers["x-cio-idempotency-key"] for asked in there.asked}) == 1


async def test_nobody_there_is_tried_again(database: Database) -> None:
    async with endpoint(http()) as there:
        url = there.url
    async with live(database) as walk:
        await walk.one(await begin(walk, webhook(url)))
        delivery = await walk.delivery("call")
        assert (delivery["status"], len(await walk.due())) == ("attempted", 1)
        assert "could not be connected to" in delivery["failure_message"]


async def test_a_broken_connection_is_tried_again(database: Database) -> None:
    async with endpoint(b"", http()) as there, live(database) as walk:
        await walk.one(await begin(walk, webhook(there.url)))
        assert (await walk.delivery("call"))["status"] == "attempted"
        await again(walk)
        assert ((await walk.delivery("call"))["status"], len(there.asked)) == ("sent", 2)


async def test_who_is_asked_to_come_back_later_does(database: Database) -> None:
    async with endpoint(http("429 Too Many Requests", b"", Retry_After="90")) as there, live(database) as walk:
        before = system_now()
        await walk.one(await begin(walk, webhook(there.url)))
        (row,) = await walk.due()
        assert 85 < (row["due_at"] - before).total_seconds() < 120
    async with endpoint(http("503 Busy", b"", Retry_After="86000")) as there, live(database) as walk:
        before = system_now()
        await walk.one(await begin(walk, webhook(there.url)))
        (row,) = await walk.due()
        assert 1_190 < (row["due_at"] - before).total_seconds() < 1_230


async def test_a_killed_worker_leaves_a_call_that_is_repeated_with_its_key(database: Database) -> None:
    async with endpoint(http(body=b'{"n":1}'), http(body=b'{"n":2}')) as there, live(database) as walk:
        journey_id = await begin(walk, webhook(there.url, response={"journey": {"n": "response.n"}}))
        step = await walk.advance(journey_id)
        ref = JourneyRef(workspace_id=walk.room.workspace_id, journey_id=journey_id)
        async with holding(database, walk.room.catalogs, ref, system_now) as held:
            assert held is not None
            prepared = await walk.deliverer.prepare(held.conn, held.unit, held.journey, "call", held.now)
            await held.unit.flush()
        lost = await walk.deliverer.hand_over(prepared, system_now)
        assert lost.result == "sent"
        await walk.deliver(journey_id, step)
        one, other = there.asked
        assert one.headers["x-cio-idempotency-key"] == other.headers["x-cio-idempotency-key"]
        delivery = await walk.delivery("call")
        assert (delivery["status"], delivery["attempts"], delivery["ambiguous"]) == ("sent", 1, False)
        (journey,) = await walk.room.journeys()
        assert journey["attributes"] == {"n": 2}


async def test_cookies_are_not_kept(database: Database) -> None:
    async with endpoint(http("503 Busy", b"", Set_Cookie="a=b; Path=/"), http()) as there, live(database) as walk:
        await walk.one(await begin(walk, webhook(there.url)))
        await again(walk)
        assert [asked.headers.get("cookie") for asked in there.asked] == [None, None]


SLACK = {"kind": "provider", "key": "slack", "channel": "slack", "provider": "slack", "config": {"bot_token": "xoxb-1"}}


def post(**more: Any) -> dict[str, Any]:
    message = {"channel": "#new-signups", "text": "{{ customer.email }} signed up", "username": "Bot"}
    return {"type": "slack", "sending_state": "automatic", "message": message, **more}


def said(**word: Any) -> bytes:
    return http(body=orjson.dumps(word))


async def test_slack_is_really_asked(database: Database) -> None:
    async with endpoint(said(ok=True, ts="17.1")) as there, live(database, slack_url=there.url + "/api") as walk:
        await walk.one(await begin(walk, post(), SLACK))
        (asked,) = there.asked
        assert asked.line == "POST /api HTTP/1.1"
        assert asked.headers["authorization"] == "Bearer xoxb-1"
        assert orjson.loads(asked.body) == {
            "channel": "#new-signups", "text": "ann@example.com signed up", "username": "Bot"
        }  # fmt: skip
        delivery = await walk.delivery("call")
        assert (delivery["status"], delivery["provider_ref"], delivery["recipient"]) == ("sent", "17.1", "#new-signups")
        assert "xoxb" not in str(await walk.attempts())


@pytest.mark.parametrize("word", ["channel_not_found", "not_in_channel", "invalid_auth"])
async def test_slack_refuses_at_once(database: Database, word: str) -> None:
    async with endpoint(said(ok=False, error=word)) as there, live(database, slack_url=there.url) as walk:
        await walk.one(await begin(walk, post(), SLACK))
        delivery = await walk.delivery("call")
        assert (delivery["status"], delivery["failure_message"], await walk.due()) == ("failed", word, [])


@pytest.mark.parametrize(
    ("first", "least"),
    [
        (lambda: http("429 Too Many Requests", b"", Retry_After="30"), 25),
        (lambda: http("503 Busy", b""), 1),
        (lambda: said(ok=False, error="internal_error"), 1),
    ],
)
async def test_slack_is_asked_again(database: Database, first: Callable[[], bytes], least: float) -> None:
    async with endpoint(first(), said(ok=True)) as there, live(database, slack_url=there.url) as walk:
        before = system_now()
        await walk.one(await begin(walk, post(), SLACK))
        (row,) = await walk.due()
        assert (row["kind"], (row["due_at"] - before).total_seconds() >= least) == ("delivery", True)
        await again(walk)
        assert ((await walk.delivery("call"))["status"], len(there.asked)) == ("sent", 2)


async def test_slack_without_a_provider_fails(database: Database) -> None:
    async with live(database) as walk:
        await walk.one(await begin(walk, post()))
        delivery = await walk.delivery("call")
        assert (delivery["status"], delivery["failure_message"]) == (
            "failed", "There is no enabled provider for slack in this workspace"
        )  # fmt: skip
