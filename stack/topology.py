"""Which processes a stack is made of: the small one of `make up`, and the cluster."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from stack.commands import WORKERS, WorkerPlan
from stack.installed_postgres import find_postgres
from stack.ports import LOOPBACK
from stack.postgres import EmbeddedPostgres
from stack.secret import load_secret, postgres_password
from stack.services import embedded_postgres, own_temporal
from stack.temporal import TemporalPlan
from stack.temporal_cluster import SERVICES, RealServer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from settings import Settings

CLUSTER_CONNECTIONS = 500
"""Every process of the product may hold twenty, every process of Temporal thirty."""


class PostgresSource(Protocol):
    """Where the PostgreSQL of a stack comes from."""

    def server(self, settings: Settings, *, fsync: bool) -> EmbeddedPostgres:
        """The server that these settings describe."""


class TemporalSource(Protocol):
    """Where the Temporal server of a stack comes from."""

    @property
    def ports(self) -> int:
        """How many free ports it needs beside those of the settings."""

    async def plan(self, settings: Settings, ports: Sequence[int], *, headless: bool) -> TemporalPlan:
        """How its processes are started, while PostgreSQL runs; makes what they need."""


@dataclass(frozen=True)
class Wheel:
    """PostgreSQL of the Python package that is installed with Sojourn."""

    def server(self, settings: Settings, *, fsync: bool) -> EmbeddedPostgres:
        """The server that these settings describe."""
        return embedded_postgres(settings, fsync=fsync)


@dataclass(frozen=True)
class Installed:
    """PostgreSQL of the machine's package manager, on a data folder of our own."""

    def server(self, settings: Settings, *, fsync: bool) -> EmbeddedPostgres:
        """The server that these settings describe; raises `StackError` where none is installed."""
        found = find_postgres()
        return EmbeddedPostgres(
            settings.data_dir,
            settings.cache_dir,
            settings.postgres_port,
            postgres_password(load_secret(settings.secret_file)),
            fsync=fsync,
            binaries=found.binaries,
            version=found.major,
            max_connections=CLUSTER_CONNECTIONS,
        )


@dataclass(frozen=True)
class DevServer:
    """The development server of the Temporal CLI: one process on a SQLite file."""

    ports: int = 0

    async def plan(self, settings: Settings, ports: Sequence[int], *, headless: bool) -> TemporalPlan:  # noqa: ARG002 - it needs none
        """How it is started; finds, downloads or builds its binary."""
        server = await own_temporal(settings, headless=headless)
        ui = None if headless else f"http://{LOOPBACK}:{settings.temporal_ui_port}"
        return TemporalPlan((server.command(settings.data_dir / "logs" / "temporal.log"),), server.address, ui)


@dataclass(frozen=True)
class Topology:
    """The processes of a stack by their names; those of the API begin with `api`, those of Temporal with `temporal`."""

    name: str
    postgres: PostgresSource
    temporal: TemporalSource
    apis: tuple[str, ...]
    workers: tuple[WorkerPlan, ...]

    def members(self, name: str, children: Sequence[str]) -> list[str]:
        """The children that a name means: the one that is called so, else all that do what it does in the small stack."""
        if name in children:
            return [name]
        if name in ("api", "temporal"):
            return [child for child in children if child.startswith(f"{name}-")]
        roles = {role for plan in WORKERS if plan.name == name for role in plan.roles}
        named = {plan.name for plan in self.workers if set(plan.roles) <= roles}
        return [child for child in children if child in named]


EMBEDDED = Topology("embedded", Wheel(), DevServer(), ("api",), WORKERS)
CLUSTER = Topology(
    "cluster",
    Installed(),
    RealServer(),
    ("api-1", "api-2"),
    (
        WorkerPlan("worker-ingest-1", ("ingest",)),
        WorkerPlan("worker-ingest-2", ("ingest",)),
        WorkerPlan("worker-outbox", ("outbox",)),
        WorkerPlan("worker-due", ("due",)),
        WorkerPlan("worker-journeys-1", ("journeys",)),
        WorkerPlan("worker-journeys-2", ("journeys",)),
        WorkerPlan("worker-send", ("send",)),
        WorkerPlan("worker-send-now", ("send-now",)),
        WorkerPlan("worker-send-bulk", ("send-bulk",)),
        WorkerPlan("worker-tasks", ("tasks",)),
    ),
)
"""As a deployment on several machines is made, on one: each role in a process of its own, the busiest twice."""

__all__ = ["CLUSTER", "EMBEDDED", "SERVICES", "DevServer", "Installed", "Topology", "Wheel"]
