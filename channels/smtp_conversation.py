"""What is said to an SMTP server for each message, in as few round trips as it allows (RFC 2920).

aiosmtplib connects, encrypts and logs in; from then on this protocol has the transport to itself. Where the server offers
PIPELINING, MAIL, RCPT and DATA leave in one write and their replies are read together; else one after the other.
"""

from __future__ import annotations

import asyncio
import re
from collections import deque
from collections.abc import Sequence
from typing import Final, NamedTuple, cast

import aiosmtplib

from channels.base import SendFailure, Unavailable
from channels.smtp_replies import Stage, classify

START_INPUT: Final = 354
CLOSING: Final = 421
LONGEST_REPLY: Final = 32_768
_CONTROL: Final = re.compile(r"[\x00-\x20\x7f<>]")
_LINE_ENDS: Final = re.compile(rb"\r\n|\n|\r")
_DOTS: Final = re.compile(rb"(?m)^\.")


class Reply(NamedTuple):
    """One reply of the server, its lines joined."""

    code: int
    text: str

    @property
    def good(self) -> bool:
        """Whether the command was done."""
        return self.code // 100 == 2


class Lost(Exception):
    """The connection is gone, or the server says what is no SMTP."""


class Conversation(asyncio.Protocol):
    """One connection to a server that is ready for messages."""

    def __init__(self, transport: asyncio.Transport, *, pipelining: bool) -> None:
        self._transport = transport
        self._pipelining = pipelining
        self._buffer = bytearray()
        self._lines: list[str] = []
        self._replies: deque[Reply] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._lost: str | None = None

    @classmethod
    def take_over(cls, client: aiosmtplib.SMTP) -> Conversation:
        """The connection of a client that has connected; it is the client's no more."""
        transport = cast("asyncio.Transport", client.transport)
        conversation = cls(transport, pipelining=client.supports_extension("pipelining"))
        transport.set_protocol(conversation)
        return conversation

    @property
    def open(self) -> bool:
        """Whether another message may be begun: the connection stands, and the server has said nothing unasked."""
        return self._lost is None and not self._transport.is_closing() and not self._replies and not self._buffer

    async def begin(self, sender: str, recipients: Sequence[str], seconds: float) -> None:
        """Bring the server to where it takes the message; raises the SendFailure that its answer means.

        The first recipient must be taken; the others need not be. After a failure the connection is good for `reset`.
        """
        mail = _command("MAIL FROM:", sender)
        rcpts = [_command("RCPT TO:", recipient) for recipient in recipients]
        try:
            async with asyncio.timeout(seconds):
                if self._pipelining:
                    await self._begin_at_once(mail, rcpts)
                else:
                    await self._begin_in_turn(mail, rcpts)
        except TimeoutError:
            self.close()
            raise Unavailable("The connection failed: the server does not answer") from None
        except Lost as lost:
            self.close()
            raise Unavailable(f"The connection failed: {lost}") from None

    async def finish(self, raw: bytes, seconds: float) -> Reply:
        """Give the message itself and the end of it, and read the answer; raises Lost where there is none.

        Where the connection was lost before, so that nothing was given, that is certain: it raises Unavailable.
        """
        try:
            self._write(dotted(raw))
        except Lost as lost:
            raise Unavailable(f"The connection failed: {lost}") from None
        try:
            async with asyncio.timeout(seconds):
                return await self._reply()
        except TimeoutError:
            self.close()
            raise Lost("the server does not answer") from None

    async def reset(self, seconds: float) -> bool:
        """Forget the envelope; whether the connection is good for another message."""
        return await self._simply("RSET", seconds)

    async def quit(self, seconds: float) -> None:
        """Part politely."""
        await self._simply("QUIT", seconds)

    def close(self) -> None:
        """Give the connection up."""
        self._transport.close()

    async def _simply(self, command: str, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                self._write(f"{command}\r\n".encode())
                return (await self._reply()).good
        except (TimeoutError, Lost):
            return False

    async def _begin_at_once(self, mail: bytes, rcpts: Sequence[bytes]) -> None:
        self._write(b"".join((mail, *rcpts, b"DATA\r\n")))
        sender, first = await self._reply(), await self._reply()
        failure = _failure(("mail", sender), ("rcpt", first))
        if failure is not None:
            await self._give_up(len(rcpts) - 1)
            raise failure
        for _ in rcpts[1:]:
            await self._reply()
        data = await self._reply()
        if data.code != START_INPUT:
            raise classify("data", data.code, data.text)

    async def _give_up(self, copies: int) -> None:
        """Read on to where another message can begin, after a refusal that holds whatever the server says or does further."""
        try:
            taken = [await self._reply() for _ in range(copies)]
            if (await self._reply()).code != START_INPUT:
                return
            # It wants a message although it has refused the sender or the recipient: an empty one goes nowhere, unless a copy
            # was taken.
            if any(copy.good for copy in taken):
                self.close()
            else:
                self._write(b".\r\n")
                await self._reply()
        except Lost:
            self.close()

    async def _begin_in_turn(self, mail: bytes, rcpts: Sequence[bytes]) -> None:
        for number, (stage, command) in enumerate([("mail", mail), *(("rcpt", rcpt) for rcpt in rcpts)]):
            self._write(command)
            reply = await self._reply()
            failure = _failure((cast("Stage", stage), reply)) if number <= 1 or reply.code == CLOSING else None
            if failure is not None:
                raise failure
        self._write(b"DATA\r\n")
        data = await self._reply()
        if data.code != START_INPUT:
            raise classify("data", data.code, data.text)

    def _write(self, data: bytes) -> None:
        if self._lost is not None or self._transport.is_closing():
            raise Lost(self._lost or "it was closed")
        self._transport.write(data)

    async def _reply(self) -> Reply:
        while not self._replies:
            if self._lost is not None:
                raise Lost(self._lost)
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        return self._replies.popleft()

    def data_received(self, data: bytes) -> None:
        """Take in what the server says, reply by reply."""
        self._buffer += data
        while (end := self._buffer.find(b"\n")) >= 0:
            line = bytes(self._buffer[:end]).rstrip(b"\r")
            del self._buffer[: end + 1]
            if not line[:3].isdigit():
                self._break(f"the server said {line[:60].decode(errors='replace')!r}")
                return
            self._lines.append(line[4:].decode(errors="replace").strip())
            if line[3:4] != b"-":
                self._replies.append(Reply(int(line[:3]), "\n".join(self._lines)))
                self._lines = []
                self._wake()
        if len(self._buffer) + sum(map(len, self._lines)) > LONGEST_REPLY:
            self._break("the server said too much")

    def connection_lost(self, error: Exception | None) -> None:
        """The connection is gone."""
        self._lost = self._lost or " ".join(str(error or "").split()) or "the server closed it"
        self._wake()

    def _break(self, why: str) -> None:
        self._lost = why
        self._transport.close()
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


def dotted(raw: bytes) -> bytes:
    """A message as it goes over the wire: lines that end as they must, dots at their beginning doubled, and its end."""
    ends = raw.count(b"\n")
    if raw.count(b"\r\n") != ends or raw.count(b"\r") != ends:
        raw = _LINE_ENDS.sub(b"\r\n", raw)
    if raw.startswith(b".") or b"\n." in raw:
        raw = _DOTS.sub(b"..", raw)
    return raw + (b".\r\n" if raw.endswith(b"\r\n") else b"\r\n.\r\n")


def _failure(*replies: tuple[Stage, Reply]) -> SendFailure | None:
    """What the first reply means that is none of success."""
    return next((classify(stage, reply.code, reply.text) for stage, reply in replies if not reply.good), None)


def _command(verb: str, address: str) -> bytes:
    if not address.isascii() or _CONTROL.search(address):
        raise ValueError("an address that cannot stand in an envelope")
    return f"{verb}<{address}>\r\n".encode("ascii")


__all__ = ["CLOSING", "Conversation", "Lost", "Reply", "dotted"]
