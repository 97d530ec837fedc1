"""Deaths around transactional sends: what was answered 200 is sent, and nothing is sent twice."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

import faults
from tests.faults.deployment import Deployment
from tests.support.eventually import eventually
from tests.support.live import Workspace

pytestmark = [pytest.mark.faults, pytest.mark.stack]

SENDS = 200
AT_ONCE = 20
POINTS = (
    ("worker-ingest", "outbox.after_commit"),
    ("worker-ingest", "outbox.after_accept"),
    ("worker-journeys", "deliver.after_making:30"),
    ("worker-journeys", "deliver.after_provider:30"),
)
IN_HAND = 20
"""How many sends a worker has in its hands at most."""


@dataclass
class Calls:
    """Calls to one workspace, each about somebody else, and what became of each."""

    workspace: Workspace
    answered: dict[str, str] = field(default_factory=dict)
    """The delivery of each call that was answered 200, by its key."""
    unsure: set[str] = field(default_factory=set)

    async def send(self, keys: list[str]) -> None:
        """Make the calls, some at a time; whoever gets no answer is unsure."""
        places = asyncio.Semaphore(AT_ONCE)

        async def call(key: str) -> None:
            async with places:
                await self._one(key)

        await asyncio.gather(*(call(key) for key in keys))

    async def _one(self, key: str) -> None:
        body: dict[str, Any] = {
            "identifiers": {"id": key},
            "to": f"{key}@example.com",
            "from": "team@example.com",
            "subject": key,
            "body": "<p>{{ trigger.code }}</p>",
            "message_data": {"code": key},
        }
        try:
            answer = await self.workspace.request(
                "POST", "/v1/send/email", json=body, headers={"Idempotency-Key": key}, timeout=10
            )
        except httpx.TransportError:
            self.unsure.add(key)
            return
        if answer.status_code >= 500:
            self.unsure.add(key)
            return
        assert answer.status_code == 200, answer.text
        self.answered[key] = answer.json()["delivery_id"]


async def verify(deployment: Deployment, calls: Calls, *, captured: bool) -> list[dict[str, Any]]:
    """Every call has one delivery, which was tried once and arrived once; returns the deliveries."""
    query = "SELECT delivery_id, status, attempts, ambiguous, subject FROM deliveries WHERE workspace_id = $1"

    async def over() -> list[dict[str, Any]]:
        rows = await deployment.rows(query, calls.workspace)
        return rows if all(row["status"] in ("sent", "delivered") for row in rows) else []

    rows = await eventually(over, "everything is sent", 90)
    assert sorted(row["subject"] for row in rows) == sorted(calls.answered)
    assert {row["delivery_id"] for row in rows} == set(calls.answered.values())
    if captured:
        mails = await deployment.values("SELECT delivery_id FROM mailbox WHERE workspace_id = $1", calls.workspace)
        assert sorted(mails) == sorted(row["delivery_id"] for row in rows)
    for row in rows:
        came = 1 if captured else deployment.received.deliveries[row["delivery_id"]]
        # Of what was in the hands of a worker that died nobody knows whether it was taken; it is not sent again.
        assert came == 1 or (came == 0 and row["ambiguous"]), row
        assert row["attempts"] == 1, row
    return rows


@pytest.mark.parametrize(("child", "point"), POINTS)
async def test_a_worker_that_dies_at_it_sends_everything_once(deployment: Deployment, child: str, point: str) -> None:
    sandbox, normal = Calls(await deployment.sandbox()), Calls(await deployment.normal())
    await deployment.stack.restart(child, {faults.VARIABLE: point})
    keys = [f"p{number}" for number in range(SENDS)]
    await asyncio.gather(sandbox.send(keys), normal.send(keys))
    assert not sandbox.unsure | normal.unsure
    await deployment.died(child)
    captured = await verify(deployment, sandbox, captured=True)
    mailed = await verify(deployment, normal, captured=False)
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
    rows = await verify(deployment, sandbox, captured=True)
    assert not any(row["ambiguous"] for row in rows)


async def test_sends_wait_while_temporal_is_away(deployment: Deployment) -> None:
    sandbox = Calls(await deployment.sandbox())
    await deployment.stack.stop_child("temporal")
    await sandbox.send([f"p{number}" for number in range(AT_ONCE)])
    assert len(sandbox.answered) == AT_ONCE
    await deployment.stack.start_child("temporal")
    await verify(deployment, sandbox, captured=True)
