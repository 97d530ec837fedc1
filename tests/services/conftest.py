"""What tests of services share."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.support.database import Room
from tests.support.sends import SENDER, Desk


@pytest_asyncio.fixture(loop_scope="session")
async def desk(room: Room) -> AsyncIterator[Desk]:
    """A workspace with a sender, in which transactional calls are taken and worked on."""
    made = Desk(room)
    await room.define(SENDER)
    yield made
    await made.close()
