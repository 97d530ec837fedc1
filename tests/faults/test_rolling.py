"""Workers replaced one after the other in the middle of a thousand journeys: nobody notices."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from bench.errand import Way
from bench.ordeal import all_ended, judged
from stack.commands import WORKERS, WorkerPlan
from stack.services import temporary_data_dir
from tests.faults.deployment import Deployment, Received, deployed
from tests.support.eventually import eventually
from tests.support.live import Workspace, campaign, email, on_event
from tests.support.topology import new_stack

pytestmark = [pytest.mark.faults, pytest.mark.stack, pytest.mark.timeout(600)]

JOURNEYS = 1_000
BATCH = 500
SECOND = tuple(WorkerPlan(f"{plan.name}-2", plan.roles) for plan in WORKERS)
STEPS = ("count done", "pause done", "again done", "closing done")
ENDED = "SELECT count(*) FROM journeys WHERE workspace_id = $1 AND state <> 'in_progress'"


def counting(field: str, **fields: object) -> dict[str, object]:
    """An update that counts its passes on the person."""
    return {
        "type": "update_person",
        "set": {field: {"liquid": f"{{{{ customer.{field} | default: 0 | plus: 1 }}}}"}},
        **fields,
    }


ROLLED = campaign(
    "rolled",
    on_event("enrol"),
    "count",
    {
        "count": counting("walked", next="pause"),
        "pause": {"type": "time_delay", "duration": "PT3S", "next": "again"},
        "again": counting("again", next="closing"),
        "closing": email("closing {{ customer.id }}"),
    },
    exit="never",
)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def pairs() -> AsyncIterator[Deployment]:
    """A stack with two workers of each kind."""
    received = Received()
    with temporary_data_dir() as data_dir:
        stack = new_stack(data_dir, workers=(*WORKERS, *SECOND), on_message=received.record)
        async with deployed(stack, received) as running:
            yield running


async def enrol(workspace: Workspace, people: list[str]) -> None:
    """Make people known and let them begin."""
    for first in range(0, len(people), BATCH):
        batch = []
        for person in people[first : first + BATCH]:
            about = {"type": "person", "identifiers": {"id": person}}
            batch.append({**about, "action": "identify", "attributes": {"email": f"{person}@example.com"}})
            batch.append({**about, "action": "event", "name": "enrol"})
        answer = await workspace.client.post("/api/v2/batch", json={"batch": batch}, headers=workspace.track_auth)
        assert answer.status_code == 200, answer.text


async def test_workers_are_replaced_in_the_middle_of_a_thousand_journeys(pairs: Deployment) -> None:
    normal = await pairs.normal(ROLLED)
    await normal.start("rolled")
    people = [f"p{number}" for number in range(JOURNEYS)]
    await enrol(normal, people)

    async def in_the_middle() -> bool:
        return bool((await pairs.values(ENDED, normal))[0])

    await eventually(in_the_middle, "some have ended", 60)
    for plan in (*WORKERS, *SECOND):
        await pairs.stack.restart(plan.name)
    ended = (await pairs.values(ENDED, normal))[0]
    print(f"{ended} had ended when the last worker was replaced")  # noqa: T201 - a figure to read
    url = pairs.stack.describe().database_url
    assert await all_ended(url, normal.id, JOURNEYS, 80)
    ways = {person: Way(STEPS, (f"closing {person}",)) for person in people}
    verdict = await judged(url, normal.id, ways, pairs.received.deliveries)
    assert verdict.flawless, verdict
    assert not verdict.unsure, "an orderly end waits for what is in hand"
    query = "SELECT count(*) FROM people WHERE workspace_id = $1 AND attributes->>'again' = '1'"
    assert await pairs.values(query, normal) == [JOURNEYS]
