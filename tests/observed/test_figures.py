"""Figures of a running stack: they move with what happens, and are what is documented."""

from __future__ import annotations

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.contracts.test_figures import ALERTS, PANELS
from tests.observed.conftest import Observed
from tests.support.eventually import eventually
from tests.support.live import campaign, email, on_event
from tests.support.promql import FOREIGN, asked, documented

pytestmark = pytest.mark.stack

Samples = dict[str, dict[tuple[tuple[str, str], ...], float]]
SEGMENT = {
    "kind": "segment",
    "key": "pros",
    "name": "Pros",
    "conditions": {"attribute": {"field": "plan", "operator": "eq", "value": "pro"}},
}


def read(text: str) -> Samples:
    """The samples of one process, by name and labels."""
    found: Samples = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, {})[tuple(sorted(sample.labels.items()))] = sample.value
    return found


def total(samples: dict[str, Samples], name: str, **labels: str) -> float:
    """The sum over all processes of what has these labels."""
    wanted = set(labels.items())
    return sum(value for one in samples.values() for found, value in one.get(name, {}).items() if wanted <= set(found))


async def scraped(observed: Observed) -> dict[str, Samples]:
    return {name: read(text) for name, text in (await observed.figures()).items()}


async def test_a_journey_moves_the_figures(observed: Observed):
    before = await scraped(observed)
    blocks = {"hello": email("Hello {{ customer.first_name }}")}
    workspace = await observed.deployment.normal(campaign("figures", on_event("counted"), "hello", blocks), SEGMENT)
    await workspace.start("figures")
    await workspace.identify("f1", email="f1@example.com", first_name="Fred", plan="pro")
    await workspace.track("f1", "counted")
    await workspace.settle()

    async def looked() -> dict[str, Samples]:
        after = await scraped(observed)
        done = total(after, "temporal_workflow_task_execution_latency_seconds_count", task_queue="journeys")
        return after if done else {}

    after = await eventually(looked, "what Temporal's SDK measures is taken over")

    def moved(name: str, **labels: str) -> float:
        return total(after, name, **labels) - total(before, name, **labels)

    assert moved("sojourn_http_requests_total", dialect="track-v1", status="200") == 2
    assert moved("sojourn_facts_accepted_total", op="identify") == 1
    assert moved("sojourn_facts_accepted_total", op="event") == 1
    assert moved("sojourn_facts_applied_total", outcome="applied") >= 2
    assert moved("sojourn_apply_lag_seconds_count") >= 2
    assert moved("sojourn_journeys_started_total") == 1
    assert moved("sojourn_journeys_ended_total", reason="completed") == 1
    assert moved("sojourn_outbox_handed_over_total", kind="start") == 1
    assert moved("sojourn_activity_seconds_count", activity="deliver_message") == 1
    assert moved("sojourn_plan_seconds_count") >= 2
    assert moved("sojourn_deliveries_total", channel="email", outcome="sent") == 1
    assert moved("sojourn_hand_overs_total", provider="smtp", answer="taken") == 1
    assert moved("sojourn_hand_over_seconds_count", channel="email", provider="smtp") == 1
    assert moved("sojourn_tasks_ended_total", type="segment_build", state="succeeded") == 1
    assert moved("sojourn_task_seconds_count", type="segment_build") == 1
    # What stands in the database is said by one process.
    reporting = [name for name, samples in after.items() if "sojourn_ingest_pending" in samples]
    assert reporting == ["worker-ingest"]
    standing = after["worker-ingest"]
    assert standing["sojourn_database_up"] == {(): 1}
    assert standing["sojourn_ingest_pending"] == {(): 0}
    assert standing["sojourn_workers"][("role", "journeys"),] == 1


async def test_processes_report_what_is_documented_and_nothing_else(observed: Observed):
    known = documented()
    endings = ("_bucket", "_count", "_sum", "_created")
    for process, samples in (await scraped(observed)).items():
        for name, found in samples.items():
            if name.startswith(("python_", "process_")):
                continue
            base = name if name in known else next(name.removesuffix(e) for e in endings if name.endswith(e))
            base = base if base in known else f"{base}_total"
            assert base in known, f"{process}: {name}"
            for labels in found:
                assert {label for label, _ in labels} - {"le"} == set(known[base].labels), (process, name)


async def test_dashboards_and_alerts_find_what_they_ask_for(observed: Observed):
    """Every name is one that some process reports, or would once such a thing has happened."""
    reported = {name for samples in (await scraped(observed)).values() for name in samples}
    families = {
        family.name for text in (await observed.figures()).values() for family in text_string_to_metric_families(text)
    }
    expressions = [alert["expr"] for alert in ALERTS]
    expressions += [target["expr"] for panel in PANELS for target in panel["targets"]]
    names = {name for expression in expressions for name in asked(expression)} - FOREIGN.keys()
    rarely = {name for name in names if name.startswith("temporal_")}
    missing = {
        name
        for name in names - reported - rarely
        if name.removesuffix("_bucket").removesuffix("_total") not in families
    }
    # Nothing was late, and no task is open.
    assert missing <= {"sojourn_due_lag_seconds", "sojourn_tasks_open", "sojourn_task_oldest_seconds"}
    assert {"temporal_worker_task_slots_available", "temporal_request_latency_seconds_bucket"} <= reported


async def test_a_database_that_is_away_is_said(observed: Observed):
    stack = observed.deployment.stack
    await stack.stop_child("postgres")
    try:

        async def down() -> Samples:
            found = (await scraped(observed))["worker-ingest"]
            return found if found["sojourn_database_up"] == {(): 0} else {}

        samples = await eventually(down, "the figures say that the database is away")
        assert "sojourn_ingest_pending" not in samples
    finally:
        await stack.start_child("postgres")

    async def up() -> bool:
        return (await scraped(observed))["worker-ingest"]["sojourn_database_up"] == {(): 1}

    await eventually(up, "the figures are back", 60)
