"""PostgreSQL, Temporal and our own worker in one place, and workspaces to walk people through campaigns in."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from temporalio.client import WorkflowHistory

import worker
from clock import system_now
from domain.operations import Identifier, Identify, TrackEvent
from ingest.accept import Acceptor
from ingest.catalog import Catalogs
from keeper import Keeper
from services import campaigns, clock, definitions, workspaces
from settings import CHECKOUT, Settings
from stack.commands import product_environment, run_tool
from stack.process import Child
from stack.services import postgres_and_temporal
from stack.temporal import set_up
from store import journeys
from store.database import Database
from store.journeys import JourneyRow
from store.notify import Notifier
from workflows.gateway import Gateway

START = datetime.fromisoformat("2026-01-01T10:00:00+00:00")
READY_LIMIT = 30.0
CONTINUE_AFTER = 120
"""Events after which workflows continue as new here; the bounds that are tested lie below."""
MAIL: list[dict[str, Any]] = [
    {"kind": "sender", "key": "team", "name": "Team", "email": "team@example.com", "default": True},
    {"kind": "domain", "key": "main", "domain": "example.com", "use": "sending"},
    {"kind": "provider", "key": "out", "name": "Out", "channel": "email", "provider": "capture"},
]


@dataclass
class Engine:
    """The servers, with connections of the test's own."""

    settings: Settings
    db: Database
    notifier: Notifier
    gateway: Gateway
    servers: dict[str, Child]

    @classmethod
    @contextlib.asynccontextmanager
    async def running(cls) -> AsyncIterator[Engine]:
        """Everything but the worker, on free ports, gone afterwards."""
        async with postgres_and_temporal(continue_after=CONTINUE_AFTER) as services:
            settings = services.settings.with_changes(deployment_key="k" * 16 + "0123456789abcdef")
            await run_tool(["alembic", "upgrade", "head"], product_environment(settings, {}, CHECKOUT), CHECKOUT)
            db = await Database.connect(services.database_url, max_size=10)
            gateway = await Gateway.connect(services.temporal_address, settings.temporal_namespace, lazy=False)
            notifier = Notifier(db.pool)
            try:
                servers = {child.name: child for child in (services.postgres, services.temporal) if child is not None}
                yield cls(settings, db, notifier, gateway, servers)
            finally:
                await notifier.close()
                await db.close()

    @contextlib.asynccontextmanager
    async def working(self, roles: tuple[str, ...] = worker.ROLES, **changes: Any) -> AsyncIterator[Keeper]:
        """Our worker process's whole work inside this one, under changed settings."""
        keeper = Keeper(worker.expected)
        running = asyncio.create_task(worker.run(self.settings.with_changes(**changes), roles, keeper))
        try:
            await until(lambda: running.done() or (keeper.ready and all(keeper.ready.values())))
            assert not running.done(), running.exception()
            yield keeper
        finally:
            keeper.stop.set()
            await running

    async def restart(self, server: str) -> None:
        """Kill a server and return when it is back."""
        await self.servers[server].kill()
        await self.servers[server].wait_ready()

    async def lose_temporal(self) -> None:
        """Have Temporal forget everything: its file is gone, and the set-up is made again."""
        temporal = self.servers["temporal"]
        await temporal.stop()
        for file in self.settings.data_dir.glob("temporal.db*"):
            file.unlink()
        await temporal.start()
        settings = self.settings
        await set_up(settings.temporal_address or "", settings.temporal_namespace, settings.temporal_retention)

    async def workspace(self, *, sandbox: bool = True) -> Flow:
        """A fresh workspace."""
        async with self.db.transaction() as conn:
            number, _ = await workspaces.insert(
                conn,
                name="test",
                sandbox=sandbox,
                clock=START if sandbox else None,
                given=workspaces.Secrets(),
                now=system_now(),
            )
        return Flow(self, number)


class Flow:
    """One workspace: definitions and facts in, journeys and their histories out."""

    mail = MAIL

    def __init__(self, engine: Engine, workspace_id: int) -> None:
        self.engine = engine
        self.workspace_id = workspace_id
        self._catalogs = Catalogs()
        self._acceptor = Acceptor(engine.db, engine.notifier)

    async def campaign(self, blocks: dict[str, Any], *, start: str, key: str = "welcome", **fields: Any) -> None:
        """Define a campaign that `signed_up` begins, and start it."""
        document = {
            "kind": "campaign",
            "key": key,
            "name": "Welcome",
            "trigger": {"type": "event", "event": "signed_up"},
            "frequency": {"mode": "every"},
            "workflow": {"start": start, "blocks": blocks},
            **fields,
        }
        await self.define(*MAIL, document)
        await campaigns.start(self.engine.db, self.workspace_id, key, {"audience": "future"}, system_now())

    async def define(self, *documents: dict[str, Any]) -> None:
        """Apply definitions."""
        body = {"definitions": list(documents)}
        await definitions.apply(self.engine.db, self.workspace_id, body, now=system_now())

    async def identify(self, person: str, **attributes: Any) -> None:
        """Accept a person."""
        operation = Identify(subject=Identifier(kind="id", value=person), attributes=attributes)
        await self._acceptor.append(self.workspace_id, [operation], "test", system_now())

    async def track(self, person: str, name: str = "signed_up", **data: Any) -> None:
        """Accept an event."""
        operation = TrackEvent(subject=Identifier(kind="id", value=person), name=name, data=data)
        await self._acceptor.append(self.workspace_id, [operation], "test", system_now())

    async def settle(self) -> None:
        """Return when nothing is left to do at the workspace's present instant."""
        await clock.settle(
            self.engine.db, self._catalogs, self.engine.notifier, self.workspace_id, None, clock=system_now
        )

    async def advance(self, by: str) -> None:
        """Move the sandbox's clock, settling at every instant that has work."""
        body = {"by": by}
        db, notifier = self.engine.db, self.engine.notifier
        await clock.advance(db, self._catalogs, notifier, self.workspace_id, body, clock=system_now)

    async def rows(self, query: str, *arguments: Any) -> list[dict[str, Any]]:
        """What a query whose first argument is the workspace answers."""
        async with self.engine.db.connection() as conn:
            return [dict(record) for record in await conn.fetch(query, self.workspace_id, *arguments)]

    async def journeys(self) -> list[JourneyRow]:
        """Every journey, oldest first."""
        found = await self.rows("SELECT journey_id FROM journeys WHERE workspace_id = $1 ORDER BY journey_id")
        async with self.engine.db.connection() as conn:
            rows = [await journeys.get(conn, self.workspace_id, row["journey_id"]) for row in found]
        return [row for row in rows if row is not None]

    async def journey(self) -> JourneyRow:
        """The only journey."""
        (row,) = await self.journeys()
        return row

    async def ended(self) -> JourneyRow:
        """The only journey, once real time has brought it to its end and its workflow too."""
        row = await self.journey()
        handle = self.engine.gateway.client.get_workflow_handle(row.workflow_id)
        async with asyncio.timeout(READY_LIMIT):
            await handle.result()
        return await self.journey()

    async def history(self, row: JourneyRow) -> WorkflowHistory:
        """What Temporal keeps of a journey's latest run."""
        return await self.engine.gateway.client.get_workflow_handle(row.workflow_id).fetch_history()

    async def kept(self, row: JourneyRow) -> bytes:
        """Everything that Temporal keeps of a journey's latest run, payloads as they are."""
        return bytes_of(await self.history(row))

    async def outbox(self) -> list[str]:
        """The kinds of the rows that wait, oldest first."""
        rows = await self.rows("SELECT kind FROM outbox WHERE workspace_id = $1 ORDER BY outbox_id")
        return [row["kind"] for row in rows]


def bytes_of(history: WorkflowHistory) -> bytes:
    """A history with its payloads in clear, to search in."""
    return b"".join(event.SerializeToString() for event in history.events)


async def until(condition: Any, limit: float = READY_LIMIT) -> None:
    """Look until a condition holds: what other processes do is not told to a test."""
    async with asyncio.timeout(limit):
        while True:
            answer = condition()
            if asyncio.iscoroutine(answer):
                answer = await answer
            if answer:
                return
            await asyncio.sleep(0.02)


__all__ = ["START", "Engine", "Flow", "bytes_of", "until"]
