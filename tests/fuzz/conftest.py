"""One workspace for all made-up calls."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest_asyncio
import requests

from stack.description import StackDescription
from tests.fuzz.ground import Ground, Rows, prepare
from tests.support.live import Workspace


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def ground(stack: StackDescription, http: httpx.AsyncClient) -> AsyncIterator[Ground]:
    """A sandbox with something of everything in it."""
    workspace = await Workspace.create(stack, http)
    write_key, known = await prepare(stack, workspace)
    with Rows(stack.database_url, workspace.id) as rows, requests.Session() as session:
        session.trust_env = False
        yield Ground(stack.api_url, workspace, write_key, rows, session, known)
