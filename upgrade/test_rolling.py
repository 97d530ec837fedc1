"""The last release at work, the schema of this one put under it, its processes replaced one by one, and put back."""

from __future__ import annotations

import asyncio
import dataclasses
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import httpx
import pytest
import pytest_asyncio

import migrations
from settings import CHECKOUT
from stack.commands import product_environment
from stack.services import on_free_ports, temporary_data_dir
from stack.supervisor import Stack
from tests.faults.deployment import Deployment, Received, deployed
from tests.faults.scene import Scene
from tests.support.eventually import eventually
from upgrade import baseline

ORDER = ("worker-ingest", "worker-journeys", "api")
CALLS = 12
MOST = 3_000
"""Calls of each client at most; replacing seven processes takes its time on a busy machine."""


class Place:
    """A deployment that began as the last release."""

    def __init__(self, deployment: Deployment, old: Path) -> None:
        self.deployment = deployment
        self.old = old

    async def setup(self) -> str:
        """Run `sojourn setup` of this release, as an operator does; returns what it said."""
        stack = self.deployment.stack
        process = await asyncio.create_subprocess_exec(
            *[sys.executable, "-m", "cli", "setup"],
            cwd=CHECKOUT,
            env=product_environment(stack.settings, {}, CHECKOUT) | {"COLUMNS": "200"},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await asyncio.wait_for(process.communicate(), 120)
        assert process.returncode == 0, said.decode()
        return said.decode()

    async def replace(self, name: str, checkout: Path) -> None:
        """End a process in order and start the code of another release in its place."""
        child = self.deployment.stack.children[name]
        await child.stop()
        environment = {**child.command.environment, "PYTHONPATH": str(checkout)}
        child.command = dataclasses.replace(child.command, cwd=checkout, environment=environment)
        await child.start()

    async def schema_check(self) -> tuple[int, dict[str, object]]:
        """What the API answers about the schema, and with which status."""
        async with httpx.AsyncClient() as http:
            answer = await http.get(f"{self.deployment.stack.describe().api_url}/v1/health/ready")
        found: dict[str, object] = answer.json()["checks"]["migrations"]
        return answer.status_code, found

    async def revision(self) -> str:
        """Where the schema stands."""
        conn = await asyncpg.connect(self.deployment.stack.describe().database_url)
        try:
            found: str = await conn.fetchval("SELECT version_num FROM alembic_version")
        finally:
            await conn.close()
        return found


@pytest_asyncio.fixture(loop_scope="session")
async def place() -> AsyncIterator[Place]:
    """The last release, running."""
    received = Received()
    with temporary_data_dir() as folder:
        old = baseline.extract(folder / "release", migrations=False)
        stack = Stack(on_free_ports(folder / "data"), headless=True, on_message=received.record, checkout=old)
        async with deployed(stack, received) as running:
            yield Place(running, old)


@pytest.mark.timeout(900)
async def test_an_upgrade_under_load_and_the_way_back(place: Place) -> None:
    """Each accepted fact is applied once and each message sent once, whatever code each process is of."""
    scene = await Scene.make(place.deployment)
    scene.sandbox.most = scene.normal.most = MOST
    before = await place.revision()
    assert before == baseline.read().revision
    async with scene.load():
        await scene.more(CALLS)
        assert f"The schema is at {migrations.head()}" in await place.setup()
        await scene.more(CALLS)  # the last release on the new schema
        for name in ORDER:
            await place.replace(name, CHECKOUT)
            await scene.more(CALLS)
        status, schema = await place.schema_check()
        assert (status, schema["ok"]) == (200, True)
        for name in reversed(ORDER):  # rolled back: the old code on the schema that stays
            await _without_its_own_check(place, name)
            await scene.more(CALLS)
    told = await scene.verify()
    print(  # a figure to read
        f"{before} -> {await place.revision()}: {len(scene.sandbox.accepted) + len(scene.normal.accepted)} calls accepted, "
        f"{len(scene.sandbox.unsure) + len(scene.normal.unsure)} not answered, {len(told)} messages of unknown fate"
    )
    assert await place.revision() == migrations.head()
    assert not told, "an orderly end waits for what is in hand"


async def _without_its_own_check(place: Place, name: str) -> None:
    """Put the last release back. Releases before this one take a newer schema for none; their calls work all the same."""
    child = place.deployment.stack.children[name]
    if name == "api":
        live = f"{place.deployment.stack.describe().api_url}/v1/health/live"

        async def lives() -> bool:
            async with httpx.AsyncClient() as http:
                try:
                    return (await http.get(live)).status_code == 200
                except httpx.TransportError:
                    return False

        child.command = dataclasses.replace(child.command, ready=lives)
    await place.replace(name, place.old)
    await eventually(child.command.ready, f"{name} of the last release is ready", 60)
