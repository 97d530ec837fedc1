"""Long work through real workflows: carried to its end, stopped, and brought back where Temporal lost it."""

from __future__ import annotations

from typing import Any

from temporalio.api.sdk.v1 import WorkflowMetadata

from clock import system_now
from domain.task_steps import TaskRef
from ingest.catalog import Catalogs
from services import definitions, imports, long_tasks
from services.repair import Repaired
from services.task_starts import repair_tasks
from tests.workflows.engine import Engine, Flow, bytes_of, until
from workflows.names import OUTCOME, WORKSPACE

PERSON = "ann-7f3"


async def begin(flow: Flow, rows: int, **fields: Any) -> dict[str, Any]:
    text = "id,email\n" + "".join(f"{PERSON}-{n},{PERSON}-{n}@example.com\n" for n in range(rows))
    body = {"import": {"name": PERSON, "type": "people", "identifier": "id", "data": text, **fields}}
    made = await imports.create(flow.engine.db, Catalogs(), flow.workspace_id, body, system_now())
    flow.engine.notifier.send("tasks")
    return made["import"]


async def looked(flow: Flow, number: int) -> dict[str, Any]:
    return imports.shown(await imports.get(flow.engine.db, flow.workspace_id, number))["import"]


def handle(flow: Flow, made: dict[str, Any]) -> Any:
    ref = TaskRef(workspace_id=flow.workspace_id, task_id=made["task_id"])
    return flow.engine.gateway.client.get_workflow_handle(ref.workflow_id)


async def test_an_import_is_carried_to_its_end(sandbox: Flow):
    made = await begin(sandbox, 1200)
    await sandbox.settle()
    done = await looked(sandbox, made["id"])
    assert (done["state"], done["rows_created"]) == ("imported", 1200), "settle waits for the work on files"
    workflow = handle(sandbox, made)
    assert await workflow.result() == "succeeded"
    described = await workflow.describe()
    assert described.typed_search_attributes[WORKSPACE] == sandbox.workspace_id
    assert described.typed_search_attributes[OUTCOME] == "succeeded"
    assert await described.static_summary() == f"import {made['id']}"
    metadata = await workflow.query("__temporal_workflow_metadata", result_type=WorkflowMetadata)
    assert metadata.current_details == f"import {made['id']}: 1200 of 1200 (succeeded)"
    kept = bytes_of(await workflow.fetch_history())
    assert PERSON.encode() not in kept
    assert b"example.com" not in kept


async def test_a_cancelled_task_ends_its_workflow(sandbox: Flow):
    made = await begin(sandbox, 20_000)
    await until(lambda: _queued(sandbox))
    answer = await long_tasks.cancel(sandbox.engine.db, sandbox.workspace_id, made["task_id"], system_now())
    assert answer["state"] == "cancelled"
    assert await handle(sandbox, made).result() == "cancelled"
    await sandbox.settle()
    done = await looked(sandbox, made["id"])
    assert done["state"] == "canceled"
    (people,) = await sandbox.rows("SELECT count(*) AS n FROM people WHERE workspace_id = $1")
    (row,) = await sandbox.rows("SELECT rows_queued FROM imports WHERE workspace_id = $1")
    assert people["n"] == row["rows_queued"] < 20_000


async def _queued(flow: Flow) -> bool:
    return bool(await flow.rows("SELECT 1 FROM imports WHERE workspace_id = $1 AND rows_queued > 0"))


async def build(flow: Flow, people: int) -> dict[str, Any]:
    """Save a segment among so many people, half of whom match; the task of its build."""
    engine = flow.engine
    async with engine.db.transaction() as conn:
        await conn.execute(
            """INSERT INTO people (workspace_id, id, attributes, attribute_times, created_at, age_start)
               SELECT $1, 'p' || n, jsonb_build_object('plan', CASE n % 2 WHEN 0 THEN 'free' ELSE 'pro' END), '{}', $3, $3
               FROM generate_series(1, $2::int) AS n""",
            *(flow.workspace_id, people, system_now()),
        )
    conditions = {"attribute": {"field": "plan", "value": "pro"}}
    document = {"kind": "segment", "key": "pro", "name": "Pro", "conditions": conditions}
    await definitions.apply(engine.db, flow.workspace_id, {"definitions": [document]}, now=system_now())
    engine.notifier.send("tasks")
    (task,) = await flow.rows("SELECT task_id FROM tasks WHERE workspace_id = $1 AND type = 'segment_build'")
    return task


async def state_of_segment(flow: Flow) -> str:
    (row,) = await flow.rows("SELECT state FROM definitions WHERE workspace_id = $1 AND kind = 'segment'")
    return row["state"]


async def test_a_build_is_carried_to_its_end(sandbox: Flow):
    made = await build(sandbox, 5_000)
    await sandbox.settle()
    workflow = handle(sandbox, made)
    assert await workflow.result() == "succeeded"
    assert await state_of_segment(sandbox) == "ready", "settle waits for builds"
    metadata = await workflow.query("__temporal_workflow_metadata", result_type=WorkflowMetadata)
    assert metadata.current_details == "build of segment 1: 5000 of 5000 (succeeded)"
    (members,) = await sandbox.rows("SELECT count(*) AS n FROM memberships WHERE workspace_id = $1 AND member")
    assert members["n"] == 2_500


async def test_a_cancelled_build_ends_its_workflow(sandbox: Flow):
    made = await build(sandbox, 60_000)
    await until(lambda: _looked_at(sandbox))
    answer = await long_tasks.cancel(sandbox.engine.db, sandbox.workspace_id, made["task_id"], system_now())
    assert answer["state"] == "cancelled"
    assert await handle(sandbox, made).result() == "cancelled"
    assert await state_of_segment(sandbox) == "unbuilt"


async def _looked_at(flow: Flow) -> bool:
    return bool(await flow.rows("SELECT 1 FROM tasks WHERE workspace_id = $1 AND done > 0"))


async def test_a_task_that_temporal_lost_is_brought_back():
    async with Engine.running() as engine:
        async with engine.working():
            flow = await engine.workspace()
            made = await begin(flow, 10)
            await flow.settle()
        async with engine.db.transaction() as conn:
            await conn.execute(
                "UPDATE tasks SET state = 'running', ended_at = NULL WHERE workspace_id = $1 AND type = 'import'",
                flow.workspace_id,
            )
            await conn.execute("UPDATE imports SET state = 'importing' WHERE workspace_id = $1", flow.workspace_id)
        await engine.lose_temporal()
        assert await repair_tasks(engine.db, engine.gateway) == Repaired(1, 1)
        assert await repair_tasks(engine.db, engine.gateway) == Repaired(1, 0)
        async with engine.working():
            await flow.settle()
        assert (await looked(flow, made["id"]))["state"] == "imported"
