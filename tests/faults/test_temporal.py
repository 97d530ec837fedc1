"""Temporal away for a while, and Temporal's data gone: PostgreSQL holds all that matters."""

from __future__ import annotations

from typing import Any

import pytest

from tests.faults import proof
from tests.faults.deployment import Deployment, walk
from tests.faults.scene import Scene
from tests.support.eventually import throughout

pytestmark = [pytest.mark.faults, pytest.mark.stack]

AWAY = 20.0
PEOPLE = [f"p{number}" for number in range(4)]


async def test_while_temporal_is_away_calls_are_taken_and_journeys_start_afterwards(scene: Scene) -> None:
    deployment = scene.deployment
    seen: list[dict[str, Any]] = []

    async def takes_calls() -> None:
        answer = await deployment.http.get("/v1/health/ready")
        assert answer.status_code == 200, answer.text
        seen.append(answer.json())

    for load in (scene.sandbox, scene.normal):
        load.pace = 1.0
    async with scene.load():
        await scene.more(4)
        await deployment.stack.stop_child("temporal")
        await throughout(AWAY, takes_calls)
        await deployment.stack.start_child("temporal")
        await scene.more(4)
    assert seen[-1]["status"] == "degraded"
    assert [name for name, check in seen[-1]["checks"].items() if name != "workers" and not check["ok"]] == ["temporal"]
    assert not scene.sandbox.unsure
    assert not scene.normal.unsure
    assert await scene.verify() == []


@pytest.mark.embedded(
    "deletes the SQLite file of the development server; tests/cluster/test_moving.py has an empty cluster"
)
async def test_temporals_file_is_deleted_and_everybody_finishes_once(deployment: Deployment) -> None:
    stack = deployment.stack
    sandbox = await deployment.sandbox(walk("P1D"))
    normal = await deployment.normal(walk("PT12S"))
    for workspace in (sandbox, normal):
        await workspace.start("walk")
        for person in PEOPLE:
            await workspace.identify(person, email=f"{person}@example.com")
            await workspace.track(person, "order", {"call": person})
        await deployment.everybody_parked(workspace, len(PEOPLE))
    await stack.stop_child("temporal")
    for file in stack.settings.data_dir.glob("temporal.db*"):
        file.unlink()
    await stack.start_child("temporal")
    everybody = 2 * len(PEOPLE)
    assert await deployment.repair() == {"looked_at": everybody, "started": everybody}
    assert (await deployment.repair())["started"] == 0
    await sandbox.advance("P1D")
    for workspace in (sandbox, normal):
        await deployment.everybody_through(workspace)
        await proof.journeys_once(deployment, workspace, PEOPLE, paused=True)
    await proof.captured_once(deployment, sandbox)
    assert await proof.mailed_once(deployment, normal) == []
