"""From the development server to an empty cluster, as docs/cluster.md says: PostgreSQL stays, everybody finishes once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from stack.ports import choose
from stack.services import on_free_ports, temporary_data_dir
from stack.supervisor import Stack
from stack.topology import CLUSTER, DevServer, Topology
from tests.faults import proof
from tests.faults.deployment import Deployment, Received, deployed, walk
from tests.faults.mailing import audience, doubtful, finished, written_once
from tests.faults.sending import Calls, sent_once
from tests.support.broadcasting import broadcast, email
from tests.support.eventually import eventually
from tests.support.live import Workspace

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(600)]

PEOPLE = [f"p{number}" for number in range(10)]
READERS = 400
RATE = 20
SENDS = [f"send-{number}" for number in range(5)]
BEFORE = replace(CLUSTER, name="before", temporal=DevServer())
"""A deployment whose Temporal is still the development server."""
BETWEEN = replace(CLUSTER, name="between", workers=())
"""The same with the cluster, before its workers are started."""


async def test_a_move_to_an_empty_server_costs_nobody_anything() -> None:
    received = Received()
    with temporary_data_dir() as data_dir:
        free = on_free_ports(data_dir)
        # The mail server that definitions name stays where it is.
        settings = free.with_changes(smtp_port=choose(free, workers=0)[0].smtp_port)

        def stack(topology: Topology) -> Stack:
            return Stack(settings, topology=topology, headless=True, on_message=received.record)

        async with deployed(stack(BEFORE), received) as before:
            sandbox, normal = await before.sandbox(walk("P1D")), await before.normal(walk("PT30S"))
            news = await before.normal(broadcast(blocks={"mail": email()}, send_rate={"limit": RATE, "per": "second"}))
            for workspace in (sandbox, normal):
                await _begin(before, workspace)
            await _publish(before, news)

        async with deployed(stack(BETWEEN), received) as between:
            running = between.stack.describe()
            place = {"DATABASE_URL": running.database_url, "TEMPORAL_ADDRESS": running.temporal_address}
            said = await between.console("setup", **place)
            assert "search attributes" in said
            everybody = 2 * len(PEOPLE)
            assert await between.repair(**place) == {"looked_at": everybody, "started": everybody}
            assert await between.repair(**place) == {"looked_at": everybody, "started": 0}
            sends = Calls(await between.normal())
            await sends.send(SENDS)

        async with deployed(stack(CLUSTER), received) as after:
            for workspace in (sandbox, normal, news, sends.workspace):
                workspace.client = after.http
            await sandbox.advance("P1D")
            for workspace in (sandbox, normal):
                await after.everybody_through(workspace)
                await proof.journeys_once(after, workspace, PEOPLE, paused=True)
            await proof.captured_once(after, sandbox)
            assert await proof.mailed_once(after, normal) == []
            assert len(await sent_once(after, sends, captured=False)) == len(SENDS)
            await finished(news)
            assert doubtful(after, await written_once(after, news, READERS)) == 0


async def _begin(deployment: Deployment, workspace: Workspace) -> None:
    """Have everybody wait."""
    await workspace.start("walk")
    for person in PEOPLE:
        await workspace.identify(person, email=f"{person}@example.com")
        await workspace.track(person, "order", {"call": person})
    await deployment.everybody_parked(workspace, len(PEOPLE))


async def _publish(deployment: Deployment, workspace: Workspace) -> None:
    """Have a broadcast in the middle of its audience."""
    await audience(deployment, workspace, READERS)
    await workspace.call("POST", "/v1/broadcasts/news/start")
    await workspace.call("POST", "/v1/campaigns/news/triggers", {"data": {"headline": "News"}})

    async def some_are_out() -> bool:
        query = "SELECT count(*) FROM deliveries WHERE workspace_id = $1 AND status = 'sent'"
        return bool((await deployment.values(query, workspace))[0])

    await eventually(some_are_out, "some of the news are out")
