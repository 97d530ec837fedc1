"""The SMTP sink: takes every message instead of delivering it, and misbehaves on demand."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, cast

from aiosmtpd.smtp import SMTP, Envelope, Session

from stack.ports import LOOPBACK

if TYPE_CHECKING:
    import ssl
    from collections.abc import Awaitable, Callable

    OnMessage = Callable[[bytes, str, list[str]], Awaitable[None]]

logger = logging.getLogger("sojourn.stack")

TAKEN = "250 2.0.0 Taken"
NOT_STORED = "451 4.3.0 The message could not be stored"


@dataclass
class Behaviour:
    """One answer other than yes: at this stage, so many times, to this recipient (none: to everybody)."""

    stage: Literal["helo", "mail", "rcpt", "data"]
    reply: str
    times: int = 1
    to: str | None = None


class SmtpSink:
    """An SMTP server with STARTTLS on the loopback that hands each message to `on_message(raw, sender, recipients)`.

    `counts` says what happened: connections, tls, accepted, refused, dropped, failed. The public attributes may be
    changed while it runs: `behaviours`; `drop_after_data`, the number of messages that are taken but not answered, the
    connection being closed instead; `delay`, seconds before each answer to a message.
    """

    def __init__(
        self, port: int, *, tls: ssl.SSLContext | None = None, on_message: OnMessage | None = None, host: str = LOOPBACK
    ) -> None:
        self.host = host
        self.port = port
        self.counts: Counter[str] = Counter()
        self.behaviours: list[Behaviour] = []
        self.drop_after_data = 0
        self.delay = 0.0
        self._tls = tls
        self._on_message = on_message
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.BaseTransport] = set()

    async def start(self) -> None:
        """Listen; port 0 is replaced by the one chosen."""
        self._server = await asyncio.get_running_loop().create_server(self._conversation, self.host, self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Close the listener and every conversation."""
        server, self._server = self._server, None
        if server is None:
            return
        server.close()
        for transport in list(self._open):
            transport.close()
        await server.wait_closed()

    def answer(self, stage: str, recipients: list[str]) -> str | None:
        """The refusal that a behaviour asks for at this stage, used up by one."""
        for behaviour in self.behaviours:
            fits = behaviour.to is None or behaviour.to in recipients
            if behaviour.stage == stage and behaviour.times > 0 and fits:
                behaviour.times -= 1
                self.counts["refused"] += 1
                return behaviour.reply
        return None

    async def take(self, envelope: Envelope) -> str | None:
        """Store a message and return the answer, none where the connection is to be closed without one."""
        if self.delay:
            await asyncio.sleep(self.delay)
        if refusal := self.answer("data", envelope.rcpt_tos):
            return refusal
        content = envelope.content
        raw = content.encode() if isinstance(content, str) else content or b""
        if self._on_message is not None:
            try:
                await self._on_message(raw, envelope.mail_from or "", list(envelope.rcpt_tos))
            except Exception:  # whatever keeps it from being stored, the sender must hear of it and try again
                logger.exception("A message could not be stored.")
                self.counts["failed"] += 1
                return NOT_STORED
        if self.drop_after_data > 0:
            self.drop_after_data -= 1
            self.counts["dropped"] += 1
            return None
        self.counts["accepted"] += 1
        return TAKEN

    def _conversation(self) -> SMTP:
        return _Conversation(self, self._open, self._tls)


class _Conversation(SMTP):
    """One connection; it knows the transport beneath TLS too, so that it can be closed from outside."""

    def __init__(self, sink: SmtpSink, opened: set[asyncio.BaseTransport], tls: ssl.SSLContext | None) -> None:
        super().__init__(_Handler(sink), tls_context=tls, enable_SMTPUTF8=True, ident="Sojourn sink")
        self._sink = sink
        self._opened = opened
        self._bottom: asyncio.BaseTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        if self._bottom is None:
            self._bottom = transport
            self._opened.add(transport)
            self._sink.counts["connections"] += 1
        else:
            self._sink.counts["tls"] += 1

    def connection_lost(self, error: Exception | None) -> None:
        super().connection_lost(error)
        self._opened.discard(self._bottom)


class _Handler:
    """The hooks by which aiosmtpd asks; their names and arguments are its own."""

    def __init__(self, sink: SmtpSink) -> None:
        self._sink = sink

    async def handle_EHLO(  # noqa: N802
        self, _server: SMTP, session: Session, _envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        refusal = self._sink.answer("helo", [])
        return responses if refusal is None else [refusal]

    async def handle_MAIL(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if refusal := self._sink.answer("mail", []):
            return refusal
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 OK"

    async def handle_RCPT(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if refusal := self._sink.answer("rcpt", [address]):
            return refusal
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        answer = await self._sink.take(envelope)
        if answer is not None:
            return answer
        cast("asyncio.WriteTransport", server.transport).abort()
        return NOT_STORED  # written to a closed connection: nobody hears it
