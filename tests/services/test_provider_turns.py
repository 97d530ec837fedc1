"""A server that is away: nobody hammers it, nobody uses up attempts, and everybody goes on when it is back (SUB-21)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from channels import Channels
from clock import system_now
from domain.operations import Identifier, Identify, TrackEvent
from ingest.catalog import Catalogs
from services import provider_turns as turns_of
from services.deliveries import Deliverer
from services.delivery_outcomes import AWAY
from services.due import DueRunner
from services.provider_turns import gap_after
from services.standing import StandingReader
from store import journeys as journey_store
from store import provider_turns, workspaces
from store.database import Database
from store.notify import Notifier
from store.provider_turns import LOOK
from telemetry.standing import FIGURES
from tests.services.posting import LINKS, Post, begin, campaign
from tests.support.database import START, Room
from tests.support.live import DOMAIN
from tests.support.smtp_server import SmtpServer


@dataclass
class Place:
    """A normal workspace over a server that comes and goes, by a clock that the test moves."""

    room: Room
    server: SmtpServer
    at: datetime = field(default_factory=system_now)

    @property
    def relay(self) -> dict[str, Any]:
        config = {"host": "127.0.0.1", "port": self.server.port, "require_tls": False}
        return {"kind": "provider", "key": "relay", "channel": "email", "provider": "smtp", "config": config}

    def clock(self) -> datetime:
        return self.at

    async def begin(self) -> Post:
        return await begin(self.room, DOMAIN, self.relay, campaign())

    async def another(self, post: Post, number: int) -> Post:
        """Somebody else who stands at the same email."""
        subject = Identifier(kind="id", value=f"p{number}")
        await self.room.apply(
            Identify(subject=subject, attributes={"email": f"p{number}@example.org", "first_name": "P"}),
            TrackEvent(subject=subject, name="go", event_id=f"p{number}"),
        )
        async with self.room.db.connection() as conn:
            found = (await self.room.journeys())[-1]["journey_id"]
            journey = await journey_store.get(conn, self.room.workspace_id, found)
        assert journey is not None
        return Post(self.room, post.deliverer, journey)

    async def hand_over(self, post: Post) -> str:
        prepared = await post.prepare()
        outcome = await post.deliverer.hand_over(prepared, self.clock)
        return (await post.record(prepared, outcome)).status

    async def statuses(self) -> dict[str, tuple[str, int]]:
        rows = await self.room.rows("SELECT recipient, status, attempts FROM deliveries WHERE workspace_id = $1")
        return {row["recipient"]: (row["status"], row["attempts"]) for row in rows}

    async def away(self) -> provider_turns.ProviderTurn | None:
        async with self.room.db.connection() as conn:
            return await provider_turns.get(conn, self.room.workspace_id, "relay")

    async def run(self, deliverer: Deliverer) -> None:
        """What a worker does about what is due by now."""
        runner = DueRunner(
            self.room.db,
            self.room.catalogs,
            Notifier(self.room.db.pool),
            deliverer,
            self.clock,
            workers={LOOK: deliverer.turns.look},
        )
        await runner.look_once()
        await runner.drain()


@asynccontextmanager
async def place(database: Database, **server: Any) -> AsyncIterator[Place]:
    async with database.transaction() as conn:
        number = await workspaces.create(
            conn, name="live", sandbox=False, clock_now=None, delivery_key=b"t" * 32, now=START
        )
    async with SmtpServer(**server) as there:
        yield Place(Room(database, number), there)


async def test_what_waits_for_a_server_costs_no_attempts_and_goes_on_when_it_is_back(database: Database) -> None:
    async with place(database) as here:
        post = await here.begin()
        await here.server.stop()
        assert await here.hand_over(post) == "attempted"
        others = [await here.another(post, number) for number in range(3)]
        assert [await here.hand_over(other) for other in others] == ["queued"] * 3
        assert (await here.statuses())["p1@example.org"] == ("queued", 0)
        async with database.connection() as conn:
            assert await provider_turns.away(conn) >= 1
        await StandingReader(database, lambda: here.at).read()
        assert FIGURES.values["sojourn_providers_away"][()] >= 1

        # Look after look finds nobody, ever more rarely, and nothing else is tried.
        for failures in range(1, 9):
            away = await here.away()
            assert away is not None
            assert away.failures == failures
            assert away.next_at - here.at == gap_after(failures)
            here.at = away.next_at
            await here.run(post.deliverer)
        statuses = await here.statuses()
        assert {name: attempts for name, (_, attempts) in statuses.items()} == {
            "ann@example.com": 1,
            **{f"p{n}@example.org": 0 for n in range(3)},
        }

        await here.server.start()
        away = await here.away()
        assert away is not None
        here.at = away.next_at
        await here.run(post.deliverer)
        assert await here.away() is None
        for _ in range(2):
            here.at += timedelta(seconds=10)
            await here.run(post.deliverer)
        assert {status for status, _ in (await here.statuses()).values()} == {"sent"}
        assert sorted(to for _, (to,) in here.server.taken) == sorted(await here.statuses())
        rows = await here.room.rows("SELECT kind FROM due WHERE workspace_id = $1")
        assert rows == []
        await post.deliverer.close()


async def test_refused_credentials_fail_one_message_and_the_others_wait_for_better_ones(database: Database) -> None:
    async with place(database, password="right") as here:
        login = {"username": "u", "password": "wrong"}
        relay = {**here.relay, "config": {**here.relay["config"], **login}}
        post = await begin(here.room, DOMAIN, relay, campaign())
        assert await here.hand_over(post) == "failed"
        second = await here.another(post, 2)
        assert await here.hand_over(second) == "queued"
        (row,) = await here.room.rows(
            "SELECT failure_message FROM deliveries WHERE workspace_id = $1 AND status = 'queued'"
        )
        assert row["failure_message"] == AWAY
        # The definition is mended: nobody waits for the next look.
        before = await here.away()
        login["password"] = "right"
        await here.room.define({**relay, "config": {**relay["config"], **login}})
        here.at = max(here.at, system_now())
        after = await here.away()
        assert before is not None
        assert after is not None
        assert after.next_at <= here.at
        await here.run(post.deliverer)
        await here.run(post.deliverer)
        assert (await here.statuses())["p2@example.org"] == ("sent", 1)
        await post.deliverer.close()


async def test_other_processes_know_and_a_provider_that_is_gone_holds_nobody(database: Database) -> None:
    async with place(database, greeting="421 4.3.2 Closed for today") as here:
        post = await here.begin()
        assert await here.hand_over(post) == "attempted"
        connections = here.server.connections
        elsewhere = Deliverer(database, Catalogs(), Channels(), link_base_url=LINKS)
        second = await here.another(post, 2)
        second.deliverer = elsewhere
        assert await here.hand_over(second) == "queued"
        assert here.server.connections == connections
        here.server.greeting = None
        other = {**here.relay, "key": "other"}
        await here.room.define({**here.relay, "enabled": False, "use_for": []}, {**other, "use_for": ["all"]})
        away = await here.away()
        assert away is not None
        here.at = max(away.next_at, system_now())
        await here.run(elsewhere)
        await here.run(elsewhere)
        assert (await here.statuses())["p2@example.org"] == ("sent", 1)
        await elsewhere.close()
        await post.deliverer.close()


async def test_many_go_on_a_page_at_a_time(database: Database, monkeypatch: Any) -> None:
    monkeypatch.setattr(turns_of, "PAGE", 2)
    async with place(database, greeting="421 4.3.2 Closed for today") as here:
        post = await here.begin()
        await here.hand_over(post)
        for number in range(5):
            await here.hand_over(await here.another(post, number))
        here.server.greeting = None
        away = await here.away()
        assert away is not None
        here.at = away.next_at
        await here.run(post.deliverer)
        ready = await here.room.rows(
            "SELECT 1 FROM due WHERE workspace_id = $1 AND kind = 'delivery' AND due_at <= $2", here.at
        )
        assert len(ready) <= 2
        for _ in range(8):
            here.at += timedelta(seconds=1)
            await here.run(post.deliverer)
        assert {status for status, _ in (await here.statuses()).values()} == {"sent"}
        await post.deliverer.close()


def test_the_gaps_double_up_to_ten_minutes() -> None:
    gaps = [gap_after(failures).total_seconds() for failures in range(1, 12)]
    assert gaps == [2, 4, 8, 16, 32, 64, 128, 256, 512, 600, 600]
    assert gap_after(10_000).total_seconds() == 600
