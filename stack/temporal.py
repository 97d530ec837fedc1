"""A Temporal server of our own."""

from __future__ import annotations

import asyncio
import contextlib
import os
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from temporalio.client import Client
from temporalio.service import RPCError

from stack.ports import LOOPBACK
from stack.process import Command, StackError
from workflows.namespace import NotPrepared, prepare

if TYPE_CHECKING:
    from pathlib import Path

RPC_LIMIT = timedelta(seconds=5)
CONNECT_LIMIT = 3.0
MEMORY_LIMIT = "400MiB"
"""What its garbage collector aims at, not a bound: with 10,000 journeys waiting it keeps 80 MB less."""


class TemporalPlan(NamedTuple):
    """How the processes of a Temporal server are started, and where it and its pages are then."""

    commands: tuple[Command, ...]
    address: str
    ui_url: str | None


@dataclass(frozen=True)
class TemporalServer:
    """A development server whose journeys survive a restart, on a SQLite file in `data_dir`."""

    binary: Path
    data_dir: Path
    port: int
    ui_port: int
    namespace: str = "sojourn"
    headless: bool = False
    continue_after: int | None = None
    """History events after which workflows are told to continue as new; None: Temporal's 4,096."""

    @property
    def address(self) -> str:
        """Where clients connect."""
        return f"{LOOPBACK}:{self.port}"

    def command(self, log_file: Path) -> Command:
        """How the server is started; ready means that it answers, not that the namespace is set up."""
        self.data_dir.mkdir(parents=True, exist_ok=True)
        place = ["--ip", LOOPBACK, "--port", str(self.port), "--namespace", self.namespace, "--log-level", "error"]
        face = ["--headless"] if self.headless else ["--ui-port", str(self.ui_port)]
        # Write-ahead logging is 2-3 times faster than the default and still survives a crash of the server.
        file = ["--db-filename", str(self.data_dir / "temporal.db")]
        pragmas = ["--sqlite-pragma", "journal_mode=wal", "--sqlite-pragma", "synchronous=1"]
        soon = ["--dynamic-config-value", f"limit.historyCount.suggestContinueAsNew={self.continue_after}"]
        limits = [] if self.continue_after is None else soon
        return Command(
            name="temporal",
            argv=[str(self.binary), "server", "start-dev", *place, *face, *file, *pragmas, *limits],
            log_file=log_file,
            ready=self.answers,
            environment={"GOMEMLIMIT": MEMORY_LIMIT}
            | {name: value for name, value in os.environ.items() if not name.startswith("TEMPORAL_")},
        )

    async def answers(self) -> bool:
        """Whether the server takes calls."""
        return await server_answers(self.address)


async def server_answers(address: str) -> bool:
    """Whether a Temporal frontend takes calls at this address."""
    with contextlib.suppress(RPCError, RuntimeError, OSError, TimeoutError):
        async with asyncio.timeout(CONNECT_LIMIT):
            client = await Client.connect(address)
            return await client.service_client.check_health(timeout=RPC_LIMIT)
    return False


async def set_up(address: str, namespace: str, retention: timedelta) -> None:
    """Make or correct the namespace and its search attributes; raises `StackError` where that cannot be."""
    try:
        await prepare(address, namespace, retention)
    except NotPrepared as error:
        raise StackError(str(error)) from error
