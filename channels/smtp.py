"""SMTP: mail through a relay, over connections that are kept while they are used (MSG-26)."""

from __future__ import annotations

import asyncio
import socket
import ssl
from contextlib import suppress
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
from channels.smtp_replies import Stage, answer_text, classify
from domain.addresses import mailbox
from domain.definitions.provider import SecretName, SmtpConfig

IMPLICIT_TLS_PORT: Final = 465
CONNECTIONS: Final = 10
MESSAGES_PER_CONNECTION: Final = 500
IDLE_SECONDS: Final = 30.0
CONNECT_SECONDS: Final = 20.0
ANSWER_SECONDS: Final = 60.0


class _Connection:
    """One conversation with the server, and how many messages it has carried."""

    def __init__(self, client: aiosmtplib.SMTP) -> None:
        self.client = client
        self.carried = 0
        self.closing: asyncio.TimerHandle | None = None

    @property
    def usable(self) -> bool:
        """Whether another message may go over it."""
        return self.client.is_connected and self.carried < MESSAGES_PER_CONNECTION

    def rest(self) -> None:
        """Close it after a while unless it is taken up again."""
        self.closing = asyncio.get_running_loop().call_later(IDLE_SECONDS, self.client.close)

    def take_up(self) -> None:
        """Use it again."""
        if self.closing is not None:
            self.closing.cancel()
            self.closing = None

    def close(self) -> None:
        """Give it up."""
        self.take_up()
        self.client.close()


class SmtpSender:
    """A pool of connections to one server."""

    def __init__(self, config: SmtpConfig, outside: Outside) -> None:
        self._config = config
        self._outside = outside
        self._slots = asyncio.Semaphore(CONNECTIONS)
        self._idle: list[_Connection] = []
        self._closed = False

    async def send(self, outgoing: Outgoing, handing_over: HandingOver) -> Receipt:
        """Give one message to the server; `handing_over` is awaited right before DATA."""
        async with self._slots:
            connection = await self._with_envelope(outgoing)
            healthy = False
            try:
                await handing_over()
                receipt = await _data(connection, outgoing.raw)
                healthy = True
            except SendFailure as failure:
                healthy = not failure.ambiguous and await _reset(connection)
                raise
            except Exception:
                healthy = await _reset(connection)
                raise
            finally:
                self._give_back(connection, healthy=healthy)
            return receipt

    async def close(self) -> None:
        """Take no connection back any more and close those at rest."""
        self._closed = True
        while self._idle:
            connection = self._idle.pop()
            connection.take_up()
            with suppress(aiosmtplib.SMTPException, OSError):
                await connection.client.quit(timeout=2)
            connection.close()

    async def _with_envelope(self, outgoing: Outgoing) -> _Connection:
        """A connection over which the server has heard sender and recipients; a stale one is replaced."""
        while self._idle:
            connection = self._idle.pop()
            connection.take_up()
            if not connection.usable:
                connection.close()
                continue
            try:
                await self._envelope(connection, outgoing)
            except Unavailable:
                if connection.client.is_connected:
                    raise
                continue
            return connection
        connection = await self._connect()
        await self._envelope(connection, outgoing)
        return connection

    async def _envelope(self, connection: _Connection, outgoing: Outgoing) -> None:
        stage: Stage = "mail"
        try:
            await connection.client.mail(outgoing.sender, timeout=ANSWER_SECONDS)
            stage = "rcpt"
            first, *copies = outgoing.recipients
            await connection.client.rcpt(first, timeout=ANSWER_SECONDS)
            for copy in copies:
                with suppress(aiosmtplib.SMTPRecipientRefused):
                    await connection.client.rcpt(copy, timeout=ANSWER_SECONDS)
        except aiosmtplib.SMTPResponseException as error:
            failure = classify(stage, error.code, error.message)
            self._give_back(connection, healthy=error.code != 421 and await _reset(connection))
            raise failure from None
        except (aiosmtplib.SMTPException, OSError) as error:
            connection.close()
            raise Unavailable(_lost(error)) from None
        except BaseException:
            connection.close()
            raise

    async def _connect(self) -> _Connection:
        config = self._config
        implicit = config.port == IMPLICIT_TLS_PORT
        client = aiosmtplib.SMTP(
            hostname=config.host,
            port=config.port,
            username=config.username,
            password=self._password(),
            local_hostname=_own_name(),
            timeout=CONNECT_SECONDS,
            use_tls=implicit,
            start_tls=False if implicit else (True if config.require_tls else None),
            tls_context=self._trust,
        )
        try:
            await client.connect()
        except aiosmtplib.SMTPAuthenticationError as error:
            raise classify("auth", error.code, error.message) from None
        except aiosmtplib.SMTPResponseException as error:
            raise classify("connect", error.code, error.message) from None
        except aiosmtplib.SMTPNotSupported as error:
            raise Refused(f"The server does not offer what is required: {error.message}") from None
        except (aiosmtplib.SMTPException, OSError) as error:
            raise Unavailable(_lost(error)) from None
        return _Connection(client)

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
        if healthy and connection.usable and not self._closed:
            connection.rest()
            self._idle.append(connection)
        else:
            connection.close()


async def _data(connection: _Connection, raw: bytes) -> Receipt:
    """Hand the message itself over; a connection that breaks here leaves open whether it was taken."""
    connection.carried += 1
    try:
        response = await connection.client.data(raw, timeout=ANSWER_SECONDS)
    except aiosmtplib.SMTPResponseException as error:
        raise classify("data", error.code, error.message) from None
    except (aiosmtplib.SMTPException, OSError) as error:
        raise Unavailable(_lost(error), ambiguous=True) from None
    return Receipt(answer_text(response.code, response.message))


async def _reset(connection: _Connection) -> bool:
    """Forget the envelope; whether the connection is good for another message."""
    try:
        await connection.client.rset(timeout=ANSWER_SECONDS)
    except (aiosmtplib.SMTPException, OSError):
        return False
    return True


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
