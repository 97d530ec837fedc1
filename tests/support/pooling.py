"""A pooler that shares one connection to PostgreSQL between its clients, transaction by transaction, as PgBouncer can."""

from __future__ import annotations

import asyncio
import contextlib
import struct
from collections.abc import AsyncIterator

SSL_REQUEST = 80877103
LOGGED_IN = 0
SASL_GOES_ON = (10, 11)


class TransactionPooler:
    """The first client logs in at the server; later ones are told what it was told, and share its connection."""

    def __init__(self, host: str, port: int) -> None:
        self._server = (host, port)
        self._turn = asyncio.Lock()
        self._owner: asyncio.StreamWriter | None = None
        self._greeting = b""
        self._writer: asyncio.StreamWriter | None = None
        self._answers: asyncio.Task[None] | None = None

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One client, to its end."""
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            startup = await _startup(reader, writer)
            async with self._turn:
                if self._writer is None:
                    self._writer = await self._logged_in(startup, reader, writer)
                else:
                    writer.write(self._greeting)
            while (message := await _message(reader))[:1] != b"X":
                if self._owner is not writer:
                    await self._turn.acquire()
                    self._owner = writer
                self._writer.write(message)
        writer.close()

    async def end(self) -> None:
        """Let the server go."""
        if self._answers is not None:
            self._answers.cancel()
            await asyncio.gather(self._answers, return_exceptions=True)
        if self._writer is not None:
            self._writer.close()

    async def _logged_in(
        self, startup: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> asyncio.StreamWriter:
        answers, server = await asyncio.open_connection(*self._server)
        server.write(startup)
        while True:
            message = await _message(answers)
            writer.write(message)
            code = struct.unpack("!I", message[5:9])[0] if message[:1] == b"R" else None
            if code in SASL_GOES_ON:
                server.write(await _message(reader))
            elif code in (None, LOGGED_IN):
                self._greeting += message
            if message[:1] == b"Z":
                self._answers = asyncio.create_task(self._tell(answers))
                return server

    async def _tell(self, answers: asyncio.StreamReader) -> None:
        """Give answers to whose turn it is; a turn ends with its transaction."""
        while True:
            message = await _message(answers)
            if self._owner is None:
                continue
            self._owner.write(message)
            if message[:1] == b"Z" and message[5:] == b"I":
                self._owner = None
                self._turn.release()


async def _startup(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    while True:
        length = await reader.readexactly(4)
        body = await reader.readexactly(struct.unpack("!I", length)[0] - 4)
        if struct.unpack("!I", body[:4])[0] != SSL_REQUEST:
            return length + body
        writer.write(b"N")


async def _message(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readexactly(5)
    return head + await reader.readexactly(struct.unpack("!I", head[1:])[0] - 4)


@contextlib.asynccontextmanager
async def transaction_pooler(host: str, port: int) -> AsyncIterator[int]:
    """A pooler in front of a server; the port it listens on."""
    pooler = TransactionPooler(host, port)
    server = await asyncio.start_server(pooler.serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await pooler.end()
