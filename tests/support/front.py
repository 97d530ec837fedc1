"""A front before the API that has hiccups: some calls it answers itself, the rest it passes on as they are."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import httpx

from stack.description import StackDescription
from stack.tls import Certificates

HEAD_END = b"\r\n\r\n"


class Hiccup(NamedTuple):
    """One answer that is the front's own; `lost` means that the call was passed on before, and the real answer is gone."""

    status: int
    headers: Mapping[str, str] = {}
    lost: bool = False


class Seen(NamedTuple):
    """A call as it came to the front, its headers in lower case."""

    path: str
    headers: Mapping[str, str]
    answered: int
    by: Literal["front", "api"]


@dataclass
class Front:
    """An https server on `port`; the next calls meet the `hiccups`, in order; None lets one pass."""

    url: str
    port: int = 0
    hiccups: list[Hiccup | None] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One call of one connection."""
        try:
            method, path, headers, body = await _read(reader)
            hiccup = self.hiccups.pop(0) if self.hiccups else None
            real = None if hiccup is not None and not hiccup.lost else await self._passed(method, path, headers, body)
            if hiccup is not None:
                said = {"content-type": "application/json", **hiccup.headers}
                status, content = hiccup.status, b'{"meta":{"error":"a hiccup"}}'
            else:
                assert real is not None
                said = {"content-type": real.headers["content-type"]}
                status, content = real.status_code, real.content
            self.seen.append(Seen(path, headers, status, "api" if hiccup is None else "front"))
            said |= {"content-length": str(len(content)), "connection": "close"}
            head = [f"HTTP/1.1 {status} Answered", *(f"{name}: {value}" for name, value in said.items())]
            writer.write("\r\n".join(head).encode() + HEAD_END + content)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # whoever called has gone
        finally:
            writer.close()

    async def _passed(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> httpx.Response:
        own = {"host", "connection", "content-length", "accept-encoding"}
        kept = {name: value for name, value in headers.items() if name not in own}
        async with httpx.AsyncClient(timeout=30, trust_env=False) as client:
            return await client.request(method, self.url + path, headers=kept, content=body)


async def _read(reader: asyncio.StreamReader) -> tuple[str, str, dict[str, str], bytes]:
    head = (await reader.readuntil(HEAD_END)).decode("latin-1")
    first, *lines = head.rstrip().split("\r\n")
    method, path, _ = first.split(" ")
    pairs = (line.partition(":") for line in lines)
    headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
    return method, path, headers, await reader.readexactly(int(headers.get("content-length", 0)))


@asynccontextmanager
async def front_of(stack: StackDescription) -> AsyncIterator[Front]:
    """A front before a running stack, with the stack's own certificate."""
    front = Front(stack.api_url)
    trust: ssl.SSLContext = Certificates(stack.ca_file.parent).server_context()
    server = await asyncio.start_server(front.serve, "127.0.0.1", 0, ssl=trust)
    front.port = server.sockets[0].getsockname()[1]
    try:
        yield front
    finally:
        server.close()
        await server.wait_closed()


__all__ = ["Front", "Hiccup", "Seen", "front_of"]
