"""Workers replaced by workers with other workflow code, in the middle of journeys."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from temporalio.client import Client

from bench.errand import Way
from bench.ordeal import all_ended, judged
from settings import CHECKOUT
from stack.commands import WORKERS, WorkerPlan
from stack.services import on_free_ports, temporary_data_dir
from stack.supervisor import Stack
from tests.faults.deployment import Deployment, Received, deployed
from tests.faults.test_rolling import counting, enrol
from tests.faults.upgraded import sojourn, temporal, version
from tests.support.eventually import eventually
from tests.support.live import Workspace, campaign, email, on_event

pytestmark = [pytest.mark.faults, pytest.mark.stack, pytest.mark.timeout(600)]

JOURNEYS = 1_000
MORE = 30
PATIENCE = 240.0
"""Seconds for what a busy machine draws out; a quiet one needs a tenth."""
PATCH = "2027-03-hold-before-send"
FIRST, SECOND = "worker-journeys", "worker-journeys-2"
JOURNEY_WORKERS = WorkerPlan(SECOND, WORKERS[1].roles)
GOING = {"key": "go", "conditions": {"performed": {"event": "go", "since": "trigger"}}}
DELIVERED = "SELECT p.id FROM deliveries d JOIN people p USING (workspace_id, person_id) WHERE d.workspace_id = $1"


def upgraded(pause: dict[str, object]) -> dict[str, object]:
    """A message, a pause, another message: who has had the first has a delivery in the history."""
    blocks = {
        "count": counting("walked", next="first"),
        "first": email("first {{ customer.id }}", next="pause"),
        "pause": pause,
        "closing": email("closing {{ customer.id }}"),
    }
    return campaign("upgraded", on_event("enrol"), "count", blocks, exit="never")


A_MOMENT = upgraded({"type": "time_delay", "duration": "PT20S", "next": "closing"})
UNTIL_TOLD = upgraded({"type": "wait_until", "paths": [{**GOING, "next": "closing"}]})


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def pair() -> AsyncIterator[Deployment]:
    """A stack with two workers for journeys."""
    received = Received()
    with temporary_data_dir() as data_dir:
        plans = (*WORKERS, JOURNEY_WORKERS)
        stack = Stack(on_free_ports(data_dir), workers=plans, headless=True, on_message=received.record)
        async with deployed(stack, received) as running:
            yield running


@pytest.fixture(scope="module")
def versions(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The three versions through which a patch goes, and the one of before."""
    folder = tmp_path_factory.mktemp("versions")
    made = {name: version(name, folder) for name in ("patched", "deprecated", "removed")}
    return {"before": CHECKOUT, **made}


async def everywhere(pair: Deployment, checkout: Path) -> None:
    """Deploy a version, one worker after the other, where it is not deployed yet."""
    for name in (SECOND, FIRST):
        if pair.stack.children[name].command.cwd != checkout:
            await pair.stack.deploy(name, checkout)


async def under_way(pair: Deployment, document: dict[str, object], people: list[str]) -> Workspace:
    """A workspace in which these people have begun."""
    workspace = await pair.normal(document)
    await workspace.start("upgraded")
    await enrol(workspace, people)
    return workspace


async def taken(pair: Deployment, workspace: Workspace, journeys: int) -> None:
    """Return when so many journeys have taken the new way."""
    client = await Client.connect(
        pair.stack.describe().temporal_address, namespace=pair.stack.settings.temporal_namespace
    )

    async def look() -> bool:
        found = await client.count_workflows(f"workspace = {workspace.id} AND TemporalChangeVersion = '{PATCH}'")
        return found.count >= journeys

    await eventually(look, f"{journeys} journeys have taken the new way", PATIENCE)


async def parked(pair: Deployment, workspace: Workspace, journeys: int) -> None:
    """Return when so many journeys stand in a wait."""

    async def look() -> bool:
        return await pair.parked(workspace) == journeys

    await eventually(look, f"{journeys} journeys wait", PATIENCE)


async def everybody_through(pair: Deployment, workspace: Workspace, people: list[str], *, paused: str) -> None:
    """Everybody comes to the end by the right way and gets each message once."""
    url = pair.stack.describe().database_url
    assert await all_ended(url, workspace.id, len(people), 80), await sojourn(pair.stack, "journeys", "wedged")
    steps = ("count done", "first done", paused, "closing done")
    ways = {person: Way(steps, (f"first {person}", f"closing {person}")) for person in people}
    verdict = await judged(url, workspace.id, ways, pair.received.deliveries)
    assert verdict.flawless, verdict
    assert not verdict.unsure
    assert (await sojourn(pair.stack, "journeys", "wedged", "--older-than", "0"))["count"] == 0


async def marked(pair: Deployment, workspace: Workspace) -> dict[str, bool]:
    """Whether the history of each person's journey carries the marker of the patch."""
    stack = pair.stack
    client = await Client.connect(stack.describe().temporal_address, namespace=stack.settings.temporal_namespace)
    query = "SELECT j.workflow_id, p.id FROM journeys j JOIN people p USING (workspace_id, person_id) WHERE j.workspace_id = $1"
    whose = {row["workflow_id"]: row["id"] for row in await pair.rows(query, workspace)}
    there: dict[str, bool] = {}

    async def all_there() -> bool:
        # What is searched lags behind what happened.
        running = await client.count_workflows(f"workspace = {workspace.id} AND ExecutionStatus = 'Running'")
        return running.count == 0

    await eventually(all_there, "no workflow runs any more", PATIENCE)
    async for found in client.list_workflows(f"workspace = {workspace.id}"):
        there[whose[found.id]] = PATCH in str(found.search_attributes.get("TemporalChangeVersion", ()))
    return there


async def test_a_patch_is_deployed_in_the_middle_of_a_thousand_journeys(
    pair: Deployment, versions: dict[str, Path]
) -> None:
    old = [f"o{number}" for number in range(JOURNEYS)]
    new = [f"n{number}" for number in range(MORE)]
    workspace = await under_way(pair, A_MOMENT, old)

    async def in_the_middle() -> bool:
        return len(await pair.values(DELIVERED, workspace)) >= JOURNEYS // 4

    await eventually(in_the_middle, "a quarter of them have the first message", PATIENCE)
    begun = set(await pair.values(DELIVERED, workspace))
    await pair.stack.deploy(SECOND, versions["patched"])
    # Old and new workers side by side.
    await enrol(workspace, new)

    await taken(pair, workspace, MORE // 3)
    await pair.stack.deploy(FIRST, versions["patched"])
    await enrol(workspace, last := [f"l{number}" for number in range(10)])
    await everybody_through(pair, workspace, [*old, *new, *last], paused="pause done")
    carries = await marked(pair, workspace)
    assert not any(carries[person] for person in begun), "who was under way keeps to the old way"
    assert all(carries[person] for person in last), "who begins afterwards takes the new way"
    print(f"{len(begun)} had the first message before; {sum(carries.values())} took the new way")  # noqa: T201 - a figure


async def test_a_patch_is_deprecated_and_removed_while_people_are_under_way(
    pair: Deployment, versions: dict[str, Path]
) -> None:
    await everywhere(pair, versions["patched"])
    people = [f"p{number}" for number in range(MORE)]
    workspace = await under_way(pair, UNTIL_TOLD, people)
    await parked(pair, workspace, MORE)
    query = f"workspace = {workspace.id} AND ExecutionStatus = 'Running' AND TemporalChangeVersion IS NULL"
    assert "Total: 0" in await temporal(pair.stack, "workflow", "count", "--query", query)
    await everywhere(pair, versions["deprecated"])
    await tell(workspace, people[: MORE // 3])
    later = [f"q{number}" for number in range(MORE)]
    await enrol(workspace, later)
    await parked(pair, workspace, 2 * MORE - MORE // 3)
    await tell(workspace, people[MORE // 3 :])

    async def patched_ones_through() -> bool:
        return await pair.under_way(workspace) == MORE

    await eventually(patched_ones_through, "who carries the first marker is through", PATIENCE)
    await everywhere(pair, versions["removed"])
    await tell(workspace, later)
    await everybody_through(pair, workspace, [*people, *later], paused="pause branched go")
    await everywhere(pair, versions["before"])


async def test_an_incompatible_change_wedges_journeys_and_every_way_out_brings_them_on(
    pair: Deployment, versions: dict[str, Path]
) -> None:
    await everywhere(pair, versions["before"])
    people = [f"w{number}" for number in range(MORE)]
    workspace = await under_way(pair, UNTIL_TOLD, people)
    await parked(pair, workspace, MORE)
    await everywhere(pair, versions["removed"])
    await tell(workspace, people)
    stack = pair.stack

    async def seen() -> bool:
        found = await sojourn(stack, "journeys", "wedged", "--older-than", "1", "--limit", "1000")
        return found["by_cause"] == {"nondeterminism": MORE}

    await eventually(seen, "everybody is seen to stand still", PATIENCE)
    assert await pair.under_way(workspace) == MORE, "nobody comes to the end, and nobody is lost"
    found = (await sojourn(stack, "journeys", "wedged", "--older-than", "1", "--limit", "1000"))["wedged"]
    assert {(one["campaign"], one["block"], one["restartable"]) for one in found} == {("upgraded", "pause", True)}
    assert all("TMPRL1100" in one["told"] for one in found)
    # Twenty are started anew from their rows, with the code as it is.
    third = MORE // 3
    ids = [one["journey"] for one in found[:third]]
    assert await sojourn(stack, "journeys", "restart", *ids, "--yes") == {"restarted": third}
    # Twenty are terminated in Temporal and repaired.
    ended = ", ".join(f"'{one['workflow_id']}'" for one in found[third : 2 * third])
    reason = ["--reason", "wedged", "--yes"]
    await temporal(stack, "workflow", "terminate", "--query", f"WorkflowId IN ({ended})", *reason)

    async def repaired() -> int:
        return (await sojourn(stack, "journeys", "repair"))["started"]

    started = 0

    async def all_repaired() -> bool:
        nonlocal started
        started += await repaired()
        return started == third

    await eventually(all_repaired, "who was terminated is started again", PATIENCE)

    async def two_thirds_through() -> bool:
        return await pair.under_way(workspace) == MORE - 2 * third

    await eventually(two_thirds_through, "they come to the end by the new code", PATIENCE)
    # The others go on when the code of before is back.
    await everywhere(pair, versions["before"])
    await everybody_through(pair, workspace, people, paused="pause branched go")


async def tell(workspace: Workspace, people: list[str]) -> None:
    """Let people go on."""
    batch = [
        {"type": "person", "identifiers": {"id": person}, "action": "event", "name": "go", "data": {}}
        for person in people
    ]
    answer = await workspace.client.post("/api/v2/batch", json={"batch": batch}, headers=workspace.track_auth)
    assert answer.status_code == 200, answer.text
