"""A small SMTP server of a test: encrypted from the first byte or not, with PIPELINING or not, away when told to."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass, field
from typing import Self

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session


@dataclass
class SmtpServer:
    """What it is like, and what happened: `taken` messages with their recipients, `connections`, `read` in one piece each.

    `greeting` is a refusal in place of a greeting, `refused` the recipients it does not know.
    """

    pipelining: bool = False
    tls: ssl.SSLContext | None = None
    implicit: bool = False
    password: str | None = None
    greeting: str | None = None
    refused: frozenset[str] = frozenset()
    port: int = 0
    connections: int = 0
    taken: list[tuple[bytes, list[str]]] = field(default_factory=list)
    read: list[bytes] = field(default_factory=list)
    logins: list[str] = field(default_factory=list)
    _server: asyncio.Server | None = None
    _open: set[asyncio.BaseTransport] = field(default_factory=set)

    async def start(self) -> None:
        """Listen; the port stays the same from then on."""
        context = self.tls if self.implicit else None
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Conversation(self), "127.0.0.1", self.port, ssl=context)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Be away: nobody listens, and every conversation is cut off."""
        server, self._server = self._server, None
        if server is None:
            return
        server.close()
        for transport in list(self._open):
            transport.close()
        await server.wait_closed()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()


class _Conversation(SMTP):
    def __init__(self, place: SmtpServer) -> None:
        options = {} if place.password is None else {"authenticator": _Login(place), "auth_require_tls": False}
        super().__init__(_Handler(place), tls_context=None if place.implicit else place.tls, **options)
        self._place = place
        self._bottom: asyncio.BaseTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if self._bottom is None:
            self._bottom = transport
            self._place._open.add(transport)
            self._place.connections += 1
        if self._place.greeting is not None:
            transport.write(f"{self._place.greeting}\r\n".encode())  # type: ignore[attr-defined]
            transport.close()
            return
        super().connection_made(transport)

    def data_received(self, data: bytes) -> None:
        if self._place.greeting is None:
            self._place.read.append(data)
            super().data_received(data)

    def connection_lost(self, error: Exception | None) -> None:
        if self._place.greeting is None:
            super().connection_lost(error)
        self._place._open.discard(self._bottom)  # type: ignore[arg-type]


class _Login:
    def __init__(self, place: SmtpServer) -> None:
        self._place = place

    def __call__(self, _server: SMTP, _session: Session, _envelope: Envelope, _word: str, data: object) -> AuthResult:
        assert isinstance(data, LoginPassword)
        self._place.logins.append(data.login.decode())
        return AuthResult(success=data.password.decode() == self._place.password, handled=False)


class _Handler:
    def __init__(self, place: SmtpServer) -> None:
        self._place = place

    async def handle_EHLO(  # noqa: N802
        self, _server: SMTP, session: Session, _envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        return [*responses[:-1], "250-PIPELINING", responses[-1]] if self._place.pipelining else responses

    async def handle_RCPT(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if address in self._place.refused:
            return "550 5.1.1 No such user"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        content = envelope.content
        assert isinstance(content, bytes)
        self._place.taken.append((content, list(envelope.rcpt_tos)))
        return "250 2.0.0 Taken"


__all__ = ["SmtpServer"]
