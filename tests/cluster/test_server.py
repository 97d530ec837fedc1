"""The product's ways to a real Temporal server, where it is not like the development server."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import asyncpg
import pytest
from temporalio import workflow
from temporalio.api.operatorservice.v1 import ListSearchAttributesRequest
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client
from temporalio.worker import Worker

from services.gate import TemporalAway
from stack.temporal import set_up
from stack.temporal_cluster import SHARDS, STORES
from stack.topology import CLUSTER
from tests.cluster.conftest import Servers
from tests.support.eventually import eventually
from workflows.gateway import Gateway
from workflows.namespace import SEARCH_ATTRIBUTES

pytestmark = pytest.mark.cluster

WORKERS = 24
QUEUE = "many"


@workflow.defn(sandboxed=False)
class Nothing:
    """A workflow that nobody starts."""

    @workflow.run
    async def run(self) -> None:
        """End."""


async def test_every_one_of_many_workers_learns_that_it_polls(servers: Servers) -> None:
    gateways = [
        await Gateway.connect(servers.address, servers.settings.temporal_namespace, lazy=False, identity=f"w{number}")
        for number in range(WORKERS)
    ]
    stranger = await Gateway.connect(servers.address, servers.settings.temporal_namespace, lazy=False, identity="s")
    workers = [Worker(gateway.client, task_queue=QUEUE, workflows=[Nothing]) for gateway in gateways]
    running = [asyncio.create_task(worker.run()) for worker in workers]
    try:

        async def all_polled() -> bool:
            return all(await asyncio.gather(*[gateway.polled(QUEUE, workflows=True) for gateway in gateways]))

        await eventually(all_polled, "every worker is told that it polls")
        assert not await stranger.polled(QUEUE, workflows=True)
        assert not await gateways[0].polled(QUEUE, workflows=False)
    finally:
        await asyncio.gather(*[worker.shutdown() for worker in workers])
        await asyncio.gather(*running)


async def test_set_up_may_be_repeated_and_come_several_times_at_once(servers: Servers) -> None:
    for days in (3, 4, 4):
        await asyncio.gather(*[set_up(servers.address, "at-once", timedelta(days=days)) for _ in range(3)])
        client = await Client.connect(servers.address, namespace="at-once")
        found = await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace="at-once"))
        assert found.config.workflow_execution_retention_ttl.ToTimedelta() == timedelta(days=days)
        listed = await client.operator_service.list_search_attributes(ListSearchAttributesRequest(namespace="at-once"))
        assert dict(listed.custom_attributes) == SEARCH_ATTRIBUTES


async def test_its_tables_are_brought_up_to_date_any_number_of_times(servers: Servers) -> None:
    ports = list(range(1, CLUSTER.temporal.ports + 1))
    await CLUSTER.temporal.plan(servers.settings, ports, headless=True)
    url = servers.settings.database_url or ""
    for name in STORES:
        connection = await asyncpg.connect(url.rsplit("/", 1)[0] + f"/{name}")
        try:
            assert await connection.fetchval("SELECT count(*) FROM schema_version") == 1
            if name == "temporal":
                shards = await connection.fetchval("SELECT count(*) FROM shards")
                assert shards <= SHARDS
        finally:
            await connection.close()


async def test_a_frontend_that_is_away_is_told_as_away(servers: Servers) -> None:
    gateway = await Gateway.connect(servers.address, servers.settings.temporal_namespace)
    frontend = servers.children["temporal-frontend"]
    await gateway.polled(QUEUE, workflows=True)
    await frontend.stop()
    with pytest.raises(TemporalAway):
        await gateway.polled(QUEUE, workflows=True)
    await frontend.start()

    async def back() -> bool:
        try:
            await gateway.polled(QUEUE, workflows=True)
        except TemporalAway:
            return False
        return True

    await eventually(back, "the same gateway reaches it again")
