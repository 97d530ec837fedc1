"""The workflow of a trigger: how few events it costs, and what it never keeps."""

from __future__ import annotations

from typing import Any

import pytest
from temporalio.api.sdk.v1 import WorkflowMetadata

from clock import system_now
from domain.sends import BroadcastRef
from services.broadcasts import life, triggering
from tests.workflows.engine import Flow, bytes_of
from workflows.names import OUTCOME

PEOPLE = 1_000
PAGE = 200
EVENTS_A_TURN = 8
MOST_A_TURN = 10.0 * 3_000
"""How many recipients a turn of ten seconds sees to, at about the rate of one process."""


async def begin(flow: Flow) -> BroadcastRef:
    async with flow.engine.db.transaction() as conn:
        await conn.execute(
            """INSERT INTO people (workspace_id, id, email, attributes, attribute_times, created_at, age_start)
               SELECT $1, 'p' || n, 'p' || n || '@example.com', '{}', '{}', $3, $3 FROM generate_series(1, $2::int) AS n""",
            *(flow.workspace_id, PEOPLE, system_now()),
        )
    mail: dict[str, Any] = {"type": "email", "sending_state": "automatic"}
    mail["message"] = {"subject": "{{ trigger.headline }}", "body": "<p>Hi</p>{% unsubscribe %}"}
    document = {"kind": "broadcast", "key": "news", "name": "News", "recipients": "everyone"}
    await flow.define(*flow.mail, {**document, "workflow": {"start": "mail", "blocks": {"mail": mail}}})
    await life.start(flow.engine.db, flow.workspace_id, "news", system_now())

    async def read() -> dict[str, Any]:
        return {"data": {"headline": "Something-private"}}

    number = await triggering.trigger(flow.engine.db, flow.workspace_id, "news", read, system_now)
    flow.engine.notifier.send("outbox")
    (row,) = await flow.rows("SELECT broadcast_id FROM broadcast_triggers WHERE workspace_id = $1")
    return BroadcastRef(workspace_id=flow.workspace_id, broadcast_id=row["broadcast_id"], trigger_no=number)


async def test_a_trigger_of_very_many_turns_stays_small(sandbox: Flow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.broadcasts.running.TURN_SECONDS", 0.0)
    ref = await begin(sandbox)
    await sandbox.settle()
    workflow = sandbox.engine.gateway.client.get_workflow_handle(ref.workflow_id)
    assert await workflow.result() == "finished"
    history = await workflow.fetch_history()
    # Two turns until the audience is known, one for each page, and the last.
    turns = 2 + PEOPLE / PAGE + 1
    assert len(history.events) <= 5 + EVENTS_A_TURN * turns
    assert 5 + EVENTS_A_TURN * 1_000_000 / MOST_A_TURN < 10_000
    assert b"Something-private" not in bytes_of(history)
    assert b"example.com" not in bytes_of(history)
    described = await workflow.describe()
    assert described.typed_search_attributes[OUTCOME] == "finished"
    metadata = await workflow.query("__temporal_workflow_metadata", result_type=WorkflowMetadata)
    assert f"- {PEOPLE} of {PEOPLE} recipients were seen to" in metadata.current_details
    (sent,) = await sandbox.rows(
        "SELECT count(*) AS n, count(DISTINCT delivery_id) AS ids FROM mailbox WHERE workspace_id = $1"
    )
    assert (sent["n"], sent["ids"]) == (PEOPLE, PEOPLE)
