"""What fault tests share: a stack of their own, workspaces under load in it, and what must be true afterwards."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from email import message_from_bytes
from email.policy import default
from typing import Any

import asyncpg
import httpx
from temporalio.client import Client

from stack.supervisor import Stack
from tests.support.eventually import eventually
from tests.support.live import SENDER, Workspace, campaign, email, on_event
from tests.support.load import EVENT, Call, Load

MAILS = ("first", "second")


@dataclass
class Received:
    """Everything the SMTP sink has taken, counted outside of what the tests kill."""

    subjects: Counter[str] = field(default_factory=Counter)

    async def record(self, raw: bytes, _sender: str, _recipients: list[str]) -> None:
        """Count one message."""
        self.subjects[str(message_from_bytes(raw, policy=default)["Subject"])] += 1


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
        await workspace.define(SENDER, sink_provider(self.stack), *documents)
        return workspace

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

        async def dead() -> bool:
            return self.stack.children[child].deaths > 0

        await eventually(dead, f"{child} reaches the fault point")
        await self.stack.wait_ready(child)


@contextlib.asynccontextmanager
async def deployed(stack: Stack, received: Received) -> AsyncIterator[Deployment]:
    """The stack, running until the end."""
    async with stack, httpx.AsyncClient(base_url=stack.describe().api_url, timeout=130) as http:
        yield Deployment(stack, http, received)


@dataclass
class Scene:
    """Load on a sandbox and on a normal workspace of one deployment, and the proof that each call counted once."""

    deployment: Deployment
    loads: list[Load]

    @classmethod
    async def make(cls, deployment: Deployment) -> Scene:
        """Two workspaces with running campaigns and known people."""
        sandbox = await deployment.sandbox(walk(None))
        normal = await deployment.normal(walk("PT1S"))
        loads = [Load(sandbox, f"s{sandbox.id}"), Load(normal, f"n{normal.id}")]
        for load in loads:
            await load.workspace.start("walk")
            await load.prepare()
        return cls(deployment, loads)

    @property
    def sandbox(self) -> Load:
        """The load on the sandbox."""
        return self.loads[0]

    @property
    def normal(self) -> Load:
        """The load on the workspace whose mail leaves by SMTP."""
        return self.loads[1]

    @contextlib.asynccontextmanager
    async def load(self) -> AsyncIterator[Scene]:
        """Both loads running."""
        async with self.sandbox.running(), self.normal.running():
            yield self

    async def more(self, calls: int, within: float = 40.0) -> None:
        """Return when each workspace has accepted so many further calls."""
        for load in self.loads:
            await load.more(calls, within)

    async def verify(self) -> None:
        """Everybody gets through, and every call answered 2xx has its effect exactly once, every other at most once."""
        for load in self.loads:
            await self.deployment.everybody_through(load.workspace)
            happened = await self._facts_once(load)
            await self._journeys_once(load, happened)
        await self._captured_once(self.sandbox)
        await self._mailed_once(self.normal)

    async def _facts_once(self, load: Load) -> set[str]:
        """The tokens of the events that happened."""
        query = "SELECT data->>'call' FROM events WHERE workspace_id = $1"
        events = Counter(await self.deployment.values(query, load.workspace))
        _once(load, "event", events)
        query = """SELECT token FROM activities a, jsonb_object_keys(a.data->'attributes') AS token
                   WHERE a.workspace_id = $1 AND a.type = 'attribute_change' AND token LIKE $2"""
        changes = Counter(await self.deployment.values(query, load.workspace, f"{load.name}-%"))
        _once(load, "identify", changes)
        query = """SELECT token FROM people p, jsonb_object_keys(p.attributes) AS token
                   WHERE p.workspace_id = $1 AND token LIKE $2"""
        assert set(await self.deployment.values(query, load.workspace, f"{load.name}-%")) == set(changes)
        return set(events)

    async def _journeys_once(self, load: Load, happened: set[str]) -> None:
        """One journey per event that happened, walked to its end once, each step and delivery once."""
        journeys = await self.deployment.rows(
            """SELECT j.trigger->'event'->'data'->>'call' AS call, j.state, j.reason, p.id AS person,
                      (SELECT array_agg(s.block || ' ' || s.outcome ORDER BY s.seq_num) FROM journey_steps s
                       WHERE s.workspace_id = j.workspace_id AND s.journey_id = j.journey_id) AS steps,
                      (SELECT array_agg(d.block ORDER BY d.block) FROM deliveries d
                       WHERE d.workspace_id = j.workspace_id AND d.journey_id = j.journey_id) AS deliveries
               FROM journeys j JOIN people p USING (workspace_id, person_id) WHERE j.workspace_id = $1""",
            load.workspace,
        )
        assert Counter(journey["call"] for journey in journeys) == Counter(happened)
        steps = ["count done", "first done", *(["pause done"] if load is self.normal else []), "second done"]
        for journey in journeys:
            assert (journey["state"], journey["reason"]) == ("finished", "completed"), journey
            assert journey["steps"] == steps, journey
            assert journey["deliveries"] == ["first", "second"], journey
        query = "SELECT id, attributes->>'walked' AS walked FROM people WHERE workspace_id = $1"
        walked = {row["id"]: int(row["walked"] or 0) for row in await self.deployment.rows(query, load.workspace)}
        assert walked == dict.fromkeys(load.people, 0) | Counter(journey["person"] for journey in journeys)

    async def _captured_once(self, load: Load) -> None:
        """In a sandbox each message is captured once, none is ambiguous."""
        query = "SELECT status, ambiguous FROM deliveries WHERE workspace_id = $1"
        rows = await self.deployment.rows(query, load.workspace)
        assert Counter((row["status"], row["ambiguous"]) for row in rows) == Counter({("delivered", False): len(rows)})
        query = "SELECT rendered->'fields'->>'subject' FROM mailbox WHERE workspace_id = $1"
        captured = Counter(await self.deployment.values(query, load.workspace))
        expected = await self.deployment.values(
            "SELECT subject FROM deliveries WHERE workspace_id = $1", load.workspace
        )
        assert captured == Counter(expected)

    async def _mailed_once(self, load: Load) -> None:
        """By SMTP each message has arrived once; one whose hand-over was cut off may be missing, and is told of."""
        query = "SELECT subject, status, ambiguous FROM deliveries WHERE workspace_id = $1"
        for row in await self.deployment.rows(query, load.workspace):
            arrived = self.deployment.received.subjects[row["subject"]]
            assert row["status"] == "sent", row
            assert arrived in ((0, 1) if row["ambiguous"] else (1,)), (row, arrived)


def _once(load: Load, kind: str, seen: Counter[str]) -> None:
    """What was answered 2xx happened once, what was not at most once, and nothing else."""
    accepted, unsure = (_tokens(calls, kind) for calls in (load.accepted, load.unsure))
    lost = sorted(accepted - set(seen))
    assert not lost, f"answered 2xx and lost: {lost}"
    doubled = sorted(token for token, times in seen.items() if times != 1)
    assert not doubled, f"more than once: {doubled}"
    assert set(seen) <= accepted | unsure


def _tokens(calls: list[Call], kind: str) -> set[str]:
    return {call.token for call in calls if call.kind == kind}
