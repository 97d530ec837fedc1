"""A child of the stack: brought back when it dies, ended with a limit, tied to its parent's life."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from typing import TYPE_CHECKING

import psutil
import pytest

from settings import CHECKOUT
from stack.process import Child, Command, StackError

if TYPE_CHECKING:
    from pathlib import Path

SLEEPER = "import signal; print('up', flush=True); signal.pause()"
STUBBORN = (
    "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True)\nwhile True: signal.pause()"
)


def command(folder: Path, program: str, **changes: object) -> Command:
    """A command that is ready once its latest run, and not only an earlier one, wrote `up`."""
    log = folder / "child.log"
    starts: list[None] = []

    async def ready() -> bool:
        return log.read_bytes().count(b"up\n") == len(starts)

    given = {"name": "child", "argv": [sys.executable, "-c", program], "log_file": log, "ready": ready}
    return Command(**{**given, "before_start": lambda: starts.append(None), **changes})


def gone(process: psutil.Process) -> bool:
    """Whether it ends within its time; one whose parent does not reap it stays as a defunct entry."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if not process.is_running() or process.status() == psutil.STATUS_ZOMBIE:
            return True
    return False


async def test_it_comes_back_when_it_dies_and_ends_when_told(tmp_path: Path) -> None:
    child = Child(command(tmp_path, SLEEPER))
    await child.start()
    first = child.pid
    await child.kill()
    assert child.pid is None
    await child.wait_ready()
    second = child.pid
    assert (second != first, child.deaths) == (True, 1)
    await child.stop()
    assert child.pid is None
    assert not psutil.pid_exists(second or 0)


async def test_one_that_ignores_the_request_is_killed_at_its_limit(tmp_path: Path) -> None:
    child = Child(command(tmp_path, STUBBORN, end_limit=0.2))
    await child.start()
    pid = child.pid
    await child.stop()
    assert not psutil.pid_exists(pid or 0)


async def test_one_that_was_suspended_still_ends_in_order(tmp_path: Path) -> None:
    child = Child(command(tmp_path, SLEEPER, end_limit=20.0))
    await child.start()
    await child.kill(signal.SIGSTOP)
    async with asyncio.timeout(10):
        await child.stop()
    assert child.pid is None


async def test_what_it_started_ends_with_it(tmp_path: Path) -> None:
    grandchild = f"import subprocess, sys; p = subprocess.Popen([sys.executable, '-c', {SLEEPER!r}]); p.wait()"
    child = Child(command(tmp_path, grandchild))
    await child.start()
    [below] = psutil.Process(child.pid).children()
    await child.stop()
    assert gone(below)


async def test_a_program_that_cannot_start_says_why(tmp_path: Path) -> None:
    child = Child(command(tmp_path, "raise SystemExit('no such luck')"))
    with pytest.raises(StackError, match=r"(?s)ends as soon as it is started.*no such luck"):
        await child.start()
    assert child.pid is None


async def test_a_program_that_is_never_ready_is_ended(tmp_path: Path) -> None:
    child = Child(command(tmp_path, "import signal; signal.pause()", start_limit=0.3))
    with pytest.raises(StackError, match="was not ready in time"):
        await child.start()
    assert child.pid is None


async def test_variables_of_a_restart_last_for_one_run(tmp_path: Path) -> None:
    program = "import os; print(os.environ.get('SOJOURN_FAULT', 'none'))\n" + SLEEPER
    child = Child(command(tmp_path, program))
    await child.start()
    await child.restart({"SOJOURN_FAULT": "here"})
    await child.kill()
    await child.wait_ready()
    await child.stop()
    assert (tmp_path / "child.log").read_text().split() == ["none", "up", "here", "up", "none", "up"]


async def test_a_killed_parent_takes_its_children_along(tmp_path: Path) -> None:
    parent = f"""
import asyncio, pathlib, sys
from settings import CHECKOUT
from stack.process import Child, Command
async def yes(): return True
async def main():
    child = Child(Command(name="c", argv=[sys.executable, "-c", {SLEEPER!r}], ready=yes,
                          log_file=pathlib.Path({str(tmp_path / "child.log")!r})))
    await child.start()
    print(child.pid, flush=True)
    await asyncio.sleep(60)
asyncio.run(main())
"""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", parent, stdout=asyncio.subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(CHECKOUT)}
    )
    assert process.stdout is not None
    child = psutil.Process(int(await process.stdout.readline()))
    process.kill()
    await process.wait()
    assert gone(child)
