"""What checks look at: the deployment as its settings describe it, the open database, the Temporal cluster."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, Literal, Protocol

from services.doctor.finding import Finding
from services.gate import JourneyStart
from store.database import Database

Need = Literal["database", "schema", "temporal"]
DATABASE: Final[frozenset[Need]] = frozenset({"database"})
TABLES: Final[frozenset[Need]] = frozenset({"database", "schema"})
TEMPORAL: Final[frozenset[Need]] = frozenset({"temporal"})


@dataclass(frozen=True, slots=True)
class Deployment:
    """What the settings say, as far as checks ask for it.

    `api_urls` are the addresses at which the API has to answer; `data_dir` is none where no local stack is kept;
    `schema_known` are all revisions that this code knows, `schema_head` the one it is made for.
    """

    production: bool
    database_url: str | None
    temporal_address: str | None
    temporal_namespace: str
    temporal_retention: timedelta
    api_urls: Sequence[str]
    ca_file: Path | None
    tls_cert_file: Path | None
    data_dir: Path | None
    allow_private_urls: bool
    has_deployment_key: bool
    schema_head: str
    schema_known: frozenset[str]
    retention_days: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Namespace:
    """A namespace as the cluster describes it; search attributes by name with the word of their type."""

    retention: timedelta
    search_attributes: Mapping[str, str]
    expected_attributes: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class QueueState:
    """One kind of work of a task queue: `polled_at` is when each poller asked last, by the cluster's clock."""

    queue: str
    kind: Literal["workflow", "activity"]
    polled_at: Sequence[datetime]
    backlog: int | None
    backlog_age: timedelta | None


class Cluster(Protocol):
    """The questions that checks ask of Temporal; each may raise `TemporalAway` or `GateRefused`."""

    async def version(self) -> str:
        """The version of the server."""

    async def namespace(self) -> Namespace | None:
        """The namespace of the deployment, or None where there is none."""

    async def queues(self) -> Sequence[QueueState]:
        """All task queues of the product."""

    async def running_journeys(self) -> int:
        """How many workflows of journeys run, as far as the cluster's index has noticed."""

    async def runs(self, journey: JourneyStart) -> bool:
        """Whether the workflow of a journey runs."""


@dataclass(frozen=True, slots=True)
class Sight:
    """What one run of the doctor sees; `db` and `cluster` raise where they are asked for although they are away."""

    deployment: Deployment
    clock: Callable[[], datetime]
    opened_db: Database | None
    opened_cluster: Cluster | None

    @property
    def db(self) -> Database:
        """The database, for checks that need it."""
        if self.opened_db is None:
            raise LookupError("the database is away")
        return self.opened_db

    @property
    def cluster(self) -> Cluster:
        """Temporal, for checks that need it."""
        if self.opened_cluster is None:
            raise LookupError("Temporal is away")
        return self.opened_cluster


@dataclass(frozen=True, slots=True)
class Check:
    """One thing to look at: what has to be there for it, and how many seconds it may take."""

    name: str
    look: Callable[[Sight], Awaitable[list[Finding]]]
    needs: frozenset[Need] = frozenset()
    limit: float = 5.0


__all__ = [
    "DATABASE",
    "TABLES",
    "TEMPORAL",
    "Check",
    "Cluster",
    "Deployment",
    "Namespace",
    "Need",
    "QueueState",
    "Sight",
]
