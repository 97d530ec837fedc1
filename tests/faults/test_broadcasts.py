"""Deaths in the middle of a broadcast, and pauses: everybody in its audience is written to once."""

from __future__ import annotations

from typing import Any

import pytest

import faults
from tests.faults.deployment import Deployment
from tests.support.broadcasting import broadcast, email
from tests.support.eventually import eventually
from tests.support.live import Workspace

pytestmark = [pytest.mark.faults, pytest.mark.stack]

PEOPLE = 2_000
WORKER = "worker-journeys"
PATH = "/v1/broadcasts/news/triggers/1"


async def begin(deployment: Deployment, workspace: Workspace, point: str, **more: Any) -> None:
    """A broadcast to very many under way, by a worker that dies at a point."""
    query = """INSERT INTO people (workspace_id, id, email, attributes, attribute_times, created_at, age_start)
               SELECT $1, 'p' || n, 'p' || n || '@example.com', '{}', '{}', '2026-01-01Z', '2026-01-01Z'
               FROM generate_series(1, $2::int) AS n"""
    await deployment.rows(query, workspace, PEOPLE)
    await workspace.define(broadcast(blocks={"mail": email()}, **more))
    await workspace.call("POST", "/v1/broadcasts/news/start")
    await deployment.stack.restart(WORKER, {faults.VARIABLE: point})
    answer = await workspace.call("POST", "/v1/campaigns/news/triggers", {"data": {"headline": "News"}})
    assert answer == {"id": 1}


async def state(workspace: Workspace) -> dict[str, Any]:
    found: dict[str, Any] = await workspace.get("/v1/campaigns/news/triggers/1")
    return found


async def finished(workspace: Workspace) -> None:
    async def over() -> bool:
        return bool((await state(workspace))["state"] == "finished")

    await eventually(over, "the trigger is over", 90)


async def verify(deployment: Deployment, workspace: Workspace) -> list[dict[str, Any]]:
    """Everybody has one delivery, which was tried once; returns them."""
    rows = await deployment.rows(
        """SELECT delivery_id, person_id, recipient_no, status, attempts, ambiguous FROM deliveries
           WHERE workspace_id = $1 ORDER BY recipient_no""",
        workspace,
    )
    assert [row["recipient_no"] for row in rows] == list(range(1, PEOPLE + 1))
    assert len({row["person_id"] for row in rows}) == PEOPLE
    assert {(row["attempts"], row["status"] in ("sent", "delivered")) for row in rows} == {(1, True)}
    return rows


async def test_killed_twice_and_paused_in_a_sandbox(deployment: Deployment) -> None:
    sandbox = await deployment.sandbox()
    await begin(deployment, sandbox, "page.before_commit:3")
    await deployment.died(WORKER)
    await sandbox.call("POST", f"{PATH}/pause")
    await deployment.stack.restart(WORKER, {faults.VARIABLE: "page.after_send:2"})
    stood = await state(sandbox)
    assert (stood["state"], stood["paused"]) == ("sending", True)
    await sandbox.call("POST", f"{PATH}/resume")
    await deployment.died(WORKER)
    await finished(sandbox)
    await sandbox.settle(60)
    rows = await verify(deployment, sandbox)
    mails = await deployment.values("SELECT delivery_id FROM mailbox WHERE workspace_id = $1", sandbox)
    assert sorted(mails) == sorted(row["delivery_id"] for row in rows)
    assert not any(row["ambiguous"] for row in rows)


async def test_killed_at_its_rate_nobody_gets_mail_twice(deployment: Deployment) -> None:
    normal = await deployment.normal()
    await begin(deployment, normal, "page.after_commit:8", send_rate={"limit": 400, "per": "second"})
    await deployment.died(WORKER)
    await finished(normal)
    rows = await verify(deployment, normal)
    received = [deployment.received.deliveries[row["delivery_id"]] for row in rows]
    assert max(received) == 1
    # Of what was in the hands of the process that died nobody knows whether it was taken; it is not sent again.
    assert all(count or row["ambiguous"] for count, row in zip(received, rows, strict=True))
    assert sum(row["ambiguous"] for row in rows) < 100
