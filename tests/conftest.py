"""What tests of more than one folder share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest_asyncio

from tests.support.database import Room, migrated

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from store.database import Database


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def database() -> AsyncIterator[Database]:
    """A migrated database for the whole run; each test makes workspaces of its own."""
    async with migrated() as db:
        yield db


@pytest_asyncio.fixture(loop_scope="session")
async def room(database: Database) -> Room:
    """A fresh sandbox workspace."""
    return await Room.make(database)
