"""Which stack the tests that need one run: the small one, or with `SOJOURN_TEST_TOPOLOGY=cluster` a cluster."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from stack.services import on_free_ports
from stack.supervisor import Stack
from stack.temporal_cluster import SERVICES, RealServer
from stack.topology import CLUSTER, EMBEDDED, Topology

VARIABLE = "SOJOURN_TEST_TOPOLOGY"


def topology() -> Topology:
    """What this run tests."""
    named = {made.name: made for made in (EMBEDDED, CLUSTER)}
    return named[os.environ.get(VARIABLE, EMBEDDED.name)]


def kinds(of: Topology) -> list[str]:
    """One process of each kind that this stack has, and all of its Temporal server at once."""
    workers = {plan.roles: plan.name for plan in reversed(of.workers)}
    servers = list(SERVICES) if isinstance(of.temporal, RealServer) else []
    return [*reversed(workers.values()), of.apis[0], "postgres", "temporal", *servers]


def new_stack(data_dir: Path, **options: Any) -> Stack:
    """A stack of its own on free ports, not started."""
    return Stack(on_free_ports(data_dir), topology=topology(), headless=True, **options)
