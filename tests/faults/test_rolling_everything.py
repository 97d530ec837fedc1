"""Every process of a deployment ended in order and started again under load, one after the other: nobody notices."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from itertools import count
from typing import Self

import pytest

from bench.errand import CAMPAIGN, KEY, Traveller, expected
from bench.ordeal import CALL_LIMIT, Caller, all_ended, judged
from domain.values import stable_fraction
from tests.faults.deployment import Deployment
from tests.faults.mailing import audience, doubtful, finished, state, written_once
from tests.faults.sending import Calls, sent_once
from tests.support.balanced import another
from tests.support.broadcasting import broadcast, email
from tests.support.eventually import eventually
from tests.support.live import Workspace

pytestmark = [pytest.mark.faults, pytest.mark.stack, pytest.mark.timeout(1500)]

PACE = 0.3
"""Seconds between two people who begin a journey, and between two transactional sends."""
ANSWER_WITHIN = 8.0
MOST = 1_000
RATE = 20
"""Messages of the broadcast in a second."""
EACH = 8
"""Seconds for which the broadcast goes on for each process that is restarted, so that it spans them."""
IN_HAND = 50
"""What may be at a mail server when PostgreSQL is restarted, so that nobody can tell whether it was taken."""


@dataclass
class Load:
    """People on errands, transactional sends and a broadcast, all at once and each in a workspace of its own."""

    deployment: Deployment
    errands: Workspace
    sends: Calls
    news: Workspace
    people: int
    travellers: list[Traveller] = field(default_factory=list)

    @classmethod
    async def make(cls, deployment: Deployment, people: int) -> Self:
        """The workspaces, with everything running and the broadcast begun."""
        errands = await deployment.normal(CAMPAIGN)
        await errands.start(KEY)
        sends = Calls(await deployment.normal())
        rate = {"limit": RATE, "per": "second"}
        news = await deployment.normal(broadcast(blocks={"mail": email()}, send_rate=rate))
        await audience(deployment, news, people)
        await news.call("POST", "/v1/broadcasts/news/start")
        await news.call("POST", "/v1/campaigns/news/triggers", {"data": {"headline": "News"}})
        return cls(deployment, errands, sends, news, people)

    async def run(self, stop: asyncio.Event) -> None:
        """Put it on until told to stop, and return when the last call is accepted."""
        site, key = self.errands.site_id, self.errands.api_key
        everybody = [Traveller(number) for number in range(MOST)]
        client = another(self.errands.client, timeout=CALL_LIMIT)
        async with (
            Caller(str(client.base_url), site, key, client=client) as caller,
            asyncio.TaskGroup() as group,
        ):
            await caller.introduce(everybody)
            for number in count():
                if stop.is_set():
                    return
                assert number < MOST, "raise the bound, or look why it lasts so long"
                person = everybody[number]
                self.travellers.append(person)
                group.create_task(caller.go(person, ANSWER_WITHIN * stable_fraction("rolling", person.id)))
                group.create_task(self.sends.insist(f"send-{number}"))
                await asyncio.sleep(PACE)

    async def goes_on(self) -> None:
        """Return when a further journey has ended, a further send was answered and further news are out."""
        before = await self._counts()

        async def further() -> bool:
            now = await self._counts()
            return all(later > earlier for later, earlier in zip(now, before, strict=True))

        await eventually(further, "journeys, sends and the broadcast go on", 120)

    async def _counts(self) -> tuple[int, int, int]:
        ended = "SELECT count(*) FROM journeys WHERE workspace_id = $1 AND state <> 'in_progress'"
        out = "SELECT count(*) FROM deliveries WHERE workspace_id = $1 AND status <> 'queued'"
        values = self.deployment.values
        mails = await values(out, self.news)
        # A broadcast that is over cannot go on; it spans most restarts, which is enough.
        news = mails[0] if mails[0] < self.people else self.people + len(self.sends.answered)
        return (await values(ended, self.errands))[0], len(self.sends.answered), news

    async def verify(self) -> int:
        """Everybody is through by their way, and each message came once; how many nobody can tell of."""
        deployment, errands = self.deployment, self.errands
        url = deployment.stack.describe().database_url
        assert await all_ended(url, errands.id, len(self.travellers), 60)
        ways = {person.id: expected(person) for person in self.travellers}
        verdict = await judged(url, errands.id, ways, deployment.received.deliveries)
        assert verdict.flawless, verdict
        await deployment.everybody_through(errands)
        sends = await sent_once(deployment, self.sends, captured=False)
        assert len(sends) == len(self.travellers)
        await finished(self.news, 60 + self.people / RATE)
        news = await written_once(deployment, self.news, self.people)
        for workspace in (self.sends.workspace, self.news):
            await deployment.everybody_through(workspace)
        return len(verdict.unsure) + sum(row["ambiguous"] for row in sends) + doubtful(deployment, news)


async def test_everything_is_restarted_in_order_and_nothing_is_lost_or_doubled(deployment: Deployment) -> None:
    stack = deployment.stack
    order = sorted(stack.children, key=_turn)
    load = await Load.make(deployment, RATE * EACH * len(order))
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        running = group.create_task(load.run(stop))
        await load.goes_on()
        for name in order:
            await stack.restart(name)
            await load.goes_on()
        assert (await state(load.news))["state"] in ("sending", "finished")
        stop.set()
        await running
    unsure = await load.verify()
    print(f"{len(order)} restarts, {len(load.travellers)} journeys, {unsure} messages unsure")  # noqa: T201 - a figure to read
    assert unsure <= IN_HAND


def _turn(name: str) -> int:
    """APIs first, then workers, then Temporal, PostgreSQL last; as an operator would who upgrades all of them."""
    return next(turn for turn, kind in enumerate(("api", "worker", "temporal", "postgres")) if name.startswith(kind))
