"""Where figures are measured: a whole stack of its own on free ports, durable as in production, and workspaces in it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx

from bench.http_load import request
from bench.progress import say
from stack.commands import WorkerPlan
from stack.services import on_free_ports, temporary_data_dir
from stack.supervisor import Stack
from stack.topology import EMBEDDED, Topology
from store.database import Database

if TYPE_CHECKING:
    from stack.sink import OnMessage

SETTLE_LIMIT = 120
LOOK_EVERY = 0.02
MAIL = (
    {"kind": "sender", "key": "team", "name": "Team", "email": "team@example.com", "default": True},
    {"kind": "domain", "key": "main", "domain": "example.com", "use": "sending"},
    {"kind": "provider", "key": "out", "name": "Out", "channel": "email", "provider": "capture"},
)


@dataclass(frozen=True)
class Tenant:
    """A workspace that lives by real time, driven over HTTP with its keys."""

    client: httpx.AsyncClient
    id: int
    port: int
    site_id: str
    api_key: str
    app_key: str

    @classmethod
    async def make(cls, api_url: str, admin_token: str, client: httpx.AsyncClient) -> Tenant:
        """A fresh one, with a default sender and a provider that captures."""
        answer = await client.post(
            "/v1/workspaces",
            json={"name": "bench", "sandbox": False},
            headers={"Authorization": f"Bearer {admin_token}"},
        )
        made = _json(answer, 201)
        keys = {key["kind"]: key for key in made["credentials"]}
        tenant = cls(
            client=client,
            id=made["workspace"]["id"],
            port=urlsplit(api_url).port or 80,
            site_id=keys["track"]["site_id"],
            api_key=keys["track"]["api_key"],
            app_key=keys["app"]["app_key"],
        )
        await tenant.define(*MAIL)
        return tenant

    async def define(self, *documents: Any) -> None:
        """Apply definitions."""
        await self._call("PUT", "/v1/definitions", {"definitions": list(documents)})

    async def start(self, campaign: str) -> None:
        """Start a campaign for whoever comes from now on."""
        await self._call("POST", f"/v1/campaigns/{campaign}/start", {"audience": "future"})

    async def settle(self) -> None:
        """Return when nothing is left to do."""
        await self._call("POST", "/v1/clock/settle", {"timeout_seconds": SETTLE_LIMIT})

    def track(self, method: str, path: str, body: bytes | None = None) -> bytes:
        """A request with the Track pair, ready to be sent."""
        return request(method, path, self.site_id, self.api_key, body)

    async def _call(self, method: str, path: str, body: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.app_key}"}
        return _json(await self.client.request(method, path, json=body, headers=headers), 200)


@dataclass(frozen=True)
class Place:
    """A running stack with a connection of our own to its database."""

    stack: Stack
    db: Database
    client: httpx.AsyncClient

    async def tenant(self) -> Tenant:
        """A fresh workspace."""
        running = self.stack.describe()
        return await Tenant.make(running.api_url, running.admin_token, self.client)

    async def value(self, query: str, *arguments: Any) -> Any:
        """The one value that a query answers."""
        async with self.db.connection() as conn:
            return await conn.fetchval(query, *arguments)


@contextlib.asynccontextmanager
async def running_stack(
    workers: Sequence[WorkerPlan] | None = None,
    on_message: OnMessage | None = None,
    topology: Topology = EMBEDDED,
) -> AsyncIterator[Place]:
    """The whole product, by these worker processes if given, ended afterwards; `on_message` takes what its sink gets."""
    with temporary_data_dir() as folder:
        say("starting a stack of its own")
        settings = on_free_ports(folder)
        environment = bytecode(folder)
        stack = Stack(
            settings,
            topology=topology,
            workers=workers,
            headless=True,
            environment=environment,
            on_message=on_message,
            report=_quiet,
        )
        async with stack:
            running = stack.describe()
            db = await Database.connect(running.database_url, min_size=1, max_size=8)
            try:
                async with httpx.AsyncClient(base_url=running.api_url, timeout=SETTLE_LIMIT + 10) as client:
                    yield Place(stack, db, client)
            finally:
                await db.close()


def bytecode(folder: Path) -> dict[str, str]:
    """Variables under which Python keeps compiled code, as wherever Sojourn is installed, and here in this folder.

    Without it the sandbox of workflows would compile their modules again for each of them, ours and the peer's.
    """
    return {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(folder / "bytecode")}


async def until(condition: Callable[[], Awaitable[bool]], limit: float, every: float = LOOK_EVERY) -> float:
    """Look until a condition holds; returns how long that took, raises TimeoutError after the limit."""
    clock = asyncio.get_running_loop().time
    began = clock()
    async with asyncio.timeout(limit):
        while not await condition():  # noqa: ASYNC110 - other processes tell nobody
            await asyncio.sleep(every)
    return clock() - began


def _json(answer: httpx.Response, status: int) -> Any:
    if answer.status_code != status:
        raise RuntimeError(f"{answer.request.method} {answer.request.url.path}: {answer.status_code} {answer.text}")
    return answer.json() if answer.content else None


def _quiet(_text: str) -> None:
    """What the stack reports of its start is not part of a figure."""


__all__ = ["MAIL", "Place", "Tenant", "bytecode", "running_stack", "until"]
