"""One process of a client's own language: it makes its calls, and prints a line of JSON about each step."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

LIMIT = 90


@dataclass(frozen=True)
class Driven:
    """What a driver printed, by the name of the step."""

    steps: Mapping[str, dict[str, Any]]

    def answer(self, step: str) -> Any:
        """What the client returned."""
        found = self.steps[step]
        assert "error" not in found, found
        return found["answer"]

    def error(self, step: str) -> dict[str, Any]:
        """What the client threw, by `name`, `message` and what else it told."""
        found = self.steps[step]
        assert "error" in found, found
        error: dict[str, Any] = found["error"]
        return error


async def drive(program: Sequence[str], given: Mapping[str, Any], environment: Mapping[str, str]) -> Driven:
    """Run a driver to its end; `given` is what it reads from standard input. It must end by itself, with status 0."""
    done = await asyncio.to_thread(
        subprocess.run,
        program,
        input=json.dumps(given),
        env=dict(environment),
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )
    assert done.returncode == 0, f"status {done.returncode}\n{done.stdout}\n{done.stderr}"
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    steps = {line["step"]: line for line in lines}
    assert len(steps) == len(lines), "every step has a name of its own"
    return Driven(steps)
