"""Every figure that a process counts of what it does itself; those that stand in the database are in `standing`.

Labels are words of ours or of an operator's few documents, never people, addresses or keys. A figure is counted when it comes about: a
transaction that fails and is repeated counts again, and what a process has counted goes with it.
"""

from __future__ import annotations

from typing import Final

from prometheus_client import REGISTRY, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from telemetry.spread import SpreadFigure

QUICK: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 120)
"""Bounds in seconds for what somebody waits for."""
LONG: Final = (0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600, 14400)
"""Bounds in seconds for what takes its time."""
SIZES: Final = (1, 2, 5, 10, 25, 50, 100, 250, 500, 1000)
LAGS: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800)

# Calls.
HTTP_REQUESTS = Counter("sojourn_http_requests", "Calls answered.", ["dialect", "method", "status"])
HTTP_SECONDS = Histogram("sojourn_http_request_seconds", "How long calls took to answer.", ["dialect"], buckets=QUICK)
PIPELINES = Counter("sojourn_pipelines_without_effect", "Parts of Pipelines calls taken without effect.", ["code"])
RATE_LIMITED = Counter("sojourn_rate_limited", "Calls refused because there were too many.", ["rate"])
FACTS_ACCEPTED = Counter("sojourn_facts_accepted", "Facts committed to the log for a call.", ["op"])
SENDS_ACCEPTED = Counter("sojourn_sends_accepted", "Transactional sends committed for a call.", ["channel"])
ACCEPT_SECONDS = Histogram(
    "sojourn_accept_commit_seconds", "How long the commit of accepted calls took.", buckets=QUICK
)

# Facts.
FACTS_APPLIED = Counter("sojourn_facts_applied", "Facts applied, by what became of them.", ["outcome"])
APPLY_FAILURES = Counter("sojourn_apply_failures", "Batches that failed, and facts put aside for good.", ["what"])
APPLY_FACTS = Histogram("sojourn_apply_batch_facts", "How many facts a batch had.", buckets=SIZES)
APPLY_SECONDS = Histogram("sojourn_apply_batch_seconds", "How long a batch took, commit included.", buckets=QUICK)
APPLY_LAG = SpreadFigure("sojourn_apply_lag_seconds", "From the acceptance of a fact until it was applied.", LAGS)
REGISTRY.register(APPLY_LAG)

# Journeys.
JOURNEYS_STARTED = Counter("sojourn_journeys_started", "Journeys begun.")
JOURNEYS_ENDED = Counter("sojourn_journeys_ended", "Journeys over, by why.", ["reason"])
PLAN_SECONDS = Histogram("sojourn_plan_seconds", "How long planning what a journey needs next took.", buckets=QUICK)
ACTIVITY_SECONDS = Histogram("sojourn_activity_seconds", "How long activities took.", ["activity"], buckets=QUICK)
ACTIVITY_FAILURES = Counter("sojourn_activity_failures", "Activities that failed.", ["activity", "code"])

# The way to Temporal, and the clock.
OUTBOX_HANDED_OVER = Counter("sojourn_outbox_handed_over", "Outbox rows that Temporal accepted.", ["kind"])
OUTBOX_REFUSED = Counter("sojourn_outbox_refused", "Hand-overs that Temporal refused or was away for.", ["code"])
DRAIN_SECONDS = Histogram("sojourn_outbox_round_seconds", "How long a round of hand-overs took.", buckets=QUICK)
DUE_HANDLED = Counter("sojourn_due_handled", "What the clock asked for, by how it went.", ["kind", "outcome"])

# Messages.
DELIVERIES = Counter("sojourn_deliveries", "What became of messages.", ["channel", "outcome"])
HAND_OVERS = Counter(
    "sojourn_hand_overs", "Messages given to providers, by their answer.", ["channel", "provider", "answer"]
)
HAND_OVER_SECONDS = Histogram(
    "sojourn_hand_over_seconds", "How long providers took to answer.", ["channel", "provider"], buckets=QUICK
)
HELD = Counter("sojourn_deliveries_held", "Attempts put off without asking the provider.", ["channel", "why"])
LLM_CALLS = Counter("sojourn_llm_calls", "Attempts at asking language models.", ["provider", "answer"])
LLM_SECONDS = Histogram("sojourn_llm_seconds", "How long language models took to answer.", ["provider"], buckets=QUICK)

# Long work.
TASKS_ENDED = Counter("sojourn_tasks_ended", "Tasks that are over.", ["type", "state"])
TASK_SECONDS = Histogram("sojourn_task_seconds", "How long tasks took, from being asked for.", ["type"], buckets=LONG)
PARTITIONS_DROPPED = Counter("sojourn_partitions_dropped", "Partitions dropped past their retention.", ["table"])
RETENTION_ROWS_DELETED = Counter("sojourn_retention_rows_deleted", "Rows deleted past their retention.", ["table"])

# The process.
LOOPS = Gauge("sojourn_loop_running", "Whether a loop of a worker does its work.", ["loop"])
CONNECTIONS = Gauge("sojourn_database_connections", "Connections of the process to PostgreSQL.", ["state"])
WAITING = Gauge("sojourn_database_waiting", "Who waits in this process for a connection to PostgreSQL.")


def text() -> bytes:
    """All figures of this process in the format that Prometheus reads."""
    return generate_latest()


__all__ = [
    "ACCEPT_SECONDS",
    "ACTIVITY_FAILURES",
    "ACTIVITY_SECONDS",
    "APPLY_FACTS",
    "APPLY_FAILURES",
    "APPLY_LAG",
    "APPLY_SECONDS",
    "CONNECTIONS",
    "CONTENT_TYPE_LATEST",
    "DELIVERIES",
    "DRAIN_SECONDS",
    "DUE_HANDLED",
    "FACTS_ACCEPTED",
    "FACTS_APPLIED",
    "HAND_OVERS",
    "HAND_OVER_SECONDS",
    "HELD",
    "HTTP_REQUESTS",
    "HTTP_SECONDS",
    "JOURNEYS_ENDED",
    "JOURNEYS_STARTED",
    "LLM_CALLS",
    "LLM_SECONDS",
    "LOOPS",
    "OUTBOX_HANDED_OVER",
    "OUTBOX_REFUSED",
    "PARTITIONS_DROPPED",
    "PIPELINES",
    "PLAN_SECONDS",
    "RATE_LIMITED",
    "RETENTION_ROWS_DELETED",
    "SENDS_ACCEPTED",
    "TASKS_ENDED",
    "TASK_SECONDS",
    "WAITING",
    "text",
]
