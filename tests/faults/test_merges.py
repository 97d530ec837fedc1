"""Merges while processes are killed: each happens once, and of two journeys exactly one goes on."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.faults.deployment import Deployment, walk
from tests.support.eventually import eventually
from tests.support.live import Workspace

pytestmark = [pytest.mark.faults, pytest.mark.stack]

PAIRS = 25
EVENT = "order"


@pytest.mark.parametrize("child", ["worker-ingest", "worker-journeys", "postgres"])
async def test_people_are_merged_once_whoever_dies_meanwhile(deployment: Deployment, child: str) -> None:
    workspace = await deployment.sandbox(walk("P1D"))
    await workspace.start("walk")
    for number in range(PAIRS):
        for side in ("a", "b"):
            person = f"{side}{number}"
            await workspace.identify(person, side=side, **{side: number})
            await workspace.track(person, EVENT, {"call": person})
    await workspace.identify("a0", email="a0@example.com")
    await workspace.settle(60)
    assert len(await workspace.journeys(limit=100)) == 2 * PAIRS
    for number in range(PAIRS):
        if number == PAIRS // 2:
            await deployment.stack.kill(child)
        await _merge(workspace, number)
    await deployment.stack.wait_ready(child)
    await workspace.settle(90)
    for number in range(PAIRS):
        merged = await workspace.get(f"/v1/customers/a{number}/attributes")
        attributes = merged["customer"]["attributes"]
        assert (attributes["side"], attributes["a"], attributes["b"]) == ("a", str(number), str(number))
        gone = await workspace.request("GET", f"/v1/customers/b{number}/attributes")
        assert gone.status_code == 404
    states = Counter((row["state"], row["reason"]) for row in await workspace.journeys(limit=100))
    assert states == {("in_progress", None): PAIRS, ("exited_early", "merged"): PAIRS}
    await workspace.advance("P2D")
    states = Counter((row["state"], row["reason"]) for row in await workspace.journeys(limit=100))
    assert states == {("finished", "completed"): PAIRS, ("exited_early", "merged"): PAIRS}


async def _merge(workspace: Workspace, number: int) -> None:
    """Call until the merge is accepted: a second one of the same pair is nothing."""
    body = {"primary": {"id": f"a{number}"}, "secondary": {"id": f"b{number}"}}

    async def accepted() -> bool:
        answer = await workspace.client.post("/api/v1/merge_customers", json=body, headers=workspace.track_auth)
        assert answer.status_code in (200, 503), answer.text
        return answer.status_code == 200

    await eventually(accepted, f"the merge of pair {number} is accepted", 60)
