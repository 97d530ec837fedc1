"""Containers without an engine: the commands of `docker-compose.yml` as processes on the files of the image."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import signal
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import probe
from tests.support.eventually import eventually
from tests.support.processes import killed_at_the_end

LIMIT = 150.0


class Ended(NamedTuple):
    """A process that has ended."""

    status: int | None
    printed: str


class Image(NamedTuple):
    """A folder with the files of the image, and what keeps everything else from its processes."""

    app: Path
    walls: Mapping[str, str]

    def argv(self, command: Sequence[str]) -> list[str]:
        """The command as this machine starts it: `python`, and `sojourn`, which the image has installed."""
        first, *rest = command
        return [sys.executable, *{"python": [], "sojourn": ["cli.py"]}[first], *rest]

    async def run(self, command: Sequence[str], environment: Mapping[str, str]) -> Ended:
        """Run a command to its end."""
        async with self.started(command, environment) as process:
            async with asyncio.timeout(LIMIT):
                printed, _ = await process.communicate()
            return Ended(process.returncode, printed.decode())

    async def healthy(
        self, check: Sequence[str], environment: Mapping[str, str], process: asyncio.subprocess.Process
    ) -> None:
        """Return when a health check is passed; the process that it is about has to live."""

        async def answers() -> bool:
            assert process.returncode is None, "the process has ended"
            return await asyncio.to_thread(probe.problem, check[-1]) is None

        await eventually(answers, f"{check[-1]} answers 200", LIMIT)
        assert (await self.run(check, environment)).status == 0

    @contextlib.asynccontextmanager
    async def started(
        self, command: Sequence[str], environment: Mapping[str, str]
    ) -> AsyncIterator[asyncio.subprocess.Process]:
        """A process of the image; it is killed where it still runs in the end."""
        process = await asyncio.create_subprocess_exec(
            *self.argv(command),
            cwd=self.app,
            env={**environment, **self.walls},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        async with killed_at_the_end(process):
            yield process

    def fingerprint(self) -> dict[str, str]:
        """Every file with a digest of what it holds."""
        files = [path for path in sorted(self.app.rglob("*")) if path.is_file()]
        return {str(path.relative_to(self.app)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


async def ended(process: asyncio.subprocess.Process) -> Ended:
    """Tell a process to end as an engine does, and wait for it."""
    process.send_signal(signal.SIGTERM)
    async with asyncio.timeout(LIMIT):
        printed, _ = await process.communicate()
    return Ended(process.returncode, printed.decode())
