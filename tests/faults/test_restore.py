"""PostgreSQL put back to an older point, beside a Temporal that is ahead, or has lost everything: all go on, by the rules."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from temporalio.client import Client

from settings import CHECKOUT
from stack.services import on_free_ports, temporary_data_dir
from stack.supervisor import Stack
from tests.faults import proof
from tests.faults.archive import ArchivedPostgres, archived_postgres
from tests.faults.deployment import Deployment, Received, deployed, walk
from tests.support.broadcasting import broadcast
from tests.support.broadcasting import email as mail
from tests.support.eventually import eventually
from tests.support.live import Workspace, campaign, email, on_event

pytestmark = [pytest.mark.faults, pytest.mark.stack, pytest.mark.timeout(400)]

PRODUCT = ("api", "worker-ingest", "worker-journeys")
SHORT, LONG = "PT12S", "PT2H"
TOUR = campaign(
    "tour",
    on_event("tour"),
    "soon",
    {
        "soon": {"type": "time_delay", "duration": SHORT, "next": "one"},
        "one": email("one", next="later"),
        "later": {"type": "time_delay", "duration": LONG, "next": "two"},
        "two": email("two"),
    },
)


@dataclass
class Place:
    """A stack on a server that can be put back."""

    deployment: Deployment
    postgres: ArchivedPostgres

    @property
    def stack(self) -> Stack:
        return self.deployment.stack

    async def command(self, *words: str, status: int = 0) -> str:
        """What `sojourn` prints to an operator beside the stack."""
        process = await asyncio.create_subprocess_exec(
            *[sys.executable, "-m", "cli", *words],
            cwd=CHECKOUT,
            env={**os.environ, "SOJOURN_DATA_DIR": str(self.stack.settings.data_dir)},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        printed, complaint = await asyncio.wait_for(process.communicate(), 60)
        assert process.returncode == status, printed.decode() + complaint.decode()
        return printed.decode()

    async def stop_product(self) -> None:
        for child in PRODUCT[::-1]:
            await self.stack.stop_child(child)

    async def start_product(self) -> None:
        for child in PRODUCT:
            await self.stack.start_child(child)

    async def put_back(self, backup: Path, target: str, *, without_temporal: bool = False) -> dict[str, int]:
        """What an operator does, step by step; answers what `sojourn after-restore` said."""
        await self.stop_product()
        await self.postgres.put_back(backup, target)
        if without_temporal:
            await self.stack.stop_child("temporal")
            for file in self.stack.settings.data_dir.glob("temporal.db*"):
                file.unlink()
            await self.stack.start_child("temporal")
        said = await self.restored()
        await self.start_product()
        return said

    async def restored(self) -> dict[str, int]:
        """What `sojourn after-restore` says for machines."""
        said: dict[str, int] = json.loads(await self.command("after-restore", "--json"))
        return said

    async def running(self, workspace: Workspace) -> set[str]:
        """The ids of workflows of journeys of a workspace that run."""
        stack = self.stack.describe()
        client = await Client.connect(stack.temporal_address, namespace=self.stack.settings.temporal_namespace)
        query = f"WorkflowType = 'journey' AND workspace = {workspace.id} AND ExecutionStatus = 'Running'"
        return {found.id async for found in client.list_workflows(query)}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def place() -> AsyncIterator[Place]:
    received = Received()
    async with archived_postgres() as postgres:
        with temporary_data_dir() as data_dir:
            settings = on_free_ports(data_dir).with_changes(database_url=postgres.url)
            stack = Stack(settings, headless=True, on_message=received.record)
            async with deployed(stack, received) as deployment:
                yield Place(deployment, postgres)


async def _begin(workspace: Workspace, person: str, event: str = "order") -> None:
    await workspace.identify(person, email=f"{person}@example.com")
    await workspace.track(person, event, {"call": person})


async def _ended(place: Place, workspace: Workspace, *people: str) -> None:
    """Return when the latest journey of each of these people is over."""
    query = """SELECT count(DISTINCT p.id) FROM journeys j JOIN people p USING (workspace_id, person_id)
               WHERE j.workspace_id = $1 AND p.id = ANY($2::text[]) AND j.state <> 'in_progress'"""

    async def over() -> bool:
        return (await place.deployment.values(query, workspace, list(people)))[0] == len(people)

    await eventually(over, f"the journeys of {people} are over", 90)


async def _at(place: Place, workspace: Workspace, block: str) -> dict[str, Any]:
    """The only journey of a workspace, once it waits in a block and has seen all its wakes."""
    query = """SELECT journey_id, workflow_id, block, due_at FROM journeys
               WHERE workspace_id = $1 AND state = 'in_progress' AND wait IS NOT NULL AND seen = wanted"""

    async def there() -> dict[str, Any] | None:
        found = await place.deployment.rows(query, workspace)
        return found[0] if [row["block"] for row in found] == [block] else None

    found = await eventually(there, f"the journey waits at {block}", 90)
    assert found is not None
    return found


async def _handed_over(place: Place, workspace: Workspace, send: str | None = None) -> None:
    """Return when Temporal has all that a workspace asks for, and nothing has been done about the latest of it."""
    query = """SELECT NOT EXISTS (SELECT 1 FROM outbox WHERE workspace_id = $1)
               AND NOT EXISTS (SELECT 1 FROM ingest_log WHERE workspace_id = $1 AND applied_at IS NULL)
               AND ($2::text IS NULL OR EXISTS (SELECT 1 FROM journeys WHERE workspace_id = $1 AND seen = 0)
                    AND EXISTS (SELECT 1 FROM deliveries WHERE workspace_id = $1 AND delivery_id = $2))"""

    async def handed_over() -> bool:
        return bool((await place.deployment.values(query, workspace, send))[0])

    await eventually(handed_over, "Temporal has everything")


async def _deliveries(place: Place, workspace: Workspace) -> dict[str, str]:
    """The delivery ids of a workspace with who and what each is for."""
    query = """SELECT d.delivery_id, COALESCE(p.id, '') || ' ' || COALESCE(d.block, '') AS what
               FROM deliveries d LEFT JOIN people p USING (workspace_id, person_id) WHERE d.workspace_id = $1"""
    return {row["delivery_id"]: row["what"] for row in await place.deployment.rows(query, workspace)}


async def _headline(workspace: Workspace) -> int:
    answer = await workspace.call("POST", "/v1/campaigns/news/triggers", {"data": {"headline": "News"}})
    number: int = answer["id"]
    return number


async def test_put_back_to_a_point_everybody_goes_on(place: Place) -> None:
    deployment, received = place.deployment, place.deployment.received.deliveries
    sandbox = await deployment.sandbox(walk("P1D"), broadcast(blocks={"mail": mail()}))
    normal, touring = await deployment.normal(walk(SHORT)), await deployment.normal(TOUR)
    for workspace, key in ((sandbox, "walk"), (normal, "walk"), (touring, "tour")):
        await workspace.start(key)
    await sandbox.call("POST", "/v1/broadcasts/news/start")
    await _begin(sandbox, "done")
    await sandbox.settle()
    await sandbox.advance("P1D")
    backup = await place.postgres.backup()
    await _begin(sandbox, "parked")
    await sandbox.settle()
    await _begin(touring, "traveller", "tour")
    await _begin(normal, "parked")
    early = await _at(place, touring, "soon")
    await _at(place, normal, "pause")
    # Handed over to Temporal, and nothing done about it yet.
    await place.stack.stop_child("worker-journeys")
    await _begin(normal, "started")
    body = {
        "identifiers": {"id": "started"},
        "to": "a@example.com",
        "from": "team@example.com",
        "subject": "x",
        "body": "y",
    }
    asked = (await normal.call("POST", "/v1/send/email", body))["delivery_id"]
    await _handed_over(place, normal, asked)
    under_way = await _headline(sandbox)
    await _handed_over(place, sandbox)
    await place.postgres.mark("point")

    # What comes now will never have been.
    await place.stack.start_child("worker-journeys")
    await _ended(place, normal, "parked", "started")
    ahead = await _at(place, touring, "later")
    assert ahead["workflow_id"] == early["workflow_id"]
    await _begin(normal, "lost")
    await _ended(place, normal, "lost")
    await sandbox.advance("P1D")
    lost_trigger = await _headline(sandbox)
    await _begin(sandbox, "lost")
    await sandbox.settle()
    lost_deliveries = await _deliveries(place, sandbox)
    before, strays = dict(received), await place.running(sandbox)
    assert len(strays) == 1
    lost_people = await deployment.values(
        "SELECT person_id FROM people WHERE workspace_id = $1 AND id = 'lost'", sandbox
    )

    said = await place.put_back(backup, "recovery_target_name = 'point'")
    assert (said["journeys"], said["sends"], said["triggers"]) == (4, 1, 1)

    # New facts, new people and new triggers take no number of the lost time.
    await _begin(normal, "new")
    await _begin(sandbox, "new")
    await sandbox.settle()
    await sandbox.advance("PT10S")
    assert await _headline(sandbox) > lost_trigger
    await sandbox.settle()
    assert (await sandbox.get(f"/v1/campaigns/news/triggers/{under_way}"))["state"] == "finished"
    [new_person] = await deployment.values(
        "SELECT person_id FROM people WHERE workspace_id = $1 AND id = 'new'", sandbox
    )
    assert new_person > max(lost_people)
    made = await _deliveries(place, sandbox)
    again = {name: what for name, what in made.items() if name in lost_deliveries}
    assert again == {name: lost_deliveries[name] for name in again}

    # Workflows without a journey end, and nobody stands.
    repaired = await place.command("journeys", "repair")
    assert "1 workflow without a journey told to end" in repaired
    await sandbox.advance("P1D")
    await deployment.everybody_through(sandbox)
    await proof.journeys_once(deployment, sandbox, ["done", "parked", "new"], paused=True)
    await deployment.everybody_through(normal)
    await proof.journeys_once(deployment, normal, ["parked", "started", "new"], paused=True)
    # The traveller was two hours from the next message, and is again, counted from the message that came again.
    there = await _at(place, touring, "later")
    assert there["journey_id"] == early["journey_id"]
    assert there["due_at"] > ahead["due_at"]
    await touring.call("POST", f"/v1/journeys/{there['journey_id']}/end")
    await deployment.everybody_through(touring)

    # What had been sent after the point was sent again under the same id, once; what had been sent before was not.
    kept = await _deliveries(place, normal)
    times = {what: received[name] for name, what in kept.items() if what.strip() and name != asked}
    assert times == {
        "parked first": 1,
        "parked second": 2,
        "started first": 2,
        "started second": 2,
        "new first": 1,
        "new second": 1,
    }
    assert (before[asked], received[asked]) == (1, 2)


async def test_put_back_while_temporal_has_lost_everything(place: Place) -> None:
    deployment = place.deployment
    sandbox, normal = await deployment.sandbox(walk("P1D")), await deployment.normal(walk(SHORT))
    backup = await place.postgres.backup()
    for workspace in (sandbox, normal):
        await workspace.start("walk")
        await _begin(workspace, "parked")
        await _at(place, workspace, "pause")
    at = await place.postgres.now()
    await _begin(sandbox, "lost")
    await sandbox.settle()
    await place.put_back(backup, f"recovery_target_time = '{at}'", without_temporal=True)
    for workspace in (sandbox, normal):
        await _begin(workspace, "new")
    await sandbox.settle(60)
    await sandbox.advance("P1D")
    for workspace in (sandbox, normal):
        await deployment.everybody_through(workspace)
        await proof.journeys_once(deployment, workspace, ["parked", "new"], paused=True)
    await proof.captured_once(deployment, sandbox)
    assert await proof.mailed_once(deployment, normal) == []


async def test_moved_by_dump_to_a_server_that_counts_anew(place: Place) -> None:
    deployment = place.deployment
    sandbox = await deployment.sandbox(walk("P1D"))
    await sandbox.start("walk")
    await _begin(sandbox, "parked")
    await sandbox.settle()
    # An older server has counted much further than a new one.
    await place.postgres.execute(
        "DO $$ BEGIN FOR i IN 1..5000 LOOP PERFORM pg_current_xact_id(); COMMIT; END LOOP; END $$"
    )
    await place.stack.stop_child("worker-ingest")
    await _begin(sandbox, "waiting")
    await place.stop_product()
    await place.postgres.move()
    sick = json.loads(await place.command("doctor", "--json", status=1))
    [facts] = [finding for finding in sick["findings"] if finding["check"] == "flow.facts"]
    assert (facts["level"], facts["anchor"], facts["remedy"]) == (
        "failure",
        "facts-of-another-server",
        "sojourn after-restore",
    )
    under_way = await place.postgres.value("SELECT count(*) FROM journeys WHERE state = 'in_progress'")
    said = await place.restored()
    assert (said["journeys"], said["facts"]) == (under_way, 2)
    await place.start_product()
    await sandbox.settle()
    await sandbox.advance("P1D")
    await deployment.everybody_through(sandbox)
    await proof.journeys_once(deployment, sandbox, ["parked", "waiting"], paused=True)
    await proof.captured_once(deployment, sandbox)
