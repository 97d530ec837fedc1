"""Where a client is pointed to, and with which keys."""

from __future__ import annotations

import contextlib
import socket
from dataclasses import dataclass
from typing import Any

from tests.support.live import Workspace


@dataclass(frozen=True)
class Place:
    """A workspace as clients know it."""

    workspace: Workspace
    host: str
    port: int
    write_key: str

    def told(self, **more: Any) -> dict[str, Any]:
        """What a driver needs to know; nobody listens at `closed_port`."""
        workspace = self.workspace
        return {
            "host": self.host,
            "port": self.port,
            "closed_port": closed_port(),
            "site_id": workspace.site_id,
            "api_key": workspace.api_key,
            "app_key": workspace.app_key,
            "write_key": self.write_key,
            **more,
        }


def closed_port() -> int:
    """A port at which nobody listened a moment ago."""
    with contextlib.closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        number: int = taken.getsockname()[1]
        return number
