"""Death at each point between two commits: what was begun is finished, once."""

from __future__ import annotations

import pytest

import faults
from tests.faults import proof
from tests.faults.deployment import Deployment, walk
from tests.faults.scene import Scene
from tests.support.live import Workspace

pytestmark = [pytest.mark.faults, pytest.mark.stack]

POINTS = (
    ("worker-ingest", "outbox.after_commit:4"),
    ("worker-ingest", "outbox.after_accept:4"),
    ("worker-journeys", "deliver.after_provider:6"),
)


@pytest.mark.parametrize(("child", "point"), POINTS)
async def test_a_worker_that_dies_between_two_commits_does_nothing_twice(scene: Scene, child: str, point: str) -> None:
    await scene.deployment.stack.restart(child, {faults.VARIABLE: point})
    async with scene.load():
        await scene.deployment.died(child)
        await scene.more(8)
    ambiguous = await scene.verify()
    assert not ambiguous or child == "worker-journeys"


async def test_a_fact_that_was_logged_but_never_answered_happens_once(scene: Scene) -> None:
    await scene.deployment.stack.restart("api", {faults.VARIABLE: "accept.after_append:10"})
    async with scene.load():
        await scene.deployment.died("api")
        await scene.more(8)
    await scene.verify()
    happened = await proof.facts_once(scene.deployment, scene.sandbox)
    happened |= await proof.facts_once(scene.deployment, scene.normal)
    identified = await _identified(scene)
    unsure = {call.token for load in (scene.sandbox, scene.normal) for call in load.unsure}
    assert unsure & (happened | identified), "the call at the fault point was committed, so it has happened"


async def test_an_smtp_message_between_answer_and_receipt_is_sent_and_ambiguous(deployment: Deployment) -> None:
    normal = await _one_journey(deployment, await deployment.normal(walk("PT1S")))
    [first, second] = await _deliveries(deployment, normal)
    assert (first["status"], first["ambiguous"], second["ambiguous"]) == ("sent", True, False)
    assert [deployment.received.deliveries[row["delivery_id"]] for row in (first, second)] == [1, 1]
    await proof.journeys_once(deployment, normal, ["one"], paused=True)


async def test_a_captured_message_between_answer_and_receipt_is_asked_for_again_with_the_same_key(
    deployment: Deployment,
) -> None:
    sandbox = await _one_journey(deployment, await deployment.sandbox(walk(None)))
    await proof.captured_once(deployment, sandbox)
    await proof.journeys_once(deployment, sandbox, ["one"], paused=False)


async def _identified(scene: Scene) -> set[str]:
    query = "SELECT jsonb_object_keys(attributes) FROM people WHERE workspace_id = $1"
    found: set[str] = set()
    for load in (scene.sandbox, scene.normal):
        found |= set(await scene.deployment.values(query, load.workspace))
    return found


async def _one_journey(deployment: Deployment, workspace: Workspace) -> Workspace:
    """The workspace after one journey whose first message was in the hands of a worker that died, with the gap told."""
    await workspace.start("walk")
    await workspace.identify("ann", email="ann@example.com")
    await workspace.settle()
    await deployment.stack.restart("worker-journeys", {faults.VARIABLE: "deliver.after_provider"})
    await workspace.track("ann", "order", {"call": "one"})
    gap = await deployment.gap("worker-journeys", lambda: _receipts(deployment, workspace))
    assert gap.short, gap
    await deployment.everybody_through(workspace)
    return workspace


async def _receipts(deployment: Deployment, workspace: Workspace) -> int:
    query = "SELECT count(*) FROM deliveries WHERE workspace_id = $1 AND status <> 'queued'"
    return int((await deployment.values(query, workspace))[0])


async def _deliveries(deployment: Deployment, workspace: Workspace) -> list[dict[str, object]]:
    query = "SELECT delivery_id, status, ambiguous FROM deliveries WHERE workspace_id = $1 ORDER BY created_at"
    return await deployment.rows(query, workspace)
