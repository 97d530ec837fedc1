"""The servers of a cluster without the product."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import NamedTuple

import pytest_asyncio

from settings import Settings
from stack.ports import choose
from stack.postgres import ensure_database
from stack.process import Child
from stack.services import on_free_ports, temporary_data_dir
from stack.temporal import set_up
from stack.topology import CLUSTER


class Servers(NamedTuple):
    """A running Temporal cluster with the namespace; its processes by name."""

    settings: Settings
    address: str
    children: dict[str, Child]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def servers() -> AsyncIterator[Servers]:
    """PostgreSQL and the real Temporal server, one for a module."""
    async with AsyncExitStack() as held:
        folder = held.enter_context(temporary_data_dir())
        settings, ports = choose(on_free_ports(folder), workers=0, more=CLUSTER.temporal.ports)
        postgres = CLUSTER.postgres.server(settings, fsync=False)
        children: dict[str, Child] = {}

        async def start(child: Child) -> None:
            await child.start()
            held.push_async_callback(child.stop)
            children[child.name] = child

        await start(Child(postgres.command(folder / "postgres.log")))
        await ensure_database(postgres.url("postgres"))
        settings = settings.with_changes(database_url=postgres.url())
        plan = await CLUSTER.temporal.plan(settings, ports, headless=True)
        for command in plan.commands:
            await start(Child(command))
        await set_up(plan.address, settings.temporal_namespace, settings.temporal_retention)
        yield Servers(settings, plan.address, children)
