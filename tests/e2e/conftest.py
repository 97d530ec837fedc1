"""Sandboxes that begin at an instant of the test's choosing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import httpx
import pytest_asyncio

from stack.description import StackDescription
from tests.support.live import SENDER, Workspace
from tests.support.moments import utc

Begin = Callable[[str], Awaitable[Workspace]]


@pytest_asyncio.fixture(loop_scope="session")
async def begin(stack: StackDescription, http: httpx.AsyncClient) -> Begin:
    """Makes a sandbox whose clock stands at a UTC instant such as `2026-03-10T09:00`, with a default sender."""

    async def make(when: str) -> Workspace:
        workspace = await Workspace.create(stack, http, now=utc(when))
        await workspace.define(SENDER)
        return workspace

    return make
