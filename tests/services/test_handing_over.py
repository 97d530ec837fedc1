"""Handing messages over to a real SMTP server, and every way in which that may break off."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from clock import system_now
from domain.errors import DomainError
from stack.sink import Behaviour, SmtpSink
from store import workspaces
from store.database import Database
from tests.services.posting import begin, campaign
from tests.support.database import START, Room
from tests.support.live import DOMAIN


@dataclass
class Live:
    """A normal workspace whose email goes to a real SMTP server."""

    room: Room
    sink: SmtpSink
    received: list[bytes] = field(default_factory=list)

    def relay(self, **more: Any) -> dict[str, Any]:
        config = {"host": "127.0.0.1", "port": self.sink.port, "require_tls": False}
        return {"kind": "provider", "key": "relay", "channel": "email", "provider": "smtp", "config": config, **more}


@asynccontextmanager
async def live(database: Database) -> AsyncIterator[Live]:
    async with database.transaction() as conn:
        number = await workspaces.create(
            conn, name="live", sandbox=False, clock_now=None, delivery_key=b"l" * 32, now=START
        )
    received: list[bytes] = []

    async def keep(raw: bytes, _sender: str, _recipients: list[str]) -> None:
        received.append(raw)

    sink = SmtpSink(0, on_message=keep)
    await sink.start()
    try:
        place = Live(Room(database, number), sink, received)
        await place.room.define(DOMAIN)
        yield place
    finally:
        await sink.stop()
        async with database.transaction() as conn:
            # Normal workspaces share one list of suppressed addresses, and this database is not this test's alone.
            await conn.execute("DELETE FROM suppressed_addresses WHERE workspace_id = 0")


async def test_real_smtp(database: Database) -> None:
    async with live(database) as place:
        post = await begin(place.room, campaign(), place.relay())
        recorded = await post.deliver()
        assert (recorded.status, recorded.explanation, len(place.received)) == ("sent", None, 1)
        assert b"List-Unsubscribe: <" in place.received[0]
        assert (await post.delivery()).provider == "relay"
        await post.deliverer.close()


async def test_a_workspace_without_a_provider_says_so(database: Database) -> None:
    async with live(database) as place:
        post = await begin(place.room, campaign())
        recorded = await post.deliver()
        assert (recorded.status, recorded.explanation) == (
            "failed", "There is no enabled provider for email in this workspace"
        )  # fmt: skip
        assert (await post.delivery()).attempts == 0


async def test_messages_take_the_way_of_their_type(database: Database) -> None:
    async with live(database) as place:
        broken = {"kind": "provider", "key": "events", "channel": "email", "provider": "capture"}
        post = await begin(place.room, campaign(), place.relay(), {**broken, "use_for": ["event_triggered"]})
        assert (await post.deliver()).status == "delivered"
        assert place.received == []
        assert [mail["to"] for mail in await post.mailbox()] == [["ann@example.com"]]


async def test_cut_off_while_handing_over_is_ambiguous_and_not_sent_again(database: Database) -> None:
    async with live(database) as place:
        post = await begin(place.room, campaign(), place.relay())
        place.sink.drop_after_data = 1
        recorded = await post.deliver()
        assert recorded.status == "sent"
        assert (await post.delivery()).ambiguous
        assert len(place.received) == 1
        assert await post.figures() == {"created": 1, "sent": 1, "ambiguous": 1}
        await post.deliverer.close()


async def test_cut_off_while_handing_over_is_sent_again_where_that_is_wanted(database: Database) -> None:
    async with live(database) as place:
        post = await begin(place.room, campaign(), place.relay(), ambiguous_resend=True)
        place.sink.drop_after_data = 1
        assert (await post.deliver()).status == "attempted"
        assert not (await post.delivery()).ambiguous
        async with place.room.db.transaction() as conn:
            await conn.execute(
                "UPDATE deliveries SET held_until = NULL WHERE workspace_id = $1", place.room.workspace_id
            )
        await post.retry()
        assert (await post.delivery()).status == "sent"
        assert len(place.received) == 2
        await post.deliverer.close()


async def test_a_process_that_dies_in_the_hand_over_leaves_an_ambiguous_message(database: Database) -> None:
    async with live(database) as place:
        post = await begin(place.room, campaign(), place.relay())
        prepared = await post.prepare()
        lost = await post.deliverer.hand_over(prepared, system_now)
        recorded = await post.deliver()
        assert (recorded.status, len(place.received)) == ("sent", 1)
        assert (await post.delivery()).ambiguous
        # It was not dead after all: its answer clears the doubt, and nothing is counted twice.
        await post.record(prepared, lost)
        assert not (await post.delivery()).ambiguous
        assert await post.figures() == {"created": 1, "sent": 1}
        await post.deliverer.close()


async def test_of_two_executors_one_sends(database: Database) -> None:
    async with live(database) as place:
        post = await begin(place.room, campaign(), place.relay())
        place.sink.delay = 0.1
        one, other = await post.prepare(), await post.prepare()
        outcomes = await asyncio.gather(
            post.deliverer.hand_over(one, system_now),
            post.deliverer.hand_over(other, system_now),
            return_exceptions=True,
        )
        refused = [outcome for outcome in outcomes if isinstance(outcome, DomainError)]
        assert [error.code for error in refused] == ["delivery_in_hand"]
        assert len(place.received) == 1
        await post.deliverer.close()


async def test_a_server_that_is_away_is_asked_again(database: Database) -> None:
    async with live(database) as place:
        post = await begin(place.room, campaign(), place.relay())
        await place.sink.stop()
        recorded = await post.deliver()
        row = await post.delivery()
        assert (recorded.status, row.handed_over_at, row.attempts) == ("attempted", None, 1)
        assert row.held_until is not None
        assert 1 < (row.held_until - system_now()).total_seconds() <= 2 or row.held_until <= system_now()


async def test_a_refused_recipient_bounces(database: Database) -> None:
    async with live(database) as place:
        post = await begin(place.room, campaign(), place.relay())
        place.sink.behaviours = [Behaviour("rcpt", "550 5.1.1 No such user")]
        recorded = await post.deliver()
        assert (recorded.status, recorded.explanation) == ("bounced", "550 5.1.1 No such user")
        await post.deliverer.close()
