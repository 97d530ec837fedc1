"""Journeys from event over message to exit with a channel that does nothing, against bare workflows of one activity."""

from __future__ import annotations

import asyncio
import contextlib
import statistics
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client

from bench import traffic
from bench.bare_workflow import QUEUE
from bench.cpu import each, spent
from bench.figure import Figure, paired, percentile, rate, seconds
from bench.http_load import Connection
from bench.ingest import post
from bench.place import Place, Tenant, running_stack, until
from bench.progress import say
from stack.process import Child

TARGET = 0.8
AT_ONCE = 20
"""How many starts are on their way to Temporal at once, on both sides."""
LIMIT = 240.0
PAUSE = 0.25
MESSAGE = {"subject": "Hello {{customer.city}}", "body": "<p>Hello {{event.sku}}</p>{% unsubscribe %}"}


@dataclass(frozen=True)
class Shape:
    """What a history looks like: its events and its bytes."""

    events: int
    size: int


async def measure(*, quick: bool) -> list[Figure]:
    """Alternate rounds of bare workflows and of journeys, then wake waiting journeys one at a time."""
    rounds, count, wakes = (2, 80, 10) if quick else (4, 400, 60)
    async with running_stack() as place, _workers(place) as (client, workers):
        tenant = await _prepared(place, count)
        await _bare(client, 0, AT_ONCE)
        ours, bare, costs = [], [], []
        for number in range(rounds):
            marks = [spent((*place.stack.children.values(), *workers))]
            bare.append(await _bare(client, number + 1, count))
            marks.append(spent((*place.stack.children.values(), *workers)))
            ours.append(await _journeys(place, tenant, client, count))
            marks.append(spent((*place.stack.children.values(), *workers)))
            costs = [each(marks[0], marks[1], count), each(marks[1], marks[2], count)]
            say(f"round {number + 1}: {ours[-1]:.1f} journeys/s against {bare[-1]:.1f} bare workflows/s")
        shapes = [await _shape(client, query) for query in (_of(tenant), "WorkflowType = 'bare'")]
        woken = await _wakes(place, tenant, wakes)
    ratio, spread = paired(ours, bare)
    return [
        Figure(
            name="journeys, event -> message -> exit",
            measured=rate(statistics.median(ours), "journeys"),
            against=f"{rate(statistics.median(bare), 'bare workflows')}",
            ratio=ratio,
            target=TARGET,
            notes=(
                (
                    f"{count} at a time, ratio {spread}; ours from the call with the event to the closed workflow, on rows "
                    "that are committed with fsync; the bare one from its start."
                ),
                (
                    f"History: {shapes[0].events} events and {shapes[0].size:,} bytes against {shapes[1].events} and "
                    f"{shapes[1].size:,}."
                ),
                f"Processor time of one journey: {costs[1]}; of one bare workflow: {costs[0]}.",
                (
                    f"On an idle stack a waiting journey has gone on {seconds(percentile(woken, 0.5))} (median) and "
                    f"{seconds(percentile(woken, 0.95))} (p95) after the event that it waits for was accepted."
                ),
            ),
        )
    ]


@contextlib.asynccontextmanager
async def _workers(place: Place) -> AsyncIterator[tuple[Client, tuple[Child, Child]]]:
    """Our worker with the channel that does nothing in place of the stack's, and the bare one beside it."""
    settings = place.stack.settings
    address, namespace = settings.temporal_address or "", settings.temporal_namespace
    client = await Client.connect(address, namespace=namespace)
    ordinary = place.stack.children["worker-journeys"].command
    await place.stack.stop_child("worker-journeys")
    roles = ordinary.argv[-1]
    noop = Child(replace(ordinary, name="noop", argv=[sys.executable, "-m", "bench.noop_worker", "--roles", roles]))
    argv = [sys.executable, "-m", "bench.bare_worker", address, namespace]
    bare = Child(replace(ordinary, name="bare", argv=argv, ready=lambda: _polled(client)))
    async with contextlib.AsyncExitStack() as held:
        for child in (noop, bare):
            await child.start()
            held.push_async_callback(child.stop)
        yield client, (noop, bare)


async def _polled(client: Client) -> bool:
    request = DescribeTaskQueueRequest(
        namespace=client.namespace,
        task_queue=TaskQueue(name=QUEUE),
        task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
    )
    return bool((await client.workflow_service.describe_task_queue(request)).pollers)


async def _prepared(place: Place, people: int) -> Tenant:
    tenant = await place.tenant()
    await tenant.define(
        _campaign("greet", "bought", {"mail": {"type": "email", "message": MESSAGE}}),
        _campaign(
            "wait",
            "left",
            {
                "wait": {
                    "type": "wait_until",
                    "paths": [
                        {"key": "back", "conditions": {"performed": {"event": "came_back", "since": "trigger"}}},
                        {"key": "never", "max_time": "P30D"},
                    ],
                }
            },
        ),
    )
    await tenant.start("greet")
    await tenant.start("wait")
    await post(tenant, traffic.batches(traffic.newcomers(people), people))
    await tenant.settle()
    return tenant


def _campaign(key: str, event: str, blocks: dict[str, Any]) -> dict[str, Any]:
    start = next(iter(blocks))
    return {
        "kind": "campaign",
        "key": key,
        "name": key,
        "trigger": {"type": "event", "event": event},
        "frequency": {"mode": "every"},
        "workflow": {"start": start, "defaults": {"sending_state": "automatic"}, "blocks": blocks},
    }


async def _bare(client: Client, number: int, count: int) -> float:
    """Bare workflows per second, from the first start to the last end."""
    clock = asyncio.get_running_loop().time
    places = asyncio.Semaphore(AT_ONCE)
    began = clock()

    async def start(index: int) -> None:
        async with places:
            await client.start_workflow("bare", index, id=f"bare/{number}/{index}", task_queue=QUEUE)

    await asyncio.gather(*[start(index) for index in range(count)])
    await _completed(client, f"WorkflowType = 'bare' AND WorkflowId STARTS_WITH 'bare/{number}/'", count)
    return count / (clock() - began)


async def _journeys(place: Place, tenant: Tenant, client: Client, count: int) -> float:
    """Journeys per second, from the call with their events to the last closed workflow."""
    before = (await client.count_workflows(f"{_of(tenant)} AND ExecutionStatus = 'Completed'")).count
    clock = asyncio.get_running_loop().time
    began = clock()
    await post(tenant, traffic.batches(iter([_event(n, "bought") for n in range(count)]), count))
    await _completed(client, _of(tenant), before + count)
    took = clock() - began
    sent = await place.value(
        "SELECT count(*) FROM deliveries WHERE workspace_id = $1 AND status = 'delivered'", tenant.id
    )
    if sent != before + count:
        raise RuntimeError(f"{sent} messages were delivered of {before + count}")
    return count / took


def _of(tenant: Tenant) -> str:
    return f"WorkflowType = 'journey' AND workspace = {tenant.id}"


async def _completed(client: Client, query: str, count: int) -> None:
    async def done() -> bool:
        return (await client.count_workflows(f"{query} AND ExecutionStatus = 'Completed'")).count >= count

    await until(done, LIMIT, every=0.1)


async def _shape(client: Client, query: str) -> Shape:
    """The history of one completed workflow."""
    async for found in client.list_workflows(f"{query} AND ExecutionStatus = 'Completed'", page_size=1):
        described = await client.get_workflow_handle(found.id).describe()
        info = described.raw_description.workflow_execution_info
        return Shape(info.history_length, info.history_size_bytes)
    raise RuntimeError("no workflow has completed")


async def _wakes(place: Place, tenant: Tenant, count: int) -> list[float]:
    """Seconds from the accepted event to the end of the journey that waited for it, one after the other."""
    say("waking journeys one at a time")
    await post(tenant, traffic.batches(iter([_event(n, "left") for n in range(count)]), count))
    await tenant.settle()
    connection = await Connection.open(tenant.port)
    clock = asyncio.get_running_loop().time
    found = []
    for number in range(count):
        await connection.accepted(tenant.track("POST", f"/api/v1/customers/p{number}/events", b'{"name":"came_back"}'))
        began = clock()

        async def over(ended: int = number + 1) -> bool:
            query = (
                "SELECT count(*) FROM journeys WHERE workspace_id = $1 AND state = 'finished' AND reason = 'completed'"
            )
            return bool(await place.value(f"{query} AND trigger->'event'->>'name' = 'left'", tenant.id) >= ended)

        await until(over, LIMIT, every=0.005)
        found.append(clock() - began)
        await asyncio.sleep(PAUSE)
    connection.close()
    return found


def _event(person: int, name: str) -> dict[str, Any]:
    subject = {"id": f"p{person}"}
    return {"type": "person", "action": "event", "identifiers": subject, "name": name, "attributes": {"sku": "a"}}


__all__ = ["measure"]
