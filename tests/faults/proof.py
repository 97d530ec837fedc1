"""What must be true after a fault: each accepted fact, journey, step and message there once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from tests.faults.deployment import Deployment
from tests.support.live import Workspace
from tests.support.load import Load


async def facts_once(deployment: Deployment, load: Load) -> set[str]:
    """Events and attributes of a load; returns the tokens of the events that happened."""
    query = "SELECT data->>'call' FROM events WHERE workspace_id = $1"
    events = Counter(await deployment.values(query, load.workspace))
    _once(load, "event", events)
    query = """SELECT token FROM activities a, jsonb_object_keys(a.data->'attributes') AS token
               WHERE a.workspace_id = $1 AND a.type = 'attribute_change' AND starts_with(token, $2)"""
    changes = Counter(await deployment.values(query, load.workspace, f"{load.name}-"))
    _once(load, "identify", changes)
    query = """SELECT token FROM people p, jsonb_object_keys(p.attributes) AS token
               WHERE p.workspace_id = $1 AND starts_with(token, $2)"""
    assert set(await deployment.values(query, load.workspace, f"{load.name}-")) == set(changes)
    return set(events)


def _once(load: Load, kind: str, seen: Counter[str]) -> None:
    """What was answered 2xx happened once, what was not at most once, and nothing else."""
    accepted = {call.token for call in load.accepted if call.kind == kind}
    unsure = {call.token for call in load.unsure if call.kind == kind}
    lost = sorted(accepted - set(seen))
    assert not lost, f"answered 2xx and lost: {lost}"
    doubled = sorted(token for token, times in seen.items() if times != 1)
    assert not doubled, f"more than once: {doubled}"
    assert set(seen) <= accepted | unsure


async def journeys_once(deployment: Deployment, workspace: Workspace, happened: Iterable[str], *, paused: bool) -> None:
    """One journey per event, walked to its end, with each step and each delivery once; the person counts as many."""
    journeys = await deployment.rows(
        """SELECT j.trigger->'event'->'data'->>'call' AS call, j.state, j.reason, p.id AS person,
                  (SELECT array_agg(s.block || ' ' || s.outcome ORDER BY s.seq_num) FROM journey_steps s
                   WHERE s.workspace_id = j.workspace_id AND s.journey_id = j.journey_id) AS steps,
                  (SELECT array_agg(d.block ORDER BY d.block) FROM deliveries d
                   WHERE d.workspace_id = j.workspace_id AND d.journey_id = j.journey_id) AS deliveries
           FROM journeys j JOIN people p USING (workspace_id, person_id) WHERE j.workspace_id = $1""",
        workspace,
    )
    assert Counter(journey["call"] for journey in journeys) == Counter(happened)
    steps = ["count done", "first done", *(["pause done"] if paused else []), "second done"]
    for journey in journeys:
        assert (journey["state"], journey["reason"]) == ("finished", "completed"), journey
        assert journey["steps"] == steps, journey
        assert journey["deliveries"] == ["first", "second"], journey
    query = "SELECT id, attributes->>'walked' AS walked FROM people WHERE workspace_id = $1"
    walked = {row["id"]: int(row["walked"]) for row in await deployment.rows(query, workspace) if row["walked"]}
    assert walked == Counter(journey["person"] for journey in journeys)


async def captured_once(deployment: Deployment, workspace: Workspace) -> None:
    """In a sandbox each message is captured once, none is ambiguous."""
    query = "SELECT subject, status, ambiguous FROM deliveries WHERE workspace_id = $1"
    deliveries = await deployment.rows(query, workspace)
    odd = [row for row in deliveries if (row["status"], row["ambiguous"]) != ("delivered", False)]
    assert not odd
    query = "SELECT rendered->'fields'->>'subject' FROM mailbox WHERE workspace_id = $1"
    captured = Counter(await deployment.values(query, workspace))
    assert captured == dict.fromkeys((row["subject"] for row in deliveries), 1)


async def mailed_once(deployment: Deployment, workspace: Workspace) -> list[str]:
    """By SMTP each message arrived once; one whose hand-over was cut off may be missing, and is told of.

    Returns the subjects of the latter.
    """
    query = "SELECT delivery_id, subject, status, ambiguous FROM deliveries WHERE workspace_id = $1"
    deliveries = await deployment.rows(query, workspace)
    for row in deliveries:
        assert row["status"] == "sent", row
        assert deployment.received.deliveries[row["delivery_id"]] in ((0, 1) if row["ambiguous"] else (1,)), row
    return [row["subject"] for row in deliveries if row["ambiguous"]]
