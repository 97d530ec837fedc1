"""Where a client is pointed to, and with which keys."""

from __future__ import annotations

import contextlib
import socket
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urlsplit

import httpx

from stack.description import StackDescription
from tests.support.live import SENDER, Workspace


@dataclass(frozen=True)
class Place:
    """A workspace as clients know it."""

    workspace: Workspace
    host: str
    port: int
    write_key: str

    @classmethod
    async def make(cls, stack: StackDescription, http: httpx.AsyncClient) -> Self:
        """A new sandbox with a default sender, and a source for Pipelines calls."""
        workspace = await Workspace.create(stack, http)
        await workspace.define(SENDER)
        headers = {"Authorization": f"Bearer {stack.admin_token}"}
        asked = {"kind": "pipelines", "name": "Server"}
        made = await http.post(f"/v1/workspaces/{workspace.id}/credentials", json=asked, headers=headers)
        assert made.status_code == 201, made.text
        url = urlsplit(stack.api_tls_url)
        assert url.hostname is not None
        assert url.port is not None
        return cls(workspace, url.hostname, url.port, made.json()["write_key"])

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
