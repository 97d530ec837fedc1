"""SMTP: mail through a relay, over connections that are kept while they are used (MSG-26)."""

from __future__ import annotations

import asyncio
import socket
import ssl
from functools import cached_property
from typing import ClassVar, Final

import aiosmtplib
from pydantic import BaseModel

from channels.base import (
    HandingOver,
    Outgoing,
    Outside,
    Receipt,
    Refused,
    SendFailure,
    Unavailable,
    Undeliverable,
)
from channels.smtp_conversation import CLOSING, Conversation, Lost
from channels.smtp_replies import answer_text, classify
from domain.addresses import mailbox
from domain.definitions.provider import SecretName, SmtpConfig

IMPLICIT_TLS_PORT: Final = 465
CONNECTIONS: Final = 10
MESSAGES_PER_CONNECTION: Final = 500
IDLE_SECONDS: Final = 30.0
CONNECT_SECONDS: Final = 20.0
ANSWER_SECONDS: Final = 60.0
QUIT_SECONDS: Final = 2.0


class _Connection:
    """One conversation with the server, and how many messages it has carried."""

    def __init__(self, conversation: Conversation) -> None:
        self.conversation = conversation
        self.carried = 0
        self.closing: asyncio.TimerHandle | None = None

    @property
    def usable(self) -> bool:
        """Whether another message may go over it."""
        return self.conversation.open and self.carried < MESSAGES_PER_CONNECTION

    def rest(self) -> None:
        """Close it after a while unless it is taken up again."""
        self.closing = asyncio.get_running_loop().call_later(IDLE_SECONDS, self.conversation.close)

    def take_up(self) -> None:
        """Use it again."""
        if self.closing is not None:
            self.closing.cancel()
            self.closing = None

    def close(self) -> None:
        """Give it up."""
        self.take_up()
        self.conversation.close()


class SmtpSender:
    """A pool of connections to one server."""

    def __init__(self, config: SmtpConfig, outside: Outside) -> None:
        self._config = config
        self._outside = outside
        self._slots = asyncio.Semaphore(CONNECTIONS)
        self._idle: list[_Connection] = []
        self._busy: set[_Connection] = set()
        self._closed = False

    async def send(self, outgoing: Outgoing, handing_over: HandingOver) -> Receipt:
        """Give one message to the server; `handing_over` is awaited when the envelope is taken, before the message leaves."""
        async with self._slots:
            connection = await self._with_envelope(outgoing)
            healthy = False
            try:
                await handing_over()
                connection.carried += 1
                receipt = await _data(connection, outgoing.raw)
                healthy = True
            except SendFailure as failure:
                healthy = not failure.ambiguous and await connection.conversation.reset(ANSWER_SECONDS)
                raise
            finally:
                # Whoever has not handed it over after all has left the server waiting for it.
                self._give_back(connection, healthy=healthy)
            return receipt

    async def probe(self) -> None:
        """Connect and log in, to see whether the server can be used; raises a SendFailure where it cannot."""
        async with self._slots:
            self._give_back(await self._connect(), healthy=True)

    async def close(self) -> None:
        """Take no connection back any more and close those at rest."""
        self._closed = True
        while self._idle:
            connection = self._idle.pop()
            connection.take_up()
            if connection.conversation.open:
                await connection.conversation.quit(QUIT_SECONDS)
            connection.close()

    async def _with_envelope(self, outgoing: Outgoing) -> _Connection:
        """A connection over which the server has taken sender and recipients; a stale one is replaced."""
        while self._idle:
            connection = self._idle.pop()
            connection.take_up()
            if not connection.usable:
                connection.close()
                continue
            self._busy.add(connection)
            try:
                await self._envelope(connection, outgoing)
            except Unavailable:
                if connection.conversation.open:
                    raise
                continue
            return connection
        connection = await self._connect()
        await self._envelope(connection, outgoing)
        return connection

    async def _envelope(self, connection: _Connection, outgoing: Outgoing) -> None:
        healthy = False
        try:
            await connection.conversation.begin(outgoing.sender, outgoing.recipients, ANSWER_SECONDS)
        except SendFailure as failure:
            told_to_go = failure.answer.startswith(str(CLOSING))
            healthy = not told_to_go and await connection.conversation.reset(ANSWER_SECONDS)
            self._give_back(connection, healthy=healthy)
            raise
        except BaseException:
            self._give_back(connection, healthy=False)
            raise

    async def _connect(self) -> _Connection:
        """A new connection; what keeps it from coming about concerns every message, unless others stand."""
        password = self._password()
        try:
            conversation = await self._conversation(password)
        except SendFailure as failure:
            failure.of_server = not any(one.conversation.open for one in (*self._busy, *self._idle))
            raise
        connection = _Connection(conversation)
        self._busy.add(connection)
        return connection

    async def _conversation(self, password: str | None) -> Conversation:
        config = self._config
        implicit = config.port == IMPLICIT_TLS_PORT if config.tls == "auto" else config.tls == "implicit"
        client = aiosmtplib.SMTP(
            hostname=config.host,
            port=config.port,
            username=config.username,
            password=password,
            local_hostname=_own_name(),
            timeout=CONNECT_SECONDS,
            use_tls=implicit,
            start_tls=False if implicit else (True if config.require_tls else None),
            tls_context=self._trust,
        )
        try:
            await client.connect()
            try:
                await client.ehlo()
            except aiosmtplib.SMTPHeloError:
                await client.helo()
        except aiosmtplib.SMTPAuthenticationError as error:
            raise classify("auth", error.code, error.message) from None
        except aiosmtplib.SMTPResponseException as error:
            raise classify("connect", error.code, error.message) from None
        except aiosmtplib.SMTPNotSupported as error:
            raise Refused(f"The server does not offer what is required: {error.message}") from None
        except (aiosmtplib.SMTPException, OSError) as error:
            raise Unavailable(_lost(error)) from None
        return Conversation.take_over(client)

    @cached_property
    def _trust(self) -> ssl.SSLContext:
        return self._outside.tls or ssl.create_default_context()

    def _password(self) -> str | None:
        password = self._config.password
        if not isinstance(password, SecretName):
            return password
        if password.secret not in self._outside.secrets:
            raise Refused(f"The deployment has no secret named {password.secret}")
        return self._outside.secrets[password.secret]

    def _give_back(self, connection: _Connection, *, healthy: bool) -> None:
        self._busy.discard(connection)
        if healthy and connection.usable and not self._closed:
            connection.rest()
            self._idle.append(connection)
        else:
            connection.close()


async def _data(connection: _Connection, raw: bytes) -> Receipt:
    """Hand the message itself over; a connection that breaks here leaves open whether it was taken."""
    try:
        reply = await connection.conversation.finish(raw, ANSWER_SECONDS)
    except Lost as lost:
        raise Unavailable(f"The connection failed: {lost}"[:300], ambiguous=True) from None
    if not reply.good:
        raise classify("data", reply.code, reply.text)
    return Receipt(answer_text(reply.code, reply.text))


def _lost(error: Exception) -> str:
    words = " ".join(str(error).split()) or type(error).__name__
    return f"The connection failed: {words}"[:300]


def _own_name() -> str:
    """The name this machine introduces itself by, which asks no name server."""
    name = socket.gethostname()
    return name if name.isascii() and name.replace("-", "").replace(".", "").isalnum() else "localhost"


class SmtpChannel:
    """Any server that speaks SMTP."""

    kind: ClassVar[str] = "smtp"
    channel: ClassVar[str] = "email"
    idempotent: ClassVar[bool] = False
    Options: ClassVar[type[BaseModel]] = SmtpConfig

    def normalise(self, address: str) -> str:
        """The mailbox with its domain in ASCII."""
        found = mailbox(address)
        if found is None:
            raise Undeliverable("The address is not an email address")
        return found

    def open(self, options: SmtpConfig, outside: Outside) -> SmtpSender:
        """A sender with a pool of its own."""
        return SmtpSender(options, outside)


__all__ = ["SmtpChannel", "SmtpSender"]
