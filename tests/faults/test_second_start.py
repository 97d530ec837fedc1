"""A second start on the same data: the same keys, and everybody who waited goes on."""

from __future__ import annotations

from datetime import datetime

import pytest

from clock import system_now
from stack.services import temporary_data_dir
from tests.faults import proof
from tests.faults.deployment import Deployment, Received, deployed, walk
from tests.support.eventually import eventually
from tests.support.live import Workspace
from tests.support.topology import new_stack

pytestmark = [pytest.mark.faults, pytest.mark.stack]

PEOPLE = [f"p{number}" for number in range(3)]


async def test_a_second_start_takes_up_who_waited() -> None:
    received = Received()
    with temporary_data_dir() as data_dir:
        async with deployed(new_stack(data_dir, on_message=received.record), received) as first:
            keys = first.stack.describe().workspaces
            await _begin(first, first.built_in("Sandbox"), "P1D")
            due = await _begin(first, first.built_in("Live"), "PT10S")

        async def past() -> bool:
            return system_now() > due

        await eventually(past, "the timers have come due while nothing ran")
        async with deployed(new_stack(data_dir, on_message=received.record), received) as second:
            assert second.stack.describe().workspaces == keys
            sandbox, live = second.built_in("Sandbox"), second.built_in("Live")
            await sandbox.advance("P1D")
            for workspace in (sandbox, live):
                await second.everybody_through(workspace)
                await proof.journeys_once(second, workspace, PEOPLE, paused=True)
            await proof.captured_once(second, sandbox)
            assert await proof.mailed_once(second, live) == []


async def _begin(deployment: Deployment, workspace: Workspace, pause: str) -> datetime:
    """Have everybody wait; returns the latest instant that is waited for."""
    await workspace.define(walk(pause))
    await workspace.start("walk")
    for person in PEOPLE:
        await workspace.identify(person, email=f"{person}@example.com")
        await workspace.track(person, "order", {"call": person})
    await deployment.everybody_parked(workspace, len(PEOPLE))
    query = "SELECT max(due_at) FROM journeys WHERE workspace_id = $1"
    due: datetime = (await deployment.values(query, workspace))[0]
    return due
