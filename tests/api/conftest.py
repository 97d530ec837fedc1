"""A real API process part in this process: the application over a real database, served on free ports."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest_asyncio

from api.app import assembled, create_app, listeners
from clock import system_now
from services.workspaces import Secrets, insert
from settings import CHECKOUT, Settings
from stack.commands import product_environment, run_tool
from stack.services import postgres_alone
from store.database import Database

ADMIN = "sa_live_" + "0123456789abcdef" * 2 + "01234567"


@dataclass
class Keys:
    """A workspace of one test, and its callers."""

    id: int
    site_id: str
    api_key: str
    app_key: str
    http: httpx.AsyncClient
    db: Database
    admin: dict[str, str] = field(default_factory=dict)

    @property
    def basic(self) -> httpx.BasicAuth:
        return httpx.BasicAuth(self.site_id, self.api_key)

    @property
    def app(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.app_key}"}

    async def track(self, method: str, path: str, body: Any = None, **options: Any) -> httpx.Response:
        if body is not None:
            options["content"] = body if isinstance(body, bytes) else json.dumps(body).encode()
        return await self.http.request(method, path, auth=self.basic, **options)

    async def put(self, identifier: str, body: Any) -> httpx.Response:
        return await self.track("PUT", f"/api/v1/customers/{identifier}", body)

    async def call(self, method: str, path: str, body: Any = None, **options: Any) -> httpx.Response:
        if body is not None:
            options["content"] = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {**self.app, **options.pop("headers", {})}
        return await self.http.request(method, path, headers=headers, **options)

    async def log(self) -> list[dict[str, Any]]:
        """The accepted facts, in order."""
        async with self.db.connection() as conn:
            rows = await conn.fetch(
                "SELECT op, source, body FROM ingest_log WHERE workspace_id = $1 ORDER BY seq", self.id
            )
        return [{"source": row["source"], **json.loads(row["body"])} for row in rows]


@dataclass
class Server:
    """The served application."""

    url: str
    port: int
    http: httpx.AsyncClient
    db: Database
    app: Any
    services: Any


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


@contextlib.asynccontextmanager
async def served(settings: Settings) -> AsyncIterator[Any]:
    """The application on its port, until the end of the block."""
    async with assembled(settings) as parts:
        app = create_app(parts)
        (listener,) = listeners(app, settings)
        task = asyncio.create_task(listener.serve())
        while not listener.started:  # noqa: ASYNC110 - the server has no event for it
            await asyncio.sleep(0.01)
        try:
            yield app
        finally:
            listener.should_exit = True
            await task


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def server() -> AsyncIterator[Server]:
    async with postgres_alone() as services:
        await run_tool(["alembic", "upgrade", "head"], product_environment(services.settings, {}, CHECKOUT), CHECKOUT)
        settings = services.settings.with_changes(api_port=free_port(), admin_token=ADMIN)
        async with served(settings) as app, httpx.AsyncClient(base_url=settings.api_url, timeout=30) as http:
            yield Server(settings.api_url, settings.api_port, http, app.state.parts.db, app, services)


@pytest_asyncio.fixture(loop_scope="session")
async def workspace(server: Server) -> Keys:
    """A sandbox of one test alone."""
    return await make_workspace(server, sandbox=True)


@pytest_asyncio.fixture(loop_scope="session")
async def live(server: Server) -> Keys:
    """A normal workspace of one test alone."""
    return await make_workspace(server, sandbox=False)


async def make_workspace(server: Server, *, sandbox: bool) -> Keys:
    given, now = Secrets(), system_now()
    async with server.db.transaction() as conn:
        clock = now if sandbox else None
        number, _ = await insert(conn, name="test", sandbox=sandbox, clock=clock, given=given, now=now)
    admin = {"Authorization": f"Bearer {ADMIN}"}
    return Keys(number, given.site_id, given.api_key, given.app_key, server.http, server.db, admin)
