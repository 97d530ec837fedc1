"""Rate limits (API-16): the arithmetic of a bucket, portions of one process, and several processes on one bucket."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import asyncpg
import httpx
import pytest
import pytest_asyncio

from clock import system_now
from domain.errors import DomainError
from services.rates import DOCUMENTED, Limit, Rates, draw
from settings import CHECKOUT
from stack.commands import answers_ok, product_environment
from store.database import Database
from store.rates import Bucket
from tests.api.conftest import Keys, Server, free_port, make_workspace, served

START = datetime(2026, 1, 1, 10, tzinfo=UTC)
TEN = Limit(10, 1)
BURST = 30


def later(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def move(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("tokens", "seconds", "wanted", "granted", "left"),
    [
        (10, 0, 4, 4, 6),
        (10, 0, 11, 10, 0),
        (0, 0, 1, 0, 0),
        (0, 0.25, 5, 2, 0.5),
        (0.5, 0.05, 1, 1, 0),
        (9, 60, 10, 10, 0),
        (4, -5, 2, 2, 2),
    ],
)
def test_a_bucket_fills_with_time_and_gives_whole_calls(tokens, seconds, wanted, granted, left):
    drawn = draw(Bucket(tokens, START), TEN, wanted, later(seconds))
    assert (drawn.tokens, drawn.left.tokens) == (granted, pytest.approx(left))
    assert drawn.left.refilled_at == max(START, later(seconds))


def test_what_is_published():
    assert {kind: (limit.calls, limit.seconds) for kind, limit in DOCUMENTED.items()} == {
        "track": (1000, 1),
        "pipelines": (3000, 3),
        "app": (10, 1),
        "sends": (3000, 3),
    }
    assert [limit.portion for limit in DOCUMENTED.values()] == [100, 100, 1, 100]


async def taken(rates: Rates, workspace: Keys, kind: str, times: int) -> int:
    """How many of so many calls at once were let through."""
    answers = await asyncio.gather(*(rates.take(workspace.id, kind) for _ in range(times)), return_exceptions=True)
    refused = [answer for answer in answers if answer is not None]
    assert all(isinstance(answer, DomainError) and answer.code == "rate_limited" for answer in refused)
    return times - len(refused)


@pytest.fixture
def clock() -> Clock:
    return Clock()


async def test_a_process_lets_through_what_the_bucket_holds(live, clock):
    rates = Rates(live.db, DOCUMENTED, clock)
    assert await taken(rates, live, "track", 1200) == 1000
    assert await taken(rates, live, "track", 5) == 0
    clock.move(0.25)
    assert await taken(rates, live, "track", 400) == 250
    clock.move(60)
    assert await taken(rates, live, "track", 1200) == 1000
    # Other classes and other workspaces have buckets of their own.
    assert await taken(rates, live, "app", 20) == 10


async def test_two_processes_draw_from_one_bucket(live, clock):
    one, two = Rates(live.db, DOCUMENTED, clock), Rates(live.db, DOCUMENTED, clock)
    counts = await asyncio.gather(taken(one, live, "app", 8), taken(two, live, "app", 8))
    assert sum(counts) == 10
    clock.move(0.5)
    counts = await asyncio.gather(taken(one, live, "app", 8), taken(two, live, "app", 8))
    assert sum(counts) == 5


async def test_what_one_process_holds_is_at_most_a_portion(live, clock):
    one, two = Rates(live.db, DOCUMENTED, clock), Rates(live.db, DOCUMENTED, clock)
    assert await taken(one, live, "track", 1) == 1
    assert await taken(two, live, "track", 1200) == 1000 - DOCUMENTED["track"].portion
    assert await taken(one, live, "track", 200) == DOCUMENTED["track"].portion - 1
    # What was drawn and not used in time is no longer good: the bucket has filled again meanwhile.
    clock.move(30)
    assert await taken(one, live, "track", 1) == 1
    clock.move(30)
    assert await taken(one, live, "track", 1200) == 1000


async def test_nobody_waits_for_a_database_that_is_away(server, clock):
    away = await Database.connect(server.services.database_url, min_size=0)
    await away.close()
    rates = Rates(away, DOCUMENTED, clock)
    answers = await asyncio.gather(*(rates.take(1, "app") for _ in range(3)), return_exceptions=True)
    assert all(isinstance(answer, asyncpg.InterfaceError) for answer in answers)


@contextlib.asynccontextmanager
async def process(server: Server) -> AsyncIterator[httpx.AsyncClient]:
    """A real API process with limits on the same database."""
    settings = server.services.settings.with_changes(api_port=free_port(), rate_limits="documented")
    child = await asyncio.create_subprocess_exec(
        *[sys.executable, "-m", "api.app"],
        cwd=CHECKOUT,
        env=product_environment(settings, {}, CHECKOUT),
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(60):
            while not await answers_ok(settings.api_port, "/v1/health/live"):
                assert child.returncode is None
                await asyncio.sleep(0.05)
        async with httpx.AsyncClient(base_url=settings.api_url, timeout=30) as http:
            yield http
    finally:
        if child.returncode is None:
            child.terminate()
        await child.wait()


async def test_two_api_processes_count_together(server, live):
    async with process(server) as one, process(server) as two:
        began = system_now()
        answers = await asyncio.gather(
            *(http.get("/v1/clock", headers=live.app) for http in (one, two) for _ in range(BURST))
        )
        passed = (system_now() - began).total_seconds()
    statuses = [answer.status_code for answer in answers]
    assert set(statuses) == {200, 429}
    most = 10 + passed * 10 + 2 * DOCUMENTED["app"].portion
    assert 10 <= statuses.count(200) <= most


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def limited(server: Server) -> AsyncIterator[httpx.AsyncClient]:
    """The application with limits."""
    settings = server.services.settings.with_changes(api_port=free_port(), rate_limits="documented")
    async with served(settings), httpx.AsyncClient(base_url=settings.api_url, timeout=30) as http:
        yield http


async def empty(keys: Keys, kind: str) -> None:
    """Have a bucket empty for a long while."""
    async with keys.db.transaction() as conn:
        await conn.execute(
            "INSERT INTO rate_buckets VALUES ($1, $2, 0, $3)", keys.id, kind, system_now() + timedelta(hours=1)
        )


async def test_refusals_of_the_app_api(limited, live):
    await empty(live, "app")
    answer = await limited.get("/v1/clock", headers=live.app)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "1")
    body = answer.json()
    (error,) = body["errors"]
    assert error["status"] == "429"
    assert error["detail"].startswith("rate limited to 10 requests per 1s (reference ")
    assert (error["code"], body["meta"]["error"]) == ("rate_limited", error["detail"])


async def test_refusals_of_the_track_api(limited, live):
    await empty(live, "track")
    for path, method in (("/api/v1/customers/7", "PUT"), ("/api/v2/batch", "POST")):
        answer = await limited.request(method, path, auth=live.basic, json={})
        assert (answer.status_code, answer.headers["retry-after"]) == (429, "1")
        assert answer.json()["meta"]["error"] == "rate limited to 1000 requests per 1s"
    assert await live.log() == []
    # The App API has a bucket of its own, and a service account none.
    assert (await limited.get("/v1/clock", headers=live.app)).status_code == 200


async def test_neither_sandboxes_nor_deployments_without_limits_count(server, limited, live):
    sandbox = await make_workspace(server, sandbox=True)
    for keys, http in ((sandbox, limited), (live, server.http)):
        answers = await asyncio.gather(*(http.get("/v1/clock", headers=keys.app) for _ in range(BURST)))
        assert {answer.status_code for answer in answers} == {200}
