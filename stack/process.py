"""One process of the stack: started, watched, reaped, started again when it dies, ended with a limit."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

logger = logging.getLogger("sojourn.stack")

LAUNCHER = Path(__file__).with_name("launch.py")
POLL = 0.03
FIRST_DELAY = 0.2
LONGEST_DELAY = 5.0
STEADY_AFTER = 10.0
TRIES_AT_START = 3
LARGEST_LOG = 20_000_000
TAIL = 2_000


class StackError(Exception):
    """Something that keeps the local stack from running, in words for the person who started it."""


@dataclass(frozen=True)
class Command:
    """How a process is started, known to be ready and ended; times in seconds."""

    name: str
    argv: Sequence[str]
    log_file: Path
    ready: Callable[[], Awaitable[bool]]
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    cwd: Path | None = None
    user: tuple[int, int] | None = None
    before_start: Callable[[], None] | None = None
    end_signal: signal.Signals = signal.SIGTERM
    start_limit: float = 60.0
    end_limit: float = 15.0


class Child:
    """A running `Command`: this process is its parent, and brings it back with growing delays when it dies."""

    def __init__(self, command: Command, on_change: Callable[[], None] | None = None) -> None:
        self.command = command
        self.deaths = 0
        self._on_change = on_change
        self._process: asyncio.subprocess.Process | None = None
        self._keeper: asyncio.Task[None] | None = None

    @property
    def name(self) -> str:
        """What logs, `stack.json` and fault tests call it."""
        return self.command.name

    @property
    def pid(self) -> int | None:
        """The process id, none while it does not run."""
        process = self._process
        return process.pid if process is not None and process.returncode is None else None

    async def start(self, environment: Mapping[str, str] | None = None) -> None:
        """Start it and return when it is ready; `environment` is added for this run, not for automatic restarts.

        Raises `StackError` with the end of its log when it dies three times or is not ready in time.
        """
        if self._keeper is not None:
            raise StackError(f"{self.name} is already started.")
        self.deaths = 0
        await self._spawn(environment or {})
        self._keeper = asyncio.create_task(self._keep(), name=f"keep {self.name}")
        try:
            await self.wait_ready()
        except BaseException:
            await self.stop()
            raise

    async def wait_ready(self, limit: float | None = None) -> None:
        """Return when it answers; raises `StackError` when that takes too long or it keeps dying."""
        deaths = self.deaths
        try:
            async with asyncio.timeout(limit or self.command.start_limit):
                while self.pid is None or not await self.command.ready():
                    if self.deaths - deaths >= TRIES_AT_START:
                        raise StackError(f"{self.name} ends as soon as it is started.\n{self.log_tail()}")
                    await asyncio.sleep(POLL)
        except TimeoutError:
            raise StackError(f"{self.name} was not ready in time.\n{self.log_tail()}") from None

    async def kill(self, number: int = signal.SIGKILL) -> None:
        """Send a signal; after SIGKILL, return when the process is gone. It will be started again."""
        process = self._process
        if process is None or process.returncode is not None:
            raise StackError(f"{self.name} does not run.")
        process.send_signal(number)
        if number == signal.SIGKILL:
            await process.wait()

    async def restart(self, environment: Mapping[str, str] | None = None) -> None:
        """End it in order and start it again, with `environment` added for this run."""
        await self.stop()
        await self.start(environment)

    async def stop(self) -> None:
        """End it and leave it ended; SIGKILL where it does not end within its limit."""
        keeper, self._keeper = self._keeper, None
        if keeper is not None:
            keeper.cancel()
            await asyncio.gather(keeper, return_exceptions=True)
        process = self._process
        if process is None:
            return
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(self.command.end_signal)
                process.send_signal(signal.SIGCONT)  # a process that a test has stopped must wake to end
            try:
                await asyncio.wait_for(process.wait(), self.command.end_limit)
            except TimeoutError:
                logger.warning("%s did not end within %s s and is killed.", self.name, self.command.end_limit)
        await self._bury(process)
        self._changed()

    def log_tail(self) -> str:
        """The last lines the process wrote."""
        with contextlib.suppress(OSError), self.command.log_file.open("rb") as log:
            log.seek(max(0, log.seek(0, os.SEEK_END) - TAIL))
            return f"The end of {self.command.log_file}:\n{log.read().decode(errors='replace').strip()}"
        return f"{self.command.log_file} could not be read."

    async def _spawn(self, extra: Mapping[str, str]) -> None:
        command = self.command
        if command.before_start is not None:
            command.before_start()
        command.log_file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            if command.log_file.stat().st_size > LARGEST_LOG:
                command.log_file.replace(command.log_file.with_suffix(".log.1"))
        uid, gid = command.user or (-1, -1)
        tie = [sys.executable, "-I", "-S", str(LAUNCHER), str(os.getpid()), str(int(command.end_signal))]
        with command.log_file.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *[*tie, str(uid), str(gid), *command.argv],
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**command.environment, **extra},
                cwd=command.cwd,
                start_new_session=True,  # Ctrl-C is for the stack alone, which ends its processes in order
            )
        self._changed()

    async def _keep(self) -> None:
        delay = 0.0
        clock = asyncio.get_running_loop().time
        while (process := self._process) is not None:
            began = clock()
            code = await process.wait()
            self.deaths += 1
            await self._bury(process)
            steady = clock() - began > STEADY_AFTER
            delay = FIRST_DELAY if steady else min(max(delay * 2, FIRST_DELAY), LONGEST_DELAY)
            logger.warning("%s ended with status %s and starts again in %.1f s.", self.name, code, delay)
            self._changed()
            await asyncio.sleep(delay)
            try:
                await self._spawn({})
            except (OSError, StackError) as error:
                logger.warning("%s could not be started: %s", self.name, error)

    async def _bury(self, process: asyncio.subprocess.Process) -> None:
        """Kill what is left of its session, so that nothing outlives it."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()

    def _changed(self) -> None:
        if self._on_change is not None:
            self._on_change()
