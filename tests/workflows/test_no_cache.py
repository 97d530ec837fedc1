"""Without a cache every workflow task replays its journey from the beginning: what is not deterministic shows."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.workflows.engine import Engine
from tests.workflows.recording import LIVE, SANDBOX


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def uncached(engine: Engine) -> AsyncIterator[Engine]:
    async with engine.working(max_cached_workflows=0):
        yield engine


@pytest.mark.parametrize("name", SANDBOX)
async def test_a_sandbox_journey_needs_no_cache(uncached: Engine, name: str):
    await SANDBOX[name](await uncached.workspace())


@pytest.mark.parametrize("name", LIVE)
async def test_a_journey_in_real_time_needs_no_cache(uncached: Engine, name: str):
    await LIVE[name](await uncached.workspace(sandbox=False))
