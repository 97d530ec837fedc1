"""What a journey costs in history events, counted on real histories (design: 15, 70, nothing for a block in between)."""

from __future__ import annotations

from typing import Any

from temporalio.api.enums.v1 import EventType

from tests.workflows.engine import Flow

MESSAGE = {"subject": "Hi", "body": "<p>Hi</p>{% unsubscribe %}"}


def email(to: str | None) -> dict[str, Any]:
    return {"type": "email", "sending_state": "automatic", "message": MESSAGE, "next": to}


def five_messages(duration: str) -> dict[str, Any]:
    """Five times a message and a delay."""
    blocks: dict[str, Any] = {}
    for number in range(1, 6):
        blocks[f"mail{number}"] = email(f"wait{number}")
        following = f"mail{number + 1}" if number < 5 else None
        blocks[f"wait{number}"] = {"type": "time_delay", "duration": duration, "next": following}
    return blocks


SET = {"set": {"type": "update_person", "set": {"stage": "welcomed"}}}
BETWEEN = {
    "set": {**SET["set"], "next": "branch"},
    "branch": {"type": "true_false", "conditions": {"attribute": {"field": "plan"}}, "then": "gone", "else": "more"},
    "gone": {"type": "exit"},
    "more": {"type": "update_person", "set": {"stage": "known"}, "next": "list"},
    "list": {"type": "segment_update", "segment": "welcomed", "action": "add", "next": "out"},
    "out": {"type": "exit"},
}


async def events(flow: Flow) -> list[str]:
    history = await flow.history(await flow.journey())
    return [EventType.Name(event.event_type).removeprefix("EVENT_TYPE_") for event in history.events]


async def test_a_message_and_an_exit_take_15_events_at_most(sandbox: Flow):
    await sandbox.campaign({"mail": email(None)}, start="mail")
    await sandbox.identify("ann", email="ann@example.com")
    await sandbox.track("ann")
    await sandbox.settle()
    row = await sandbox.ended()
    assert (row.state, row.reason) == ("finished", "completed")
    found = await events(sandbox)
    assert len(found) <= 15, found


async def test_five_messages_and_delays_take_70_events_at_most_in_a_sandbox(sandbox: Flow):
    await sandbox.campaign(five_messages("P1D"), start="mail1")
    await sandbox.identify("ann", email="ann@example.com")
    await sandbox.track("ann")
    await sandbox.advance("P10D")
    await sandbox.ended()
    found = await events(sandbox)
    assert len(found) <= 70, found
    assert "TIMER_STARTED" not in found
    delivered = await sandbox.rows("SELECT status FROM deliveries WHERE workspace_id = $1")
    assert [row["status"] for row in delivered] == ["delivered"] * 5


async def test_five_messages_and_real_delays_take_70_events_at_most(live: Flow):
    await live.campaign(five_messages("PT1S"), start="mail1")
    await live.identify("ann", email="ann@example.com")
    await live.track("ann")
    await live.settle()
    await live.ended()
    found = await events(live)
    assert len(found) <= 70, found
    assert found.count("TIMER_FIRED") == 5


async def test_blocks_that_neither_wait_nor_deliver_add_nothing(sandbox: Flow):
    await sandbox.campaign(SET, start="set")
    await sandbox.track("ann")
    await sandbox.settle()
    await sandbox.ended()
    alone = await events(sandbox)
    other = await sandbox.engine.workspace()
    await other.define({"kind": "segment", "key": "welcomed", "name": "Welcomed", "type": "manual"})
    await other.campaign(BETWEEN, start="set")
    await other.track("ann")
    await other.settle()
    await other.ended()
    assert await events(other) == alone
    steps = "SELECT block FROM journey_steps WHERE workspace_id = $1 AND outcome = 'done' ORDER BY seq_num"
    assert [row["block"] for row in await other.rows(steps)] == ["set", "more", "list"]
    assert len(alone) <= 7


async def test_a_second_start_begins_no_run(sandbox: Flow):
    await sandbox.campaign({"wait": {"type": "time_delay", "duration": "P1D"}}, start="wait")
    await sandbox.track("ann")
    await sandbox.settle()
    row = await sandbox.journey()
    before = await events(sandbox)
    async with sandbox.engine.db.transaction() as conn:
        await conn.execute(
            """INSERT INTO outbox (workspace_id, lane, kind, journey_id, workflow_id, campaign_id, person_id, why)
               VALUES ($1, 'live', 'start', $2, $3, $4, $5, 'start')""",
            row.workspace_id,
            row.journey_id,
            row.workflow_id,
            row.campaign_id,
            row.person_id,
        )
    await sandbox.settle()
    assert await events(sandbox) == before
    await sandbox.advance("P1D")
    await sandbox.ended()
    client = sandbox.engine.gateway.client
    runs = [run async for run in client.list_workflows(f'WorkflowId = "{row.workflow_id}"')]
    assert len(runs) == 1
