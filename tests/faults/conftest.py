"""A stack of its own for each module, which its tests may break."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from stack.services import temporary_data_dir
from tests.faults.deployment import Deployment, Received, deployed
from tests.faults.scene import Scene
from tests.support.topology import new_stack


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def deployment() -> AsyncIterator[Deployment]:
    """A stack that writes through to the disk."""
    received = Received()
    with temporary_data_dir() as data_dir:
        stack = new_stack(data_dir, on_message=received.record)
        async with deployed(stack, received) as running:
            yield running


@pytest_asyncio.fixture(loop_scope="session")
async def scene(deployment: Deployment) -> Scene:
    """Two fresh workspaces to put load on."""
    return await Scene.make(deployment)
