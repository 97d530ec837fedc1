"""Bounded load: several clients that call at a steady pace and remember what each single call was answered."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Literal

import httpx

from tests.support.balanced import another
from tests.support.eventually import eventually
from tests.support.live import Workspace

EVENT = "order"
CALL_LIMIT = 10.0


@dataclass(frozen=True)
class Call:
    """One call that was sent once: its token stands in the event's data, or is the name of an attribute."""

    token: str
    kind: Literal["identify", "event"]
    person: str


@dataclass
class Load:
    """Calls of one workspace: each client has a person of its own and alternates events and attributes.

    A client goes on after a failed connection and after a 5xx with a new call, so that no call is ever sent twice. Any
    other refusal ends the load with an error.
    """

    workspace: Workspace
    name: str = "load"
    clients: int = 2
    pace: float = 0.4
    most: int = 300
    accepted: list[Call] = field(default_factory=list)
    unsure: list[Call] = field(default_factory=list)

    @property
    def people(self) -> list[str]:
        """The ids of the people concerned."""
        return [f"{self.name}-{number}" for number in range(self.clients)]

    async def prepare(self) -> None:
        """Make the people known, with an address."""
        for person in self.people:
            await self.workspace.identify(person, email=f"{person}@example.com")

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[Load]:
        """Call in the background; on leaving no call is under way any more."""
        stop = asyncio.Event()
        tasks = [asyncio.create_task(self._client(person, stop)) for person in self.people]
        try:
            yield self
        finally:
            stop.set()
            results = await asyncio.gather(*tasks, return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                raise result

    async def more(self, calls: int, within: float = 30.0) -> None:
        """Return when so many further calls were answered 2xx."""
        wanted = len(self.accepted) + calls

        async def answered() -> bool:
            return len(self.accepted) >= wanted

        await eventually(answered, f"{calls} further calls of {self.name} answered 2xx", within)

    async def _client(self, person: str, stop: asyncio.Event) -> None:
        async with another(self.workspace.client, timeout=CALL_LIMIT) as client:
            for call in self._calls(person):
                if stop.is_set():
                    return
                await self._send(client, call)
                await asyncio.sleep(self.pace)
        raise AssertionError(f"{self.most} calls of {person} did not do: raise the bound or look why it lasts so long")

    def _calls(self, person: str) -> Iterator[Call]:
        for number in count(1):
            if number > self.most:
                return
            yield Call(f"{person}-{number}", "event" if number % 2 else "identify", person)

    async def _send(self, client: httpx.AsyncClient, call: Call) -> None:
        path, auth = f"/api/v1/customers/{call.person}", self.workspace.track_auth
        try:
            if call.kind == "event":
                body = {"name": EVENT, "data": {"call": call.token}}
                answer = await client.post(f"{path}/events", json=body, headers=auth)
            else:
                answer = await client.put(path, json={call.token: True}, headers=auth)
        except httpx.TransportError:
            self.unsure.append(call)
            return
        if answer.status_code >= 500:
            self.unsure.append(call)
            return
        assert answer.status_code == 200, f"{call}: {answer.status_code} {answer.text}"
        self.accepted.append(call)
