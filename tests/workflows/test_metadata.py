"""What an operator reads on the page of a journey in the Temporal UI."""

from __future__ import annotations

from temporalio.api.sdk.v1 import WorkflowMetadata

from tests.workflows.engine import Flow, until
from workflows.names import CAMPAIGN, OUTCOME, PERSON, WORKSPACE

BLOCKS = {
    "first": {"type": "true_false", "conditions": {"attribute": {"field": "plan"}}, "join": "pause"},
    "pause": {"type": "time_delay", "name": "Give them time", "duration": "P1D"},
}


async def details(flow: Flow) -> str:
    row = await flow.journey()
    handle = flow.engine.gateway.client.get_workflow_handle(row.workflow_id)
    metadata = await handle.query("__temporal_workflow_metadata", result_type=WorkflowMetadata)
    return metadata.current_details


async def test_a_waiting_journey_tells_campaign_path_block_and_instant(sandbox: Flow):
    await sandbox.campaign(BLOCKS, start="first")
    await sandbox.track("ann")
    await sandbox.settle()
    await until(lambda: details(sandbox))
    told = await details(sandbox)
    for part in ("`welcome`", "`first`", "`pause`", "2026-01-02T10:00:00Z"):
        assert part in told, told


async def test_a_finished_journey_tells_its_path_and_how_it_ended(sandbox: Flow):
    await sandbox.campaign(BLOCKS, start="first")
    await sandbox.track("ann")
    await sandbox.advance("P2D")
    await sandbox.ended()
    told = await details(sandbox)
    for part in ("`welcome`", "`first`", "`pause`", "finished", "completed", "2026-01-02T10:00:00Z"):
        assert part in told, told


async def test_search_attributes_and_summaries_name_what_an_operator_looks_for(live: Flow):
    await live.campaign({"pause": {"type": "time_delay", "name": "Give them time", "duration": "PT1S"}}, start="pause")
    await live.track("ann")
    await live.settle()
    row = await live.ended()
    described = await live.engine.gateway.client.get_workflow_handle(row.workflow_id).describe()
    found = described.typed_search_attributes
    assert (found[WORKSPACE], found[CAMPAIGN], found[PERSON]) == (
        live.workspace_id,
        str(row.campaign_id),
        str(row.person_id),
    )
    assert found[OUTCOME] == "completed"
    assert await described.static_summary() == f"welcome - person {row.person_id}"
    history = await live.history(row)
    timers = [event for event in history.events if event.HasField("timer_started_event_attributes")]
    assert [timer.user_metadata.summary.data for timer in timers] == [b'"Give them time"']
