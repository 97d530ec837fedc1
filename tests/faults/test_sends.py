"""Deaths around transactional sends: what was answered 200 is sent, and nothing is sent twice."""

from __future__ import annotations

import asyncio

import pytest

import faults
from tests.faults.deployment import Deployment
from tests.faults.sending import AT_ONCE, Calls, sent_once

pytestmark = [pytest.mark.faults, pytest.mark.stack]

SENDS = 200
POINTS = (
    ("worker-ingest", "outbox.after_commit"),
    ("worker-ingest", "outbox.after_accept"),
    ("worker-journeys", "deliver.after_making:30"),
    ("worker-journeys", "deliver.after_provider:30"),
)
IN_HAND = 20
"""How many sends a worker has in its hands at most."""


@pytest.mark.parametrize(("child", "point"), POINTS)
async def test_a_worker_that_dies_at_it_sends_everything_once(deployment: Deployment, child: str, point: str) -> None:
    sandbox, normal = Calls(await deployment.sandbox()), Calls(await deployment.normal())
    await deployment.stack.restart(child, {faults.VARIABLE: point})
    keys = [f"p{number}" for number in range(SENDS)]
    await asyncio.gather(sandbox.send(keys), normal.send(keys))
    assert not sandbox.unsure | normal.unsure
    await deployment.died(child)
    captured = await sent_once(deployment, sandbox, captured=True)
    mailed = await sent_once(deployment, normal, captured=False)
    assert not any(row["ambiguous"] for row in captured)
    doubtful = sum(row["ambiguous"] for row in mailed)
    assert doubtful <= (IN_HAND if child == "worker-journeys" else 0)
    await sandbox.workspace.settle(60)


async def test_an_api_that_dies_after_the_commit_loses_nothing_and_a_repeat_sends_nothing(
    deployment: Deployment,
) -> None:
    sandbox = Calls(await deployment.sandbox())
    await deployment.stack.restart("api", {faults.VARIABLE: "accept.after_append:4"})
    keys = [f"p{number}" for number in range(SENDS)]
    await sandbox.send(keys)
    await deployment.died("api")
    assert sandbox.unsure
    stored = await deployment.values("SELECT count(*) FROM deliveries WHERE workspace_id = $1", sandbox.workspace)
    assert stored[0] > len(sandbox.answered), "the calls at the fault point were committed"
    await sandbox.send(sorted(sandbox.unsure))
    assert len(sandbox.answered) == SENDS
    rows = await sent_once(deployment, sandbox, captured=True)
    assert not any(row["ambiguous"] for row in rows)


async def test_sends_wait_while_temporal_is_away(deployment: Deployment) -> None:
    sandbox = Calls(await deployment.sandbox())
    await deployment.stack.stop_child("temporal")
    await sandbox.send([f"p{number}" for number in range(AT_ONCE)])
    assert len(sandbox.answered) == AT_ONCE
    await deployment.stack.start_child("temporal")
    await sent_once(deployment, sandbox, captured=True)
