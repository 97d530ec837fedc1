"""A journey from the event to its end."""

from __future__ import annotations

from tests.workflows.engine import Flow

DELAYS = {
    "wait": {"type": "time_delay", "duration": "P1D", "next": "again"},
    "again": {"type": "time_delay", "duration": "P2D"},
}


async def test_a_sandbox_journey_ends_when_its_clock_has_passed_its_waits(sandbox: Flow):
    await sandbox.campaign(DELAYS, start="wait")
    await sandbox.track("ann")
    await sandbox.settle()
    assert (await sandbox.journey()).block == "wait"
    await sandbox.advance("P1D")
    assert (await sandbox.journey()).block == "again"
    await sandbox.advance("P30D")
    row = await sandbox.journey()
    assert (row.state, row.reason) == ("finished", "completed")
    assert row.ended_at is not None
    assert (row.ended_at - row.started_at).days == 3
