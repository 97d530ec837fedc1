"""How the product's own programs are run by the stack."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stack.ports import LOOPBACK
from stack.process import Command, StackError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from settings import Settings

ANSWER_LIMIT = 3.0
TOOL_LIMIT = 300.0
TAIL = 4_000


@dataclass(frozen=True)
class WorkerPlan:
    """One worker process: its name in `stack.json` and its roles."""

    name: str
    roles: tuple[str, ...]


WORKERS = (
    WorkerPlan("worker-ingest", ("ingest", "outbox", "due", "tasks")),
    WorkerPlan("worker-journeys", ("journeys", "send", "send-now", "send-bulk")),
)


def api_command(port: int, environment: Mapping[str, str], logs: Path, checkout: Path, *, name: str = "api") -> Command:
    """An API, ready when it accepts calls."""
    return Command(
        name=name,
        argv=[sys.executable, "-m", "api.app"],
        log_file=logs / f"{name}.log",
        ready=lambda: answers_ok(port, "/v1/health/ready"),
        environment=environment,
        cwd=checkout,
    )


def worker_command(plan: WorkerPlan, port: int, environment: Mapping[str, str], logs: Path, checkout: Path) -> Command:
    """A worker, ready when it polls its task queues."""
    return Command(
        name=plan.name,
        argv=[sys.executable, "worker.py", "--roles", ",".join(plan.roles)],
        log_file=logs / f"{plan.name}.log",
        ready=lambda: answers_ok(port, "/ready"),
        environment={**environment, "SOJOURN_WORKER_PORT": str(port)},
        cwd=checkout,
    )


async def run_tool(
    arguments: list[str], environment: Mapping[str, str], checkout: Path, *, given: bytes = b""
) -> bytes:
    """What `python -m ARGUMENTS` printed, run from the checkout; raises `StackError` with its complaint if it fails."""
    process = await asyncio.create_subprocess_exec(
        *[sys.executable, "-m", *arguments],
        cwd=checkout,
        env=dict(environment),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(TOOL_LIMIT):
            printed, complaint = await process.communicate(given)
    except TimeoutError:
        raise StackError(f"`python -m {' '.join(arguments)}` did not end within {TOOL_LIMIT} s.") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        text = (complaint or printed).decode(errors="replace")[-TAIL:]
        raise StackError(f"`python -m {' '.join(arguments)}` failed:\n{text}")
    return printed


async def answers_ok(port: int, path: str) -> bool:
    """Whether this machine answers a plain GET with 200."""
    with contextlib.suppress(OSError, TimeoutError, asyncio.IncompleteReadError):
        async with asyncio.timeout(ANSWER_LIMIT):
            reader, writer = await asyncio.open_connection(LOOPBACK, port)
            try:
                host = f"{LOOPBACK}:{port}"
                writer.write(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
                status = await reader.readline()
                return status.split()[1:2] == [b"200"]
            finally:
                writer.close()
                with contextlib.suppress(OSError):
                    await writer.wait_closed()
    return False


def product_environment(settings: Settings, client_trust: Mapping[str, str], checkout: Path) -> dict[str, str]:
    """What the API, workers and tools read: the settings, and trust in the development CA."""
    path = os.environ.get("PYTHONPATH")
    return {
        **settings.child_environment(),
        **client_trust,
        "PYTHONPATH": str(checkout) if not path else f"{checkout}{os.pathsep}{path}",
        "PYTHONUNBUFFERED": "1",
        # Where compiled code is not kept, the sandbox of workflows compiles its modules again for each of them.
        "PYTHONDONTWRITEBYTECODE": "",
        "PYTHONPYCACHEPREFIX": str(settings.cache_dir / "bytecode"),
    }
