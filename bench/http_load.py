"""Load over HTTP/1.1 from a few kept connections, cheap enough for the server to be what is measured."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable
from typing import NamedTuple

HOST = "127.0.0.1"
ANSWER_LIMIT = 60.0
_END = b"\r\n\r\n"
_LENGTH = b"content-length: "


class Answer(NamedTuple):
    """What a call was answered with."""

    status: int
    body: bytes


class Connection(asyncio.Protocol):
    """One connection with one call on its way at a time."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self._waiting: asyncio.Future[Answer] | None = None

    @classmethod
    async def open(cls, port: int) -> Connection:
        """Connect to a server of this machine."""
        _, connection = await asyncio.get_running_loop().create_connection(cls, HOST, port)
        return connection

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        """Complete the answer that is being received."""
        self._buffer += data
        end = self._buffer.find(_END)
        if end < 0 or self._waiting is None:
            return
        head = bytes(self._buffer[:end]).lower()
        start = head.find(_LENGTH)
        size = int(head[start + len(_LENGTH) :].split(b"\r", 1)[0]) if start >= 0 else 0
        if len(self._buffer) < end + len(_END) + size:
            return
        body = bytes(self._buffer[end + len(_END) : end + len(_END) + size])
        self._buffer.clear()
        waiting, self._waiting = self._waiting, None
        if not waiting.done():
            waiting.set_result(Answer(int(head.split(b" ", 2)[1]), body))

    def connection_lost(self, error: Exception | None) -> None:
        """Let whoever waits hear of it."""
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(error or ConnectionResetError("the server closed the connection"))

    async def call(self, request: bytes) -> Answer:
        """Send one request as it is and return its answer."""
        assert self._transport is not None, "calls are made over an open connection"
        assert self._waiting is None, "one call at a time"
        self._waiting = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        async with asyncio.timeout(ANSWER_LIMIT):
            return await self._waiting

    async def accepted(self, request: bytes) -> None:
        """Send one request that has to be answered with 200."""
        answer = await self.call(request)
        if answer.status != 200:
            raise RuntimeError(f"A call was answered with {answer.status}: {answer.body[:300]!r}")

    def close(self) -> None:
        """Hang up."""
        if self._transport is not None:
            self._transport.close()


def request(method: str, path: str, user: str, password: str, body: bytes | None = None) -> bytes:
    """A whole request with a Basic header."""
    pair = base64.b64encode(f"{user}:{password}".encode()).decode()
    head = f"{method} {path} HTTP/1.1\r\nHost: {HOST}\r\nAuthorization: Basic {pair}\r\n"
    if body is None:
        return head.encode() + b"\r\n"
    return f"{head}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


async def hammer(port: int, make: Callable[[int], bytes], *, connections: int, span: float) -> float:
    """Calls per second over so many connections for so many seconds; `make` gives the request of each number."""
    clock = asyncio.get_running_loop().time
    opened = [await Connection.open(port) for _ in range(connections)]
    numbers = iter(range(10**9))
    done = 0
    began = clock()

    async def one(connection: Connection) -> None:
        nonlocal done
        while clock() - began < span:
            await connection.accepted(make(next(numbers)))
            done += 1

    try:
        await asyncio.gather(*[one(connection) for connection in opened])
        return done / (clock() - began)
    finally:
        for connection in opened:
            connection.close()


__all__ = ["Answer", "Connection", "hammer", "request"]
