"""What endpoints, data and dying workers can do to a webhook: nothing that holds a journey up (ACT-29 to ACT-32)."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import socket
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import pytest_asyncio

from activities.holding import holding
from channels.base import HttpCall, Outside
from channels.http import HttpCaller
from clock import system_now
from domain.operations import Identifier, Identify, TrackEvent
from domain.steps import JourneyRef, StepResult
from services import journeys
from services.captures import CaptureMailbox
from services.deliveries import Prepared
from store.database import Database
from tests.services.test_webhooks import ANN, TEAM, answer, begin, campaign, status, told, webhook
from tests.services.test_webhooks_live import SLACK, endpoint, http, live, post
from tests.services.test_webhooks_live import begin as enter
from tests.support.database import Room
from tests.support.walking import Walk

PERSON = Identifier(kind="id", value="p0")


@pytest_asyncio.fixture(loop_scope="session")
async def walk(room: Room) -> AsyncIterator[Walk]:
    made = Walk(room)
    yield made
    await made.close()


async def at_the_call(walk: Walk, document: dict[str, Any], **person: Any) -> tuple[str, StepResult, Prepared]:
    """A journey whose worker has stored the delivery of its first block, and nothing more."""
    await walk.room.define(TEAM, document)
    await walk.room.run_campaign("c")
    await walk.room.apply(Identify(subject=PERSON, attributes={**ANN, **person}))
    await walk.room.apply(TrackEvent(subject=PERSON, name="go", data={}, event_id="e"))
    (row,) = await walk.room.journeys()
    step = await walk.advance(row["journey_id"])
    ref = JourneyRef(workspace_id=walk.room.workspace_id, journey_id=row["journey_id"])
    async with holding(walk.room.db, walk.room.catalogs, ref, system_now) as held:
        assert held is not None
        prepared = await walk.deliverer.prepare(held.conn, held.unit, held.journey, "call", held.now)
        await held.unit.flush()
    return row["journey_id"], step, prepared


async def calls(walk: Walk) -> list[dict[str, Any]]:
    return [mail for mail in await walk.mailbox() if mail["channel"] == "webhook"]


async def test_an_attempt_is_not_repeated_by_a_worker_that_died_after_writing_it_down(walk: Walk) -> None:
    await walk.faults(status(500))
    mapped = campaign(webhook(response={"journey": {"weather": "response.weather"}}), after=told())
    journey_id, step, _ = await at_the_call(walk, mapped)
    assert (await walk.deliver(journey_id, step)).kind == "wait"
    due = await walk.due()
    # Temporal never heard of it, and has the activity done again.
    assert (await walk.deliver(journey_id, step)).kind == "wait"
    assert ((await walk.delivery("call"))["attempts"], len(await calls(walk)), await walk.due()) == (1, 1, due)


@pytest.mark.parametrize("called", [False, True])
async def test_a_call_that_lost_its_worker_is_made_although_its_journey_has_ended(walk: Walk, *, called: bool) -> None:
    journey_id, step, prepared = await at_the_call(walk, campaign(webhook()))
    if called:
        await walk.deliverer.hand_over(prepared, system_now)
    await journeys.end_one(walk.room.db, walk.room.workspace_id, journey_id, system_now())
    assert (await walk.deliver(journey_id, step)).kind == "ended"
    assert len(await walk.due()) == 1
    await walk.work()
    delivery = await walk.delivery("call")
    assert (delivery["status"], delivery["attempts"], len(await calls(walk)), await walk.due()) == ("sent", 1, 1, [])


async def test_numbers_and_texts_that_cannot_be_kept_hold_nobody_up(walk: Walk) -> None:
    many = 10**24
    body = {"many": str(many), "half": '"\\ud800"', "endless": "1e999"}
    await walk.faults(answer(body))
    mapped = {name: f"{{{{ response.{name} }}}}" for name in body}
    await begin(walk, campaign(webhook(response={"journey": mapped, "customer": mapped}), after=told("x")))
    step = (await walk.steps())["call"]
    assert (step["outcome"], "lone surrogates" in step["explanation"]) == ("done", True)
    person = (await walk.room.rows("SELECT attributes FROM people WHERE workspace_id = $1"))[0]["attributes"]
    assert (person["many"], person["endless"], "half" in person) == (1e24, "1e999", False)


async def test_braces_that_data_brings_into_an_address_are_looked_at_like_everything_else(walk: Walk) -> None:
    await at_the_call(walk, campaign(webhook("https://{{ customer.host }}/x")), host="[{{ 7")
    await walk.go()
    delivery = await walk.delivery("call")
    assert (delivery["status"], delivery["failure_message"]) == (
        "failed",
        "The URL is none that can be called (in url)",
    )
    assert (await walk.room.journeys())[0]["state"] == "finished"


async def test_a_secret_address_is_not_in_the_mailbox_either(room: Room) -> None:
    url = "https://us3r:passw0rd@hooks.example.com/T0/hidden"
    walk = Walk(room, secrets={"CRM_URL": url})
    saved = {"kind": "webhook", "key": "crm", "name": "CRM", "url": {"secret": "CRM_URL"}}
    await begin(walk, saved, campaign(webhook() | {"request": {"webhook": "crm"}}))
    (mail,) = await calls(walk)
    assert (mail["to"], mail["rendered"]["payload"]["headers"]["Authorization"]) == (["********"], "********")
    assert "hidden" not in str(mail)
    await walk.close()


@pytest.mark.parametrize("said", ["Mon, 01 Jan 2020 00:00:00 +999999999999999999999999", "-1", "soon"])
async def test_an_endpoint_may_ask_for_any_nonsense(database: Database, said: str) -> None:
    async with endpoint(http("503 Service Unavailable", b"", Retry_After=said)) as there, live(database) as walk:
        await walk.one(await enter(walk, webhook(there.url)))
        assert ((await walk.delivery("call"))["status"], len(await walk.due())) == ("attempted", 1)


async def test_packed_answers_are_read_and_those_that_swell_are_not(database: Database) -> None:
    small = http(body=gzip.compress(b'{"weather":"rainy"}'), Content_Encoding="gzip")
    mapped = webhook("", response={"journey": {"weather": "response.weather"}})
    async with endpoint(small) as there, live(database) as walk:
        mapped["request"]["url"] = there.url
        await walk.one(await enter(walk, mapped))
        assert (await walk.room.journeys())[0]["attributes"] == {"weather": "rainy"}
    bomb = gzip.compress(gzip.compress(b"x" * 50_000_000))
    for body, encoding in ((gzip.compress(b"x" * 50_000_000), "gzip"), (bomb, "gzip, gzip")):
        async with endpoint(http(body=body, Content_Encoding=encoding)) as there, live(database) as walk:
            mapped["request"]["url"] = there.url
            await walk.one(await enter(walk, mapped))
            outcome = (await walk.delivery("call"))["status"]
            # Packed twice it is not unpacked at all, and its answer is no JSON.
            assert (outcome, (await walk.room.journeys())[0]["attributes"]) == (
                "sent" if "," in encoding else "failed", {}
            )  # fmt: skip


async def test_calls_in_hand_are_answered_before_their_way_is_closed(database: Database) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        begun.set()
        await go_on.wait()
        writer.write(http(body=b"late"))
        writer.close()

    async def nothing() -> None:
        """Nothing is noted."""

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    async with server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        caller = HttpCaller(Outside(CaptureMailbox(database), allow_private=True), allow_private=True)
        call = asyncio.create_task(caller.call(HttpCall("POST", url, (), b"", url), nothing))
        await begun.wait()
        closing = asyncio.create_task(caller.close())
        await asyncio.sleep(0)
        go_on.set()
        assert (await call).body == b"late"
        await closing


@contextlib.contextmanager
def busy() -> Iterator[str]:
    """An address at which nobody takes connections any more, because too many wait already."""
    with contextlib.ExitStack() as opened:
        there = opened.enter_context(socket.socket())
        there.bind(("127.0.0.1", 0))
        there.listen(0)
        for _ in range(4):
            waiting = opened.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(there.getsockname())
        yield f"http://127.0.0.1:{there.getsockname()[1]}/"


async def test_a_post_that_never_left_is_not_called_ambiguous(database: Database) -> None:
    with busy() as url:
        async with live(database, slack_url=url, call_seconds=0.2) as walk:
            await walk.one(await enter(walk, post(), SLACK))
            delivery = await walk.delivery("call")
            assert (delivery["status"], delivery["ambiguous"], len(await walk.due())) == ("attempted", False, 1)


async def test_a_token_that_is_no_header_is_refused_and_not_taken_for_sent(database: Database) -> None:
    broken = {**SLACK, "config": {"bot_token": "xoxb-1\n"}}
    with socket.socket() as there:
        there.bind(("127.0.0.1", 0))
        there.listen(4)
        async with live(database, slack_url=f"http://127.0.0.1:{there.getsockname()[1]}/") as walk:
            await walk.one(await enter(walk, post(), broken))
            delivery = await walk.delivery("call")
            assert (delivery["status"], delivery["ambiguous"]) == ("failed", False)
            assert "cannot be sent as it is written" in delivery["failure_message"]


async def test_a_post_that_left_without_an_answer_is_ambiguous(database: Database) -> None:
    async with endpoint(None) as there, live(database, slack_url=there.url, call_seconds=0.3) as walk:
        await walk.one(await enter(walk, post(), SLACK))
        delivery = await walk.delivery("call")
        assert (delivery["status"], delivery["ambiguous"], len(there.asked)) == ("sent", True, 1)
