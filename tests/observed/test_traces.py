"""Traces from a call to the message that left, seen by a collector."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest
from temporalio.client import Client
from temporalio.worker import Replayer

from tests.observed.conftest import Observed
from tests.support.eventually import eventually
from tests.support.live import Workspace, campaign, email, on_event
from workflows.converter import DATA_CONVERTER
from workflows.runtime import WORKFLOWS, workflow_runner

pytestmark = pytest.mark.stack

NAME, ADDRESS = "Wilhelmina", "wilhelmina@example.com"


def traceparent(number: int, *, sampled: bool = True) -> tuple[str, str]:
    """A caller's trace, and the header that names it."""
    trace = f"{number:032x}"
    return trace, f"00-{trace}-00000000000000aa-0{int(sampled)}"


async def track(workspace: Workspace, person: str, name: str, header: str | None) -> None:
    headers = workspace.track_auth | ({} if header is None else {"traceparent": header})
    path = f"/api/v1/customers/{person}/events"
    answer = await workspace.client.post(path, json={"name": name, "data": {"plan": "pro"}}, headers=headers)
    assert answer.status_code == 200, answer.text


async def replayed(observed: Observed, workflow: str) -> None:
    """Headers add no events, and where traces are off the history replays as well."""
    stack = observed.deployment.stack
    client = await Client.connect(stack.describe().temporal_address, namespace=stack.settings.temporal_namespace)
    history = await client.get_workflow_handle(workflow).fetch_history()
    assert len(history.events) <= 15
    replayer = Replayer(workflows=WORKFLOWS, workflow_runner=workflow_runner(), data_converter=DATA_CONVERTER)
    await replayer.replay_workflow(history)


async def test_an_event_is_followed_from_the_call_to_the_mail_server(observed: Observed):
    blocks = {"hello": email("Hello {{ customer.first_name }}")}
    workspace = await observed.deployment.normal(campaign("welcome", on_event("joined"), "hello", blocks))
    await workspace.start("welcome")
    await workspace.identify("w1", email=ADDRESS, first_name=NAME)
    await workspace.settle()
    trace, header = traceparent(0xA1)
    await track(workspace, "w1", "joined", header)
    await workspace.settle()
    names = ("POST /api/v1/customers/{identifier}/events", "ingest.apply", "outbox.hand_over", "activity advance")
    spans = await observed.trace(trace, *names, "activity deliver_message", "smtp.send")
    call, apply, handed, planned = (spans[name] for name in names)
    delivered, sent = spans["activity deliver_message"], spans["smtp.send"]
    assert call.parent == "00000000000000aa"
    assert apply.parent == call.span
    assert handed.parent == apply.span
    assert (planned.parent, delivered.parent) == (handed.span, handed.span)
    assert sent.parent == delivered.span
    assert {call.service, apply.service, sent.service} == {"sojourn-api", "sojourn-worker"}
    assert call.attributes["http.response.status_code"] == 200
    assert apply.attributes["sojourn.outcome"] == "applied"
    (journey,) = await workspace.journeys()
    assert {planned.attributes["sojourn.journey"], sent.attributes["sojourn.journey"]} == {journey["id"]}
    assert delivered.attributes["sojourn.block"] == "hello"
    assert (sent.attributes["sojourn.channel"], sent.attributes["sojourn.answer"]) == ("email", "taken")
    assert sent.resource["deployment.environment.name"] == "test"
    assert all(headers["x-api-key"] == "collector-key" for headers in observed.collector.headers)
    (workflow,) = await observed.deployment.values(
        "SELECT workflow_id FROM journeys WHERE workspace_id = $1", workspace
    )
    await replayed(observed, workflow)
    in_logs = {line.get("trace_id") for line in observed.lines()}
    assert trace in in_logs


async def test_a_transactional_send_is_one_trace(observed: Observed):
    workspace = await observed.deployment.normal()
    trace, header = traceparent(0xB1)
    body = {
        "to": ADDRESS,
        "identifiers": {"email": ADDRESS},
        "from": "team@example.com",
        "subject": NAME,
        "body": "<p>Hello</p>",
    }
    answer = await workspace.request("POST", "/v1/send/email", json=body, headers={"traceparent": header})
    assert answer.status_code == 200, answer.text
    await workspace.settle()
    chain = ("POST /v1/send/email", "ingest.apply", "outbox.hand_over", "send", "smtp.send")
    spans = await observed.trace(trace, *chain)
    for before, after in pairwise(chain):
        assert spans[after].parent == spans[before].span
    assert spans["smtp.send"].attributes["sojourn.delivery"] == answer.json()["delivery_id"]
    rows = await observed.deployment.values("SELECT traceparent FROM deliveries WHERE workspace_id = $1", workspace)
    assert [row[3:35] for row in rows] == [trace]


async def test_a_broadcast_is_one_trace_for_all_its_recipients(observed: Observed):
    document = {"kind": "broadcast", "key": "news", "name": "News", "recipients": "everyone"}
    blocks = {"mail": email("{{ trigger.headline }}")}
    workspace = await observed.deployment.sandbox({**document, "workflow": {"start": "mail", "blocks": blocks}})
    for number in range(5):
        await workspace.identify(f"b{number}", email=f"b{number}@example.com")
    await workspace.settle()
    await workspace.call("POST", "/v1/broadcasts/news/start")
    trace, header = traceparent(0xF1)
    body = {"data": {"headline": NAME}}
    answer = await workspace.request("POST", "/v1/campaigns/news/triggers", json=body, headers={"traceparent": header})
    assert answer.status_code == 200, answer.text
    await workspace.settle()
    assert len(await workspace.mailbox()) == 5
    spans = await observed.trace(
        trace, "POST /v1/campaigns/{broadcast}/triggers", "outbox.hand_over", "activity run_broadcast"
    )
    assert spans["outbox.hand_over"].parent == spans["POST /v1/campaigns/{broadcast}/triggers"].span
    turn = spans["activity run_broadcast"]
    assert turn.parent == spans["outbox.hand_over"].span
    assert turn.attributes["sojourn.trigger"] == 1
    assert not {"capture.send", "ingest.apply"} & observed.collector.of_trace(trace).keys()


async def test_what_follows_a_wait_is_linked_to_where_the_journey_began(observed: Observed):
    blocks = {
        "pause": {"type": "time_delay", "duration": "PT1S", "next": "first"},
        "first": email("First", next="rest"),
        "rest": {"type": "time_delay", "duration": "P1D", "next": "last"},
        "last": email("Last"),
    }
    workspace = await observed.deployment.normal(campaign("slow", on_event("began"), "pause", blocks))
    await workspace.start("slow")
    await workspace.identify("w2", email=ADDRESS, first_name=NAME)
    await workspace.settle()
    trace, header = traceparent(0xC1)
    await track(workspace, "w2", "began", header)
    await observed.deployment.everybody_parked(workspace, 1)
    begun = await observed.trace(trace, "activity advance")

    async def after_the_timer() -> list[str]:
        linked = [span for span in observed.collector.spans if trace in span.links]
        return sorted(span.name for span in linked) if len(linked) >= 2 else []

    assert await eventually(after_the_timer, "spans linked to the beginning") == [
        "activity advance",
        "activity deliver_message",
    ]
    linked = [span for span in observed.collector.spans if trace in span.links]
    assert trace not in {span.trace for span in linked}
    assert {span.attributes["sojourn.journey"] for span in linked} == {
        begun["activity advance"].attributes["sojourn.journey"]
    }


async def test_a_caller_that_does_not_record_is_not_recorded(observed: Observed):
    workspace = await observed.deployment.sandbox()
    other, refused = traceparent(0xD2, sampled=False)
    await track(workspace, "w3", "quiet", refused)
    seen, header = traceparent(0xD3)
    await track(workspace, "w3", "loud", header)
    await workspace.settle()
    await observed.trace(seen, "ingest.apply")
    kept = "SELECT traceparent FROM ingest_log WHERE workspace_id = $1 ORDER BY seq"
    assert [row and row[3:35] for row in await observed.deployment.values(kept, workspace)] == [None, seen]
    assert other not in {span.trace for span in observed.collector.spans}


async def test_a_collector_that_is_away_stops_nothing_and_is_told_once(observed: Observed):
    workspace = await observed.deployment.sandbox()

    async def said() -> list[str]:
        lines = map(json.loads, (observed.logs / "api.log").read_text().splitlines())
        return [line["message"] for line in lines if line["logger"] == "sojourn.tracing"]

    observed.collector.away = True
    try:
        for number in range(20):
            await track(workspace, "w4", "away", traceparent(0xE00 + number)[1])
        await workspace.settle()
        await eventually(said, "the outage is told", 30)
        for number in range(20):
            await track(workspace, "w4", "away", traceparent(0xE20 + number)[1])
    finally:
        observed.collector.away = False
    trace, header = traceparent(0xEF)
    await track(workspace, "w4", "back", header)
    await observed.trace(trace, "ingest.apply", "POST /api/v1/customers/{identifier}/events")
    assert await said() == [
        "Traces cannot be handed to the collector; they are dropped until it answers.",
        "Traces are handed to the collector again.",
    ]
    for name in ("api", "worker-ingest", "worker-journeys"):
        assert "opentelemetry" not in (observed.logs / f"{name}.log").read_text()


async def test_no_span_says_anything_of_people(observed: Observed):
    """Nor do those that the tests above have left with the collector."""
    workspace = await observed.deployment.sandbox()
    trace, header = traceparent(0x1A1)
    await workspace.identify("w1", email=ADDRESS, first_name=NAME)
    await track(workspace, "w1", NAME, header)
    await observed.trace(trace, "POST /api/v1/customers/{identifier}/events", "ingest.apply")
    for span in observed.collector.spans:
        text = f"{span.name} {span.attributes} {span.resource}"
        assert NAME not in text
        assert ADDRESS not in text
        assert "/w1" not in text
        assert span.attributes["events"] == 0


async def test_nothing_is_kept_where_nothing_is_sampled(observed: Observed):
    """Whatever callers say; it comes last, because the API has to be started anew for it."""
    workspace = await observed.deployment.sandbox()
    tracing = json.dumps({"endpoint": observed.collector.url, "sample": 0})
    await observed.deployment.stack.restart("api", {"SOJOURN_TRACING": tracing})
    trace, header = traceparent(0xD1)
    await track(workspace, "w5", "quiet", header)
    await track(workspace, "w5", "quiet", None)
    await workspace.settle()
    kept = "SELECT traceparent FROM ingest_log WHERE workspace_id = $1"
    assert await observed.deployment.values(kept, workspace) == [None, None]
    assert trace not in {span.trace for span in observed.collector.spans}
