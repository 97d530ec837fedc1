"""`stack.json`: what a running stack tells scripts and tests about itself."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path
from typing import Self

import psutil
from pydantic import BaseModel, ConfigDict, Field

from stack.process import POLL

FILE_NAME = "stack.json"
END_LIMIT = 5.0


class SmtpPlace(BaseModel):
    """Where the SMTP sink listens."""

    model_config = ConfigDict(frozen=True)

    host: str
    port: int


class Pids(BaseModel):
    """Process ids of the stack; none where a server is not ours or is just starting again."""

    model_config = ConfigDict(frozen=True)

    supervisor: int
    postgres: int | None = None
    temporal: int | None = None
    api: int | None = None
    workers: dict[str, int | None] = Field(default_factory=dict)

    def children(self) -> list[int]:
        """Every process that the stack started."""
        return [pid for pid in (*self.workers.values(), self.api, self.temporal, self.postgres) if pid is not None]


class WorkspaceKeys(BaseModel):
    """A built-in workspace and the keys its callers use."""

    model_config = ConfigDict(frozen=True)

    id: int | str
    name: str
    sandbox: bool
    site_id: str
    api_key: str
    app_key: str
    write_key: str


class StackDescription(BaseModel):
    """A running stack: where it answers, who may call, which processes it is made of."""

    model_config = ConfigDict(frozen=True)

    api_url: str
    api_tls_url: str
    ca_file: Path
    ca_bundle_file: Path
    temporal_address: str
    temporal_ui_url: str | None
    database_url: str
    mailbox_url: str
    smtp: SmtpPlace
    admin_token: str
    pids: Pids
    workspaces: list[WorkspaceKeys]
    births: dict[int, float] = Field(default_factory=dict, description="When each process began, by its id.")

    @classmethod
    def read(cls, data_dir: Path) -> Self | None:
        """The description in this folder, none where there is none or it cannot be understood."""
        with contextlib.suppress(FileNotFoundError, ValueError):
            return cls.model_validate_json((data_dir / FILE_NAME).read_bytes())
        return None

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
