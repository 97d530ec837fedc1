"""What the stack does with `stack.json`: writes it, and ends what a killed stack has left according to it."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path

import psutil

from console.stack_file import FILE_NAME, Pids, RunningStack, SmtpPlace, WorkspaceKeys
from stack.process import POLL

END_LIMIT = 5.0


class StackDescription(RunningStack):
    """A running stack, as it writes itself down."""

    def write(self, data_dir: Path) -> None:
        """Put it in its place whole, readable by its owner alone."""
        births = {pid: born for pid in self.pids.children() if (born := _born(pid)) is not None}
        text = self.model_copy(update={"births": births}).model_dump_json(indent=2)
        draft = data_dir / f".{FILE_NAME}.{os.getpid()}"
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as output:
            output.write(text + "\n")
        draft.replace(data_dir / FILE_NAME)

    def end_leftovers(self) -> list[int]:
        """End what a stack that was killed left running, and say which processes; never one that is not its own."""
        left = [
            pid for pid in self.pids.children() if (born := _born(pid)) is not None and born == self.births.get(pid)
        ]
        for pid in left:
            with contextlib.suppress(psutil.NoSuchProcess):
                psutil.Process(pid).terminate()
        deadline = time.monotonic() + END_LIMIT
        while time.monotonic() < deadline and any(map(_born, left)):
            time.sleep(POLL)
        for pid in left:
            with contextlib.suppress(psutil.NoSuchProcess):
                if _born(pid) == self.births.get(pid):
                    psutil.Process(pid).kill()
        return left


def remove_description(data_dir: Path) -> None:
    """Take it away: the stack has ended."""
    (data_dir / FILE_NAME).unlink(missing_ok=True)


def _born(pid: int) -> float | None:
    """When a living process began; none for one that is gone or defunct."""
    with contextlib.suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        if process.status() != psutil.STATUS_ZOMBIE:
            return float(process.create_time())
    return None


__all__ = ["FILE_NAME", "Pids", "SmtpPlace", "StackDescription", "WorkspaceKeys", "remove_description"]
