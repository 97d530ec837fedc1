"""The Temporal cluster: its version, the namespace as set-up makes it, who polls the task queues, what waits in them."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Final

from services.doctor.database import compared
from services.doctor.finding import Finding, ok
from services.doctor.sight import TEMPORAL, Check, QueueState, Sight

LEAST_VERSION: Final = (1, 25)
FRESH: Final = timedelta(seconds=75)
"""A poller asks again at least every minute."""
OLD_BACKLOG: Final = timedelta(seconds=30)
_SET_UP: Final = "sojourn setup"


async def version(sight: Sight) -> list[Finding]:
    """The version of the server."""
    name, found = "temporal.version", await sight.cluster.version()
    numbers = tuple(int(part) for part in re.findall(r"\d+", found)[:2])
    if numbers >= LEAST_VERSION:
        return [ok(name, f"Temporal server {found}")]
    return [
        Finding(
            name,
            "failure",
            f"Temporal server {found or 'of an unknown version'} is older than 1.25",
            "Sojourn is not tested with it.",
            "Workflows may not start.",
            "Upgrade the cluster, a minor version at a time, as Temporal's documentation says.",
            "temporal-namespace",
        )
    ]


async def namespace(sight: Sight) -> list[Finding]:
    """The namespace and its search attributes."""
    name, wanted = "temporal.namespace", sight.deployment.temporal_retention
    found = await sight.cluster.namespace()
    title = sight.deployment.temporal_namespace
    if found is None:
        return [
            Finding(
                name,
                "failure",
                f"the namespace '{title}' is not there",
                "It was never made, somebody deleted it, or the cluster has lost its data.",
                "Journeys do not begin or go on, and nothing is sent; calls are accepted and wait.",
                f"{_SET_UP}, then: sojourn journeys repair",
                "temporal-namespace",
            )
        ]
    wrong = [
        f"{attribute} is {found.search_attributes.get(attribute, 'missing')}, not {kind}"
        for attribute, kind in found.expected_attributes.items()
        if found.search_attributes.get(attribute) != kind
    ]
    return [
        _retention(name, title, found.retention, wanted),
        _attributes(wrong) if wrong else ok("temporal.search-attributes", "all are there"),
    ]


def _retention(name: str, title: str, found: timedelta, wanted: timedelta) -> Finding:
    if found == wanted:
        return ok(name, f"'{title}' keeps closed workflows for {wanted.days} days")
    return Finding(
        name,
        "warning",
        f"'{title}' keeps closed workflows for {found}, the settings say {wanted}",
        "Somebody changed the namespace or SOJOURN_RETENTION__TEMPORAL_DAYS.",
        "None for journeys. Ended workflows can be looked at for less time, or take more room.",
        _SET_UP,
        "temporal-namespace",
    )


def _attributes(wrong: list[str]) -> Finding:
    return Finding(
        "temporal.search-attributes",
        "failure",
        f"search attributes are not as they must be: {'; '.join(wrong)}",
        "Each workflow is started with them; Temporal refuses one that it does not know.",
        "Journeys do not begin or go on.",
        f"{_SET_UP}; one of a wrong type has to be removed before: "
        "`temporal operator search-attribute remove --namespace NAMESPACE --name NAME`.",
        "temporal-namespace",
    )


async def queues(sight: Sight) -> list[Finding]:
    """Who polls each task queue, and what waits there."""
    findings, now = [], sight.clock()
    states = await sight.cluster.queues()
    for state in states:
        fresh = sum(1 for at in state.polled_at if at > now - FRESH)
        name = f"temporal.queue.{state.queue}.{state.kind}"
        if fresh == 0:
            findings.append(_unpolled(name, state))
        elif state.backlog_age is not None and state.backlog_age > OLD_BACKLOG:
            findings.append(_backlog(name, state))
        else:
            findings.append(ok(name, f"{fresh} pollers{f', {state.backlog} wait' if state.backlog else ''}"))
    latest = max((at for state in states for at in state.polled_at), default=None)
    if latest is not None and latest > now:
        findings.append(compared("temporal.clock", "Temporal", latest, now, sight.clock()))
    return findings


def _unpolled(name: str, state: QueueState) -> Finding:
    waiting = f"; {state.backlog} wait" if state.backlog else ""
    return Finding(
        name,
        "failure",
        f"nobody polls task queue '{state.queue}' for {state.kind} work{waiting}",
        f"No worker with the role `{state.queue}` runs, or it cannot reach Temporal.",
        f"{FOLLOWS[state.queue]} Nothing is lost.",
        f"python worker.py --roles {state.queue}",
        "no-worker-for-a-role",
    )


def _backlog(name: str, state: QueueState) -> Finding:
    age = state.backlog_age or timedelta()
    return Finding(
        name,
        "warning",
        f"{state.backlog} wait in task queue '{state.queue}', the oldest for {age.total_seconds():.0f} s",
        "Workers do not keep up, or they hang.",
        FOLLOWS[state.queue],
        f"Run more workers with the role `{state.queue}`, or raise SOJOURN_WORKER_SLOTS__"
        f"{state.queue.upper().replace('-', '_')} where processor and database have room.",
        "queue-backlog",
    )


FOLLOWS: Final = {
    "journeys": "Journeys do not begin or go on.",
    "send": "Messages of journeys are not sent.",
    "send-now": "Messages asked for by calls (`/v1/send/*`) are not sent.",
    "send-bulk": "Broadcasts do not go on.",
    "tasks": "Segments are not built, files are not read or written; partitions are not made.",
    "ingest": "Accepted facts are not applied.",
    "outbox": "Journeys do not begin or go on.",
    "due": "Waits, retries, schedules and segments by time do not come.",
}
"""What users notice where nobody does the work of a role."""

CHECKS: Final = (
    Check("temporal.version", version, TEMPORAL),
    Check("temporal.namespace", namespace, TEMPORAL),
    Check("temporal.queues", queues, TEMPORAL, 15.0),
)

__all__ = ["CHECKS", "FOLLOWS"]
