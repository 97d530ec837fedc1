"""The real Temporal server on PostgreSQL: its tables, and one process for each of its services."""

from __future__ import annotations

import asyncio
import contextlib
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import asyncpg

from settings import CHECKOUT
from stack.building import run
from stack.ports import LOOPBACK
from stack.postgres import ensure_database
from stack.process import Command, StackError
from stack.temporal import TemporalPlan, server_answers
from stack.temporal_server_binaries import ServerBinaries, server_binaries

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from settings import Settings

SERVICES = {
    "temporal-matching": "matching",
    "temporal-history-1": "history",
    "temporal-history-2": "history",
    "temporal-frontend": "frontend",
    "temporal-worker": "worker",
}
"""Its processes in the order of their start. History, which holds the workflows, is there twice, so that its shards can
move while one restarts."""
SHARDS = 32
"""Each does one write at a time (`history.shardIOConcurrency`): more than two cores and their disk get done at once."""
STORES = {"temporal": "postgresql/v12/temporal", "temporal_visibility": "postgresql/v12/visibility"}
"""Its databases, and the name of the schema of each."""
PLUGIN = "postgres12_pgx"
CONFIG = CHECKOUT / "deploy" / "temporal"
SCHEMA_LIMIT = 120.0
CONNECT_LIMIT = 3.0
TAIL = 2_000


@dataclass(frozen=True)
class RealServer:
    """Where the Temporal server of a cluster comes from: built from its Go module, on the stack's own PostgreSQL."""

    shards: int = SHARDS
    ports: int = 2 * len(SERVICES) - 1
    """Free ports that it needs: two for each process, of which the frontend's first is in the settings."""

    async def plan(self, settings: Settings, ports: Sequence[int], *, headless: bool) -> TemporalPlan:  # noqa: ARG002 - it has no pages
        """Make or bring its tables up to date, and say how its processes are started."""
        database = settings.database_url or ""
        binaries = await server_binaries(settings.cache_dir)
        for name, schema in STORES.items():
            await ensure_database(database, name)
            await _bring_up_to_date(binaries, database, name, schema)
        free = iter(ports)
        processes = []
        for name, service in SERVICES.items():
            port = settings.temporal_port if service == "frontend" else next(free)
            processes.append(_Process(name, service, port, next(free)))
        environment = self._environment(settings, database)
        commands = [process.command(binaries.server, settings.data_dir, environment) for process in processes]
        return TemporalPlan(tuple(commands), f"{LOOPBACK}:{settings.temporal_port}", None)

    def _environment(self, settings: Settings, database: str) -> dict[str, str]:
        """What `deploy/temporal/sojourn.yaml` reads, beside the ports of the process."""
        place = urlsplit(database)
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("TEMPORAL_", "SOJOURN_"))}
        return kept | {
            "TEMPORAL_SQL_ADDRESS": f"{place.hostname}:{place.port or 5432}",
            "TEMPORAL_SQL_USER": place.username or "",
            "TEMPORAL_SQL_PASSWORD": place.password or "",
            "TEMPORAL_SHARDS": str(self.shards),
            "TEMPORAL_FRONTEND_ADDRESS": f"{LOOPBACK}:{settings.temporal_port}",
            "TEMPORAL_DYNAMIC_CONFIG": str(CONFIG / "dynamic.yaml"),
        }


@dataclass(frozen=True)
class _Process:
    """One process of the server, with the ports on which it serves and gossips."""

    name: str
    service: str
    port: int
    membership_port: int

    def command(self, server: Path, data_dir: Path, environment: Mapping[str, str]) -> Command:
        """How it is started; ready means that it listens, the frontend that it answers."""
        ours = {
            f"TEMPORAL_{self.service.upper()}_PORT": str(self.port),
            f"TEMPORAL_{self.service.upper()}_MEMBERSHIP_PORT": str(self.membership_port),
        }
        place = ["--root", "/", "--config", str(CONFIG), "--env", "sojourn", "--allow-no-auth"]
        return Command(
            name=self.name,
            argv=[str(server), *place, "start", "--service", self.service],
            log_file=data_dir / "logs" / f"{self.name}.log",
            ready=self._ready,
            environment={**environment, **ours},
            end_limit=30.0,
        )

    async def _ready(self) -> bool:
        if self.service == "frontend":
            return await server_answers(f"{LOOPBACK}:{self.port}")
        # The server's own worker serves no calls; what it listens on is where the others gossip with it.
        return await _listens(self.membership_port if self.service == "worker" else self.port)


async def _listens(port: int) -> bool:
    with contextlib.suppress(OSError, TimeoutError):
        async with asyncio.timeout(CONNECT_LIMIT):
            _, writer = await asyncio.open_connection(LOOPBACK, port)
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
            return True
    return False


async def _bring_up_to_date(binaries: ServerBinaries, database: str, name: str, schema: str) -> None:
    """Have the newest tables in a database, whether there are none or older ones."""
    place = urlsplit(database)
    environment = {
        "PATH": os.environ.get("PATH", ""),
        "SQL_PLUGIN": PLUGIN,
        "SQL_HOST": place.hostname or "",
        "SQL_PORT": str(place.port or 5432),
        "SQL_USER": place.username or "",
        "SQL_PASSWORD": place.password or "",
        "SQL_DATABASE": name,
    }
    if not await _is_versioned(database, name):
        await _tool(binaries, ["setup-schema", "--version", "0.0"], environment)
    await _tool(binaries, ["update-schema", "--schema-name", schema], environment)


async def _tool(binaries: ServerBinaries, arguments: list[str], environment: Mapping[str, str]) -> None:
    program = [str(binaries.sql_tool), *arguments]
    status, output = await run(program, cwd=CHECKOUT, limit=SCHEMA_LIMIT, environment=environment)
    if status != 0:
        what = f"`temporal-sql-tool {' '.join(arguments)}` on database {environment['SQL_DATABASE']}"
        raise StackError(f"{what} failed:\n{output[-TAIL:]}")


async def _is_versioned(database: str, name: str) -> bool:
    """Whether the tool has set up this database before."""
    connection = await asyncpg.connect(urlsplit(database)._replace(path=f"/{name}").geturl(), timeout=CONNECT_LIMIT)
    try:
        return await connection.fetchval("SELECT to_regclass('schema_version')") is not None
    finally:
        await connection.close()


__all__ = ["SERVICES", "SHARDS", "RealServer"]
