"""Programs in Go that are built once for all checkouts, into the cache folder, with their progress shown."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import shutil
import signal
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from stack.process import POLL, StackError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping
    from pathlib import Path

TAIL = 2_000


class Workshop:
    """A folder in which one process at a time makes something; `what` is made there, in words for people."""

    def __init__(self, folder: Path, what: str, console: Console | None = None) -> None:
        self.folder = folder
        self.what = what
        self.console = console or Console(stderr=True)

    @contextlib.asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        """One process at a time, so that two do not make the same twice; the lock goes with its holder."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "lock").open("w") as lock:
            told = False
            while True:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if not told:
                        self.console.print(f"Another process prepares {self.what}; waiting for it.")
                        told = True
                    await asyncio.sleep(POLL)
            yield

    def progress(self) -> Progress:
        """A line that shows that something goes on, and for how long."""
        columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
        return Progress(*columns, console=self.console)

    async def build(self, go: str, module: Path, package: str, target: Path) -> None:
        """Build a program of a Go module into `target`; raises `StackError` with what Go said."""
        draft = self.folder / "building"
        with self.progress() as progress:
            task = progress.add_task(f"Fetching the sources of {self.what}", total=None)
            status, output = await run([go, "list", "-deps", package], cwd=module)
            if status == 0:
                progress.update(task, description=f"Building {self.what} (once)", total=len(output.splitlines()))
                program = [go, "build", "-v", "-trimpath", "-ldflags=-s -w", "-o", str(draft), package]
                status, output = await run(program, cwd=module, each_line=lambda: progress.advance(task))
        if status != 0:
            raise StackError(f"{capital(self.what)} could not be built with {go}:\n{output[-TAIL:]}")
        draft.replace(target)


def find_go() -> str | None:
    """The Go tool, none where there is none."""
    return shutil.which("go")


def capital(text: str) -> str:
    """The text as the beginning of a sentence."""
    return text[:1].upper() + text[1:]


async def run(
    program: list[str],
    *,
    cwd: Path,
    limit: float | None = None,
    environment: Mapping[str, str] | None = None,
    each_line: Callable[[], None] | None = None,
) -> tuple[int | None, str]:
    """The status (none when cut off at the limit) and the output; everything it started ends with it."""
    process = await asyncio.create_subprocess_exec(
        *program,
        cwd=cwd,
        env=environment,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )
    assert process.stdout is not None
    lines: list[str] = []
    try:
        async with asyncio.timeout(limit):
            async for line in process.stdout:
                lines.append(line.decode(errors="replace"))
                if each_line is not None:
                    each_line()
            await process.wait()
    except TimeoutError:
        return None, "".join(lines)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
    return process.returncode, "".join(lines)


__all__ = ["TAIL", "Workshop", "capital", "find_go", "run"]
