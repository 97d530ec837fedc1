"""Deaths in the middle of a broadcast, and pauses: everybody in its audience is written to once."""

from __future__ import annotations

from typing import Any

import pytest

import faults
from tests.faults.deployment import Deployment
from tests.faults.mailing import audience, doubtful, finished, state, written_once
from tests.support.broadcasting import broadcast, email
from tests.support.live import Workspace

pytestmark = [pytest.mark.faults, pytest.mark.stack]

PEOPLE = 2_000
WORKER = "worker-journeys"
PATH = "/v1/broadcasts/news/triggers/1"


async def begin(deployment: Deployment, workspace: Workspace, point: str, **more: Any) -> None:
    """A broadcast to very many under way, by a worker that dies at a point."""
    await audience(deployment, workspace, PEOPLE)
    await workspace.define(broadcast(blocks={"mail": email()}, **more))
    await workspace.call("POST", "/v1/broadcasts/news/start")
    await deployment.stack.restart(WORKER, {faults.VARIABLE: point})
    answer = await workspace.call("POST", "/v1/campaigns/news/triggers", {"data": {"headline": "News"}})
    assert answer == {"id": 1}


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
    rows = await written_once(deployment, sandbox, PEOPLE)
    mails = await deployment.values("SELECT delivery_id FROM mailbox WHERE workspace_id = $1", sandbox)
    assert sorted(mails) == sorted(row["delivery_id"] for row in rows)
    assert not any(row["ambiguous"] for row in rows)


async def test_killed_at_its_rate_nobody_gets_mail_twice(deployment: Deployment) -> None:
    normal = await deployment.normal()
    await begin(deployment, normal, "page.after_commit:8", send_rate={"limit": 400, "per": "second"})
    await deployment.died(WORKER)
    await finished(normal)
    rows = await written_once(deployment, normal, PEOPLE)
    assert doubtful(deployment, rows) < 100
