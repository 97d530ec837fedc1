"""`stack.json`: what a running stack tells scripts, commands and tests about itself; the stack alone writes it."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field

FILE_NAME = "stack.json"


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
    others: dict[str, int | None] = Field(
        default_factory=dict, description="Of a cluster: its APIs and the processes of its Temporal server, by name."
    )

    def children(self) -> list[int]:
        """Every process that the stack started."""
        named = (*self.workers.values(), *self.others.values(), self.api, self.temporal, self.postgres)
        return [pid for pid in named if pid is not None]


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


class RunningStack(BaseModel):
    """A running stack: where it answers, who may call, which processes it is made of."""

    model_config = ConfigDict(frozen=True)

    api_url: str
    api_urls: list[str] = Field(default_factory=list, description="Every API, the first one included.")
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


__all__ = ["FILE_NAME", "Pids", "RunningStack", "SmtpPlace", "WorkspaceKeys"]
