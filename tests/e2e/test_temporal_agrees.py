"""Temporal's view of hundreds of journeys in every state, and what the API says of them, are the same."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from temporalio.client import Client, WorkflowExecutionStatus

from domain.ids import ulid
from stack.description import StackDescription
from tests.support.eventually import eventually
from tests.support.live import SENDER, Workspace, campaign, email, on_event
from workflows.names import CAMPAIGN, OUTCOME

if TYPE_CHECKING:
    from temporalio.client import WorkflowExecution

pytestmark = pytest.mark.stack

PEOPLE = 160
NAMESPACE = "sojourn"
PLAN = {"attribute": {"field": "plan", "operator": "eq", "value": "pro"}}
ACTIVE = {
    "kind": "segment",
    "key": "active",
    "name": "Active",
    "conditions": {"attribute": {"field": "active", "operator": "eq", "value": True}},
}
MIXED = campaign(
    "mixed",
    on_event("go"),
    "plan",
    {
        "plan": {"type": "true_false", "conditions": PLAN, "then": "hello", "else": None, "join": "answer"},
        "hello": email("hello"),
        "answer": {
            "type": "wait_until",
            "paths": [
                {"key": "stop", "conditions": {"performed": {"event": "stop", "since": "trigger"}}, "next": "out"},
                {"key": "late", "max_time": "PT1H"},
            ],
            "join": "pause",
        },
        "out": {"type": "exit"},
        "pause": {"type": "time_delay", "duration": "P1D"},
    },
    filters={"segment": "active"},
    goal={"event": "bought"},
    exit="goal_or_filters",
)
STOPPED = campaign("stopped", on_event("go"), "wait", {"wait": {"type": "time_delay", "duration": "P9D"}}, exit="never")


async def begin(workspace: Workspace, first: int, last: int) -> None:
    """Let people enter both campaigns."""
    batch: list[dict[str, Any]] = []
    for number in range(first, last):
        about = {"type": "person", "identifiers": {"id": f"p{number}"}}
        plan = "pro" if number % 2 else "free"
        attributes = {"email": f"p{number}@example.com", "plan": plan, "active": True}
        batch += [{**about, "action": "identify", "attributes": attributes}]
        batch += [{**about, "action": "event", "name": "go", "id": ulid(number, bytes(10))}]
    answer = await workspace.client.post("/api/v2/batch", json={"batch": batch}, headers=workspace.track_auth)
    assert answer.status_code == 200, answer.text
    await workspace.settle(60)


async def everything(workspace: Workspace) -> dict[str, dict[str, Any]]:
    """All journeys of the workspace by their ids."""
    found: dict[str, dict[str, Any]] = {}
    start = ""
    while True:
        page = await workspace.get("/v1/journeys", limit=200, **({"start": start} if start else {}))
        found |= {journey["id"]: journey for journey in page["journeys"]}
        start = page["next"]
        if not start:
            return found


async def test_temporal_and_the_api_agree_about_hundreds_of_journeys(stack: StackDescription, sandbox: Workspace):
    await sandbox.define(SENDER, ACTIVE, MIXED, STOPPED)
    for key in ("mixed", "stopped"):
        await sandbox.start(key)
    await begin(sandbox, 0, PEOPLE // 2)
    await sandbox.advance("P2D")
    await begin(sandbox, PEOPLE // 2, PEOPLE)
    for number in range(PEOPLE // 2, PEOPLE):
        person = f"p{number}"
        match number % 6:
            case 0:
                await sandbox.track(person, "stop")
            case 1:
                await sandbox.track(person, "bought")
            case 2:
                await sandbox.identify(person, active=False)
    removed = await sandbox.get("/v1/journeys", campaign="mixed", state="in_progress", limit=20)
    ids = [journey["id"] for journey in removed["journeys"]]
    await sandbox.settle(60)
    await sandbox.call("POST", "/v1/journeys/end", {"ids": ids}, 202)
    await sandbox.call("POST", "/v1/campaigns/stopped/stop", {"journeys": "exit"})
    await sandbox.settle(60)
    journeys = await everything(sandbox)
    assert len(journeys) == 2 * PEOPLE
    said = Counter((journey["state"], journey["reason"]) for journey in journeys.values())
    assert {reason for _, reason in said} == {None, "completed", "exit_block", "goal", "filters", "manual", "stopped"}

    client = await Client.connect(stack.temporal_address, namespace=NAMESPACE)
    await temporal_says(client, sandbox, journeys)
    running = [journey for journey in journeys.values() if journey["state"] == "in_progress"]
    assert running
    blocks = await sandbox.get("/v1/campaigns/mixed/blocks")
    assert blocks["journeys"]["in_progress"] == len(running)
    assert sum(block["standing"] for block in blocks["blocks"]) == len(running)
    mixed = [journey_id for journey_id, journey in journeys.items() if journey["campaign"] == "mixed"]
    logs = [await sandbox.steps(journey_id) for journey_id in mixed]
    steps = Counter(step for log in logs for step in log)
    for block in blocks["blocks"]:
        key = block["key"]
        over = ("exited",) if block["type"] == "exit" else ()
        passed = sum(steps[key, outcome] for outcome in ("done", "branched", *over))
        assert (block["passed"], block["standing"]) == (passed, steps[key, "waiting"]), block


async def temporal_says(client: Client, workspace: Workspace, journeys: dict[str, dict[str, Any]]) -> None:
    """Every journey has a workflow that runs as long as it, and says how it ended."""
    wanted = Counter(
        (str(journey["campaign_id"]), journey["reason"] if journey["state"] != "in_progress" else None)
        for journey in journeys.values()
    )

    seen: Counter[tuple[str, str | None]] = Counter()

    async def agree() -> bool:
        nonlocal seen
        found = [
            workflow
            async for workflow in client.list_workflows(f"workspace = {workspace.id} AND WorkflowType = 'journey'")
        ]
        assert len({workflow.id for workflow in found}) == len(found)
        seen = Counter((campaign_of(workflow), outcome_of(workflow)) for workflow in found)
        return seen == wanted

    try:
        await eventually(agree, "what Temporal lists is what the API says", 30)
    except AssertionError:
        assert seen == wanted, "say where they differ"
        raise


def campaign_of(workflow: WorkflowExecution) -> str:
    """The campaign of a workflow as its search attributes say it."""
    return str(workflow.typed_search_attributes.get(CAMPAIGN))


def outcome_of(workflow: WorkflowExecution) -> str | None:
    """How a completed workflow says that its journey ended; None while it runs."""
    outcome = workflow.typed_search_attributes.get(OUTCOME)
    if workflow.status == WorkflowExecutionStatus.RUNNING:
        assert outcome is None
        return None
    assert workflow.status == WorkflowExecutionStatus.COMPLETED
    return outcome
