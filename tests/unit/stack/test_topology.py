"""Names of processes, and what they mean where there are several."""

from __future__ import annotations

import pytest

from stack.commands import WORKERS
from stack.temporal_cluster import SERVICES
from stack.topology import CLUSTER, EMBEDDED
from worker import ROLES

CHILDREN = ["postgres", *SERVICES, *CLUSTER.apis, *(plan.name for plan in CLUSTER.workers)]


@pytest.mark.parametrize("topology", [EMBEDDED, CLUSTER])
def test_every_role_is_done_by_somebody(topology: object) -> None:
    assert {role for plan in topology.workers for role in plan.roles} == set(ROLES)  # type: ignore[attr-defined]


def test_in_the_small_stack_a_name_is_a_process() -> None:
    children = ["postgres", "temporal", "api", *(plan.name for plan in WORKERS)]
    assert [EMBEDDED.members(name, children) for name in children] == [[name] for name in children]
    assert EMBEDDED.members("worker-due", children) == []


@pytest.mark.parametrize(
    ("name", "members"),
    [
        ("postgres", ["postgres"]),
        ("temporal", list(SERVICES)),
        ("temporal-history-2", ["temporal-history-2"]),
        ("api", ["api-1", "api-2"]),
        ("worker-ingest", ["worker-ingest-1", "worker-ingest-2", "worker-outbox", "worker-due", "worker-tasks"]),
        (
            "worker-journeys",
            ["worker-journeys-1", "worker-journeys-2", "worker-send", "worker-send-now", "worker-send-bulk"],
        ),
        ("worker-due", ["worker-due"]),
        ("nothing", []),
    ],
)
def test_in_a_cluster_a_name_of_the_small_stack_means_all_who_do_the_same(name: str, members: list[str]) -> None:
    assert CLUSTER.members(name, CHILDREN) == members


def test_a_topology_of_other_workers_has_the_same_groups() -> None:
    assert CLUSTER.members("worker-ingest", ["worker-ingest", "worker-ingest-2"]) == ["worker-ingest"]
