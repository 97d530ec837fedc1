"""A stack that fault tests may break, with workspaces in it and a sink that sees what really arrived."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import asyncpg
import httpx
from temporalio.client import Client

from domain.received import read
from settings import CHECKOUT, PREFIX
from stack.supervisor import Stack
from tests.support.balanced import Balanced
from tests.support.eventually import eventually
from tests.support.live import DOMAIN, SENDER, Workspace, campaign, email, on_event
from tests.support.load import EVENT


@dataclass
class Received:
    """Everything the SMTP sink has taken, counted outside of what the tests kill."""

    deliveries: Counter[str] = field(default_factory=Counter)

    async def record(self, raw: bytes, _sender: str, _recipients: list[str]) -> None:
        """Count one message under the delivery it names."""
        self.deliveries[read(raw).delivery_id or ""] += 1


class Gap(NamedTuple):
    """Seconds from a death until work went on, and until the process itself was ready again."""

    work: float
    restart: float

    @property
    def short(self) -> bool:
        """Whether the death cost ten seconds at most beside a start of the process, which a busy machine draws out."""
        return self.work <= 10 + self.restart

    def __str__(self) -> str:
        return f"work went on after {self.work:.1f} s, the process was ready again after {self.restart:.1f} s"


def walk(pause: str | None) -> dict[str, Any]:
    """A campaign that counts its passes on the person and sends two messages, with a pause between them."""
    counting = {"walked": {"liquid": "{{ customer.walked | default: 0 | plus: 1 }}"}}
    blocks: dict[str, Any] = {
        "count": {"type": "update_person", "set": counting, "next": "first"},
        "first": email("first {{ event.call }}", next="second" if pause is None else "pause"),
        "second": email("second {{ event.call }}"),
    }
    if pause is not None:
        blocks["pause"] = {"type": "time_delay", "duration": pause, "next": "second"}
    return campaign("walk", on_event(EVENT), "count", blocks, exit="never")


def sink_provider(stack: Stack) -> dict[str, Any]:
    """The way out of a normal workspace: real SMTP to the stack's sink."""
    config = {"host": stack.sink.host, "port": stack.sink.port, "require_tls": True}
    return {
        "kind": "provider",
        "key": "sink",
        "name": "Sink",
        "channel": "email",
        "provider": "smtp",
        "config": config,
    }


@dataclass
class Deployment:
    """A running stack with what its sink received."""

    stack: Stack
    http: httpx.AsyncClient
    received: Received

    async def sandbox(self, *documents: dict[str, Any]) -> Workspace:
        """A sandbox with a sender and these definitions."""
        workspace = await Workspace.create(self.stack.describe(), self.http)
        await workspace.define(SENDER, *documents)
        return workspace

    async def normal(self, *documents: dict[str, Any]) -> Workspace:
        """A workspace on real time whose mail leaves by SMTP."""
        workspace = await Workspace.create(self.stack.describe(), self.http, sandbox=False)
        await workspace.define(DOMAIN, SENDER, sink_provider(self.stack), *documents)
        return workspace

    def built_in(self, name: str) -> Workspace:
        """One of the workspaces that the stack is born with."""
        [keys] = [keys for keys in self.stack.describe().workspaces if keys.name == name]
        track = {"kind": "track", "site_id": keys.site_id, "api_key": keys.api_key}
        app = {"kind": "app", "app_key": keys.app_key}
        return Workspace(self.http, {"workspace": {"id": keys.id}, "credentials": [track, app]})

    async def rows(self, query: str, workspace: Workspace, *arguments: Any) -> list[dict[str, Any]]:
        """What a query whose first argument is the workspace answers, over a connection of its own."""
        conn = await asyncpg.connect(self.stack.describe().database_url)
        try:
            return [dict(record) for record in await conn.fetch(query, workspace.id, *arguments)]
        finally:
            await conn.close()

    async def values(self, query: str, workspace: Workspace, *arguments: Any) -> list[Any]:
        """The first column of the same."""
        return [next(iter(row.values())) for row in await self.rows(query, workspace, *arguments)]

    async def under_way(self, workspace: Workspace) -> int:
        """How many journeys have not ended."""
        query = "SELECT count(*) FROM journeys WHERE workspace_id = $1 AND state = 'in_progress'"
        return (await self.values(query, workspace))[0]

    async def parked(self, workspace: Workspace) -> int:
        """How many of them stand in a wait."""
        query = """SELECT count(*) FROM journeys
                   WHERE workspace_id = $1 AND state = 'in_progress' AND wait IS NOT NULL AND seen = wanted"""
        return (await self.values(query, workspace))[0]

    async def everybody_parked(self, workspace: Workspace, journeys: int) -> None:
        """Return when so many journeys stand in a wait."""

        async def look() -> bool:
            return await self.parked(workspace) == journeys

        await eventually(look, f"{journeys} journeys wait")

    async def everybody_through(self, workspace: Workspace, within: float = 90.0) -> None:
        """Return when nothing is left to do: all applied, no journey under way, none running in Temporal either."""
        await workspace.settle(int(within))

        async def nobody_inside() -> bool:
            return not await self.under_way(workspace)

        await eventually(nobody_inside, "no journey is under way", within)
        await workspace.settle(int(within))
        stack = self.stack.describe()
        client = await Client.connect(stack.temporal_address, namespace=self.stack.settings.temporal_namespace)

        async def nothing_open() -> bool:
            query = f"workspace = {workspace.id} AND ExecutionStatus = 'Running'"
            return (await client.count_workflows(query)).count == 0

        await eventually(nothing_open, "no workflow is open in Temporal", 15)

    async def died(self, child: str) -> None:
        """Return when a child that was started with a fault has been killed by it, and works again."""
        await self._dead(child)
        await self.stack.wait_ready(child)
        await self._disarm(child)

    async def gap(self, child: str, look: Callable[[], Awaitable[object]]) -> Gap:
        """How long it takes from the death of a child, of which it comes back by itself, until something is true."""
        await self._dead(child)
        clock = asyncio.get_running_loop().time
        began = clock()

        async def back() -> float:
            await self.stack.wait_ready(child)
            return clock() - began

        restart = asyncio.create_task(back())
        await eventually(look, f"work goes on after the death of {child}", 60)
        gap = Gap(clock() - began, await restart)
        await self._disarm(child)
        print(f"{child} was killed: {gap}")  # noqa: T201 - a figure to read
        return gap

    async def console(self, *arguments: str, **variables: str) -> str:
        """What `sojourn ...` prints for an operator beside the stack, with these settings beside it."""
        given = {PREFIX + name: value for name, value in variables.items()}
        process = await asyncio.create_subprocess_exec(
            *[sys.executable, "-m", "cli", *arguments],
            cwd=CHECKOUT,
            env={**os.environ, "SOJOURN_DATA_DIR": str(self.stack.settings.data_dir), **given},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        printed, complaint = await asyncio.wait_for(process.communicate(), 60)
        assert process.returncode == 0, complaint.decode()
        return printed.decode()

    async def repair(self, **variables: str) -> dict[str, int]:
        """What `sojourn journeys repair` did."""
        answer: dict[str, int] = json.loads(await self.console("journeys", "repair", "--json", **variables))
        return answer

    async def _disarm(self, child: str) -> None:
        """Of several processes that were started with a fault, start those anew whom it has not killed."""
        stack = self.stack
        members = stack.topology.members(child, list(stack.children))
        await asyncio.gather(*[stack.restart(member) for member in members if not stack.deaths(member)])

    async def _dead(self, child: str) -> None:
        async def dead() -> bool:
            return self.stack.deaths(child) > 0

        await eventually(dead, f"{child} dies", 60)


@contextlib.asynccontextmanager
async def deployed(stack: Stack, received: Received) -> AsyncIterator[Deployment]:
    """The stack, running until the end."""
    async with stack, Balanced(stack.describe().api_urls, timeout=130) as http:
        yield Deployment(stack, http, received)
