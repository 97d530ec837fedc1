"""What tests of more than one folder share."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest
import pytest_asyncio

pytest.register_assert_rewrite(
    "tests.support",
    "tests.services",
    "tests.faults",
    "tests.workflows",
    "tests.store",
    "tests.e2e",
    "tests.api",
    "tests.clients",
)

from stack.description import StackDescription
from stack.services import temporary_data_dir
from tests.support.balanced import Balanced
from tests.support.database import Room, migrated
from tests.support.live import SENDER, Workspace
from tests.support.topology import new_stack, topology

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from store.database import Database


def pytest_report_header() -> str:
    """Which stack is tested, so that a log says it."""
    return f"topology: {topology().name}"


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def database() -> AsyncIterator[Database]:
    """A migrated database for the whole run; each test makes workspaces of its own."""
    async with migrated() as db:
        yield db


@pytest_asyncio.fixture(loop_scope="session")
async def room(database: Database) -> Room:
    """A fresh sandbox workspace without any process around it."""
    return await Room.make(database)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def stack() -> AsyncIterator[StackDescription]:
    """The whole product running, for the whole run; each test makes workspaces of its own.

    `SOJOURN_TEST_TOPOLOGY=cluster` makes it the cluster of docs/cluster.md. While working on tests, `SOJOURN_TEST_STACK` may name the data folder of a stack that runs already.
    """
    if running := os.environ.get("SOJOURN_TEST_STACK"):
        description = StackDescription.read(Path(running))
        assert description is not None, f"no stack runs on {running}"
        yield description
        return
    with temporary_data_dir() as data_dir:
        async with new_stack(data_dir, fsync=False) as made:
            yield made.describe()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def http(stack: StackDescription) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the running stack, of all its APIs in turns."""
    async with Balanced(stack.api_urls or [stack.api_url], timeout=130) as client:
        yield client


@pytest_asyncio.fixture(loop_scope="session")
async def sandbox(stack: StackDescription, http: httpx.AsyncClient) -> Workspace:
    """A fresh sandbox in the running stack, with a default sender, at 2026-01-01T10:00:00Z."""
    workspace = await Workspace.create(stack, http)
    await workspace.define(SENDER)
    return workspace
