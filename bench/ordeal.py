"""People sent through the errand while processes are killed, and the verdict on what became of each of them."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, Self

import asyncpg
import httpx

from bench.errand import ENROL, FAR, PAID, PATIENCE, Traveller, Way
from clock import system_now
from domain.values import stable_fraction, to_unix
from stack.supervisor import Stack

CHILDREN: Final = ("worker-ingest", "worker-journeys", "api", "postgres", "temporal")
_NEEDED_FIRST: Final = ("postgres", "temporal", "api", "worker-ingest", "worker-journeys")
TRY_AGAIN: Final = 0.25
CALL_LIMIT: Final = 15.0
ANSWER_WITHIN: Final = 12.0
"""Seconds from enrolling within which whoever answers does so: some before they are waited for, most while they are."""
LOOK_EVERY: Final = 0.5
READY_LIMIT: Final = 120.0


@dataclass
class Killer:
    """Kills processes of a stack by SIGKILL, all kinds equally often, in an order that `seed` decides.

    Up to `at_once` die together; the next ones die when all are ready again and up to `pause` seconds have passed, and
    none after `within` seconds.
    """

    stack: Stack
    seed: str
    kills: int
    at_once: int = 1
    pause: float = 2.0
    within: float = 120.0
    killed: Counter[str] = field(default_factory=Counter)

    async def run(self) -> None:
        """Kill until all kills are done."""
        victims = self._order()
        clock = asyncio.get_running_loop().time
        end = clock() + self.within
        while victims and clock() < end:
            together: list[str] = []
            draw = stable_fraction(self.seed, "together", str(len(victims)))
            for _ in range(1 + int(draw * self.at_once)):
                if victims and victims[-1] not in together:
                    together.append(victims.pop())
            for child in together:
                await self.stack.kill(child)
                self.killed[child] += 1
            # What others need comes first: a worker whose database is away may end at its start.
            for child in sorted(together, key=_NEEDED_FIRST.index):
                await self.stack.wait_ready(child, READY_LIMIT)
            await asyncio.sleep(self.pause * stable_fraction(self.seed, "pause", str(len(victims))))

    def _order(self) -> list[str]:
        rounds = range(-(-self.kills // len(CHILDREN)))
        mixed = [sorted(CHILDREN, key=lambda c: stable_fraction(self.seed, str(turn), c)) for turn in rounds]
        return [child for one in mixed for child in one][: self.kills]


class Caller:
    """Tells the product of people by the Track API, each call again and again until it is accepted."""

    def __init__(self, api_url: str, user: str, password: str, *, client: httpx.AsyncClient | None = None) -> None:
        self._client = client or httpx.AsyncClient(base_url=api_url, timeout=CALL_LIMIT)
        self._auth = (user, password)
        self.again = 0

    async def __aenter__(self) -> Self:
        await self._client.__aenter__()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._client.aclose()

    async def tell(self, method: str, path: str, body: Any) -> None:
        """Make a call until it is answered 200; what may have been accepted and was not answered is sent again."""
        while True:
            try:
                answer = await self._client.request(method, path, json=body, auth=self._auth)
            except httpx.TransportError:
                pass
            else:
                if answer.status_code < 500:
                    if answer.status_code != 200:
                        raise RuntimeError(f"{method} {path}: {answer.status_code} {answer.text[:300]}")
                    return
            self.again += 1
            await asyncio.sleep(TRY_AGAIN)

    async def introduce(self, people: Sequence[Traveller]) -> None:
        """Make people known before they travel, a thousand a call."""
        for first in range(0, len(people), 1000):
            batch = [
                {"type": "person", "action": "identify", "identifiers": {"id": p.id}, "attributes": p.attributes}
                for p in people[first : first + 1000]
            ]
            await self.tell("POST", "/api/v2/batch", {"batch": batch})

    async def travel(self, people: Sequence[Traveller], span: float, seed: str) -> None:
        """Let people enrol evenly over so many seconds, and answer as they do; returns when the last call is accepted."""
        async with asyncio.TaskGroup() as group:
            for turn, person in enumerate(people):
                answer = ANSWER_WITHIN * stable_fraction(seed, "answer", person.id)
                group.create_task(self._later(person, span * turn / len(people), answer))

    async def _later(self, person: Traveller, start: float, answer: float) -> None:
        await asyncio.sleep(start)
        await self.go(person, answer)

    async def go(self, person: Traveller, answer: float) -> None:
        """Let one person enrol now, and answer so many seconds later; returns when the last call is accepted."""
        path = f"/api/v1/customers/{person.id}"
        until = to_unix(system_now()) + (PATIENCE if person.ending == "silent" else FAR)
        enrol = {"name": ENROL, "id": f"enrol-{person.number}", "data": {"token": person.id, "until": until}}
        await self.tell("POST", f"{path}/events", enrol)
        if person.ending == "silent":
            return
        await asyncio.sleep(answer)
        if person.ending == "pays":
            await self.tell("POST", f"{path}/events", {"name": PAID, "id": f"paid-{person.number}"})
        else:
            await self.tell("PUT", path, {"cancelled": True})


class Verdict(NamedTuple):
    """What became of everybody. `unsure` are messages of which the product says that it cannot know whether they left."""

    people: int
    finished: int
    astray: list[str]
    doubled: list[str]
    missing: list[str]
    unsure: list[str]

    @property
    def flawless(self) -> bool:
        """Everybody at the end by the way that was theirs, each message once, none missing that is not told of."""
        return self.finished == self.people and not (self.astray or self.doubled or self.missing)


async def all_ended(database_url: str, workspace_id: int, journeys: int, within: float) -> bool:
    """Whether so many journeys have begun and ended; false once none has ended for so long.

    A slow machine gets the time it needs, one that stands still does not.
    """
    query = "SELECT count(*) FILTER (WHERE state <> 'in_progress') FROM journeys WHERE workspace_id = $1"
    clock = asyncio.get_running_loop().time
    ended, moved_at = 0, clock()
    while clock() < moved_at + within:
        connection = await asyncpg.connect(database_url)
        try:
            found = await connection.fetchval(query, workspace_id)
        finally:
            await connection.close()
        if found >= journeys:
            return True
        if found > ended:
            ended, moved_at = found, clock()
        await asyncio.sleep(LOOK_EVERY)
    return False


_JOURNEYS = """
    SELECT p.id, j.state, p.attributes->>'walked' AS walked,
           (SELECT array_agg(concat_ws(' ', s.block, s.outcome, s.path) ORDER BY s.seq_num) FROM journey_steps s
            WHERE s.workspace_id = j.workspace_id AND s.journey_id = j.journey_id
              AND s.started_at = j.started_at) AS steps
    FROM journeys j JOIN people p USING (workspace_id, person_id) WHERE j.workspace_id = $1"""
_MESSAGES = """
    SELECT p.id, d.delivery_id, d.subject, d.ambiguous
    FROM deliveries d JOIN people p USING (workspace_id, person_id) WHERE d.workspace_id = $1"""


async def judged(database_url: str, workspace_id: int, ways: Mapping[str, Way], received: Counter[str]) -> Verdict:
    """Hold the journeys, and what a sink received of their deliveries, against the way of each person."""
    connection = await asyncpg.connect(database_url)
    try:
        journeys = await connection.fetch(_JOURNEYS, workspace_id)
        messages = await connection.fetch(_MESSAGES, workspace_id)
    finally:
        await connection.close()
    astray = [f"{row['id']} is not ours" for row in journeys if row["id"] not in ways]
    times = Counter(row["id"] for row in journeys)
    doubled = [f"{count} journeys of {person}" for person, count in times.items() if count != 1]
    finished = 0
    for row in journeys:
        finished += row["state"] == "finished"
        steps = tuple(row["steps"] or ())
        if row["id"] in ways and (steps != ways[row["id"]].steps or row["walked"] != "1"):
            astray.append(f"{row['id']}, {row['state']}, counted {row['walked']}: {steps}")
    arrived: Counter[str] = Counter()
    unsure = []
    for row in messages:
        arrived[row["subject"]] += received[row["delivery_id"]]
        if row["ambiguous"] and not received[row["delivery_id"]]:
            unsure.append(row["subject"])
    wanted = {subject for way in ways.values() for subject in way.subjects}
    doubled += [f"{subject} came {count} times" for subject, count in arrived.items() if count > 1]
    astray += [f"{subject} was not to be sent" for subject in arrived if subject not in wanted]
    missing = sorted(subject for subject in wanted if not arrived[subject] and subject not in unsure)
    return Verdict(len(ways), finished, astray, doubled, missing, unsure)


__all__ = ["CHILDREN", "Caller", "Killer", "Verdict", "all_ended", "judged"]
