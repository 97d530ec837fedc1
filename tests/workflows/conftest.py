"""One pair of servers for all tests here; each test module has a worker of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest_asyncio

from tests.workflows.engine import Engine, Flow

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def engine() -> AsyncIterator[Engine]:
    """PostgreSQL and Temporal."""
    async with Engine.running() as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def working(engine: Engine) -> AsyncIterator[Engine]:
    """The same with a worker of all roles."""
    async with engine.working():
        yield engine


@pytest_asyncio.fixture(loop_scope="session")
async def sandbox(working: Engine) -> Flow:
    """A fresh sandbox, its clock standing still."""
    return await working.workspace()


@pytest_asyncio.fixture(loop_scope="session")
async def live(working: Engine) -> Flow:
    """A fresh workspace in real time."""
    return await working.workspace(sandbox=False)
