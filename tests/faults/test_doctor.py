"""`sojourn doctor` beside a whole deployment: well, and with one part after the other away."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from google.protobuf.duration_pb2 import Duration
from temporalio.api.namespace.v1 import NamespaceConfig
from temporalio.api.operatorservice.v1 import RemoveSearchAttributesRequest
from temporalio.api.workflowservice.v1 import UpdateNamespaceRequest
from temporalio.client import Client

from clock import system_now
from console.doctoring import deployment_of
from services.doctor import CHECKS, Cluster, Finding, examine
from settings import CHECKOUT, Settings
from stack.ports import choose
from stack.services import on_free_ports
from stack.temporal import set_up
from tests.faults.deployment import Deployment, sink_provider, walk
from tests.support.doctoring import explained
from tests.support.eventually import eventually
from workflows.cluster import TemporalCluster

pytestmark = [pytest.mark.faults, pytest.mark.stack]


async def diagnosed(deployment: Deployment, *only: str, **changes: Any) -> dict[str, Finding]:
    """What the doctor finds by the settings of the stack, by check; of checks that begin with `only`, where given."""
    place = replace(deployment_of(Settings(data_dir=deployment.stack.settings.data_dir)), **changes)

    async def connect() -> Cluster:
        return await TemporalCluster.connect(place.temporal_address or "", place.temporal_namespace)

    checks = [check for check in CHECKS if not only or check.name.startswith(only)]
    return {finding.check: finding for finding in await examine(place, checks, connect, system_now)}


async def found(deployment: Deployment, check: str, level: str, *only: str) -> Finding:
    """The finding of a check, once it is of this level."""

    async def look() -> Finding | None:
        finding = (await diagnosed(deployment, *(only or (check.split(".", maxsplit=1)[0],)))).get(check)
        return finding if finding is not None and finding.level == level else None

    finding = await eventually(look, f"{check} is {level}", 40)
    assert finding is not None
    return finding


async def test_all_is_well(deployment: Deployment) -> None:
    sandbox = await deployment.sandbox(walk("P1D"))
    await sandbox.start("walk")
    await sandbox.identify("ann", email="ann@example.com")
    await sandbox.track("ann", "order", {"call": "ann"})
    await sandbox.settle()
    process = await asyncio.create_subprocess_exec(
        *[sys.executable, "-m", "cli", "doctor", "--json"],
        cwd=CHECKOUT,
        env={**os.environ, "SOJOURN_DATA_DIR": str(deployment.stack.settings.data_dir)},
        stdout=asyncio.subprocess.PIPE,
    )
    printed, _ = await asyncio.wait_for(process.communicate(), 60)
    answer = json.loads(printed)
    assert [finding for finding in answer["findings"] if finding["level"] != "ok"] == []
    assert (process.returncode, answer["status"]) == (0, 0)
    checks = {finding["check"] for finding in answer["findings"]}
    assert {"database.pooler", "temporal.queue.journeys.workflow", "workers", "api", "journeys.workflows"} <= checks


async def test_a_worker_is_stopped(deployment: Deployment) -> None:
    await deployment.stack.stop_child("worker-journeys")
    finding = await found(deployment, "workers.journeys", "failure", "workers")
    explained(finding, "failure", "no-worker-for-a-role", "`journeys`", "python worker.py --roles journeys")
    all_found = await diagnosed(deployment, "workers")
    assert {name for name in all_found if name.startswith("workers.")} == {
        f"workers.{role}" for role in ("journeys", "send", "send-now", "send-bulk")
    }
    await deployment.stack.start_child("worker-journeys")
    await found(deployment, "workers", "ok")


async def test_the_api_is_stopped(deployment: Deployment) -> None:
    await deployment.stack.stop_child("api")
    explained((await diagnosed(deployment, "api"))["api"], "failure", "api-errors", "does not accept calls")
    await deployment.stack.start_child("api")
    await found(deployment, "api", "ok")


async def test_temporal_is_away_and_comes_back_without_its_data(deployment: Deployment) -> None:
    stack = deployment.stack
    sandbox = await deployment.sandbox(walk("P1D"))
    await sandbox.start("walk")
    for person in ("ann", "bob"):
        await sandbox.identify(person, email=f"{person}@example.com")
    await sandbox.track("ann", "order", {"call": "ann"})
    await deployment.everybody_parked(sandbox, 1)
    await stack.stop_child("temporal")
    await sandbox.track("bob", "order", {"call": "bob"})
    stands = await found(deployment, "flow.outbox", "failure")
    explained(stands, "failure", "outbox-does-not-drain", "live 1")
    everything = await diagnosed(deployment)
    explained(everything["temporal"], "failure", "temporal-does-not-answer")
    assert everything["journeys.workflows"].level == "unknown"
    assert everything["workers"].level == "ok"
    for file in stack.settings.data_dir.glob("temporal.db*"):
        file.unlink()
    await stack.start_child("temporal")
    missing = await found(deployment, "journeys.workflows", "failure", "journeys")
    explained(missing, "failure", "workflows-are-missing", "sojourn journeys repair")
    [ann] = await deployment.values(
        "SELECT journey_id FROM journeys j JOIN people p USING (workspace_id, person_id) WHERE workspace_id = $1 AND p.id = 'ann'",
        sandbox,
    )
    assert ann in missing.summary
    await sandbox.advance("P1D")
    await deployment.everybody_through(sandbox)


async def test_a_namespace_that_is_not_as_set_up_makes_it(deployment: Deployment) -> None:
    settings = deployment.stack.settings
    address, name = settings.temporal_address or "", settings.temporal_namespace
    nowhere = await diagnosed(deployment, "temporal.namespace", temporal_namespace="elsewhere")
    explained(
        nowhere["temporal.namespace"], "failure", "temporal-namespace", "'elsewhere' is not there", "sojourn setup"
    )
    client = await Client.connect(address, namespace=name)
    short = Duration()
    short.FromTimedelta(timedelta(days=2))
    await client.workflow_service.update_namespace(
        UpdateNamespaceRequest(namespace=name, config=NamespaceConfig(workflow_execution_retention_ttl=short))
    )
    explained(
        await found(deployment, "temporal.namespace", "warning"), "warning", "temporal-namespace", "2 days", "7 days"
    )
    await client.operator_service.remove_search_attributes(
        RemoveSearchAttributesRequest(namespace=name, search_attributes=["outcome"])
    )
    gone = await found(deployment, "temporal.search-attributes", "failure")
    explained(gone, "failure", "temporal-namespace", "outcome is missing, not Keyword", "sojourn setup")
    await set_up(address, name, settings.temporal_retention)
    for check in ("temporal.namespace", "temporal.search-attributes"):
        await found(deployment, check, "ok")


async def test_a_mail_server_is_away(deployment: Deployment) -> None:
    settings, _ = choose(on_free_ports(deployment.stack.settings.data_dir), workers=0)
    provider = sink_provider(deployment.stack)
    away = {**provider, "config": {**provider["config"], "port": settings.smtp_port}}
    normal = await deployment.normal(walk("PT1S"))
    await normal.define(away)
    await normal.start("walk")
    await normal.identify("ann", email="ann@example.com")
    await normal.track("ann", "order", {"call": "ann"})
    finding = await found(deployment, "sending.providers", "failure")
    explained(finding, "failure", "provider-away", "'sink'", f"workspace {normal.id}")
    await normal.define(provider)
    await found(deployment, "sending.providers", "ok")
