"""SMTP servers that go away in the middle of what they are told at once, and what of it is certain (MSG-26, SUB-21)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from channels.base import Outside, SendFailure, Unavailable, Undeliverable
from channels.smtp import SmtpChannel, SmtpSender
from domain.definitions.provider import SmtpConfig
from tests.unit.channels.test_smtp import MESSAGE, NoMailbox

UNKNOWN = "550 5.1.1 No such user"


@asynccontextmanager
async def server(*answers: str, patient: bool = False) -> AsyncIterator[SmtpSender]:
    """A server with PIPELINING that answers an envelope with these lines and is gone, after a message where it is patient."""

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 here\r\n")
        while (line := await reader.readline()) not in (b"DATA\r\n", b""):
            if line.startswith(b"EHLO"):
                writer.write(b"250-here\r\n250 PIPELINING\r\n")
        writer.write("".join(f"{answer}\r\n" for answer in answers).encode())
        await writer.drain()
        if patient:
            await reader.readline()
        writer.close()

    listener = await asyncio.start_server(converse, "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    options = SmtpConfig.model_validate({"host": "127.0.0.1", "port": port, "require_tls": False})
    sender = SmtpChannel().open(options, Outside(NoMailbox(), {}, None))
    try:
        yield sender
    finally:
        await sender.close()
        listener.close()
        await listener.wait_closed()


async def failed(sender: SmtpSender) -> tuple[SendFailure, bool]:
    """How a message has failed, and whether it was about to leave."""
    handed = False

    async def hand_over() -> None:
        nonlocal handed
        handed = True

    with pytest.raises(SendFailure) as caught:
        await sender.send(MESSAGE, hand_over)
    return caught.value, handed


@pytest.mark.parametrize(
    ("answers", "patient"),
    [
        (("250 OK", UNKNOWN), False),
        (("250 OK", UNKNOWN, "421 4.7.0 Too many errors"), False),
        (("250 OK", UNKNOWN, "354 Go on"), False),
        (("250 OK", UNKNOWN, "354 Go on"), True),
    ],
)
async def test_a_recipient_that_was_refused_is_one_although_the_server_goes_away_then(
    answers: tuple[str, ...], patient: bool
) -> None:
    async with server(*answers, patient=patient) as sender:
        failure, handed = await failed(sender)
        assert isinstance(failure, Undeliverable)
        assert (failure.answer, failure.soft, handed) == (UNKNOWN, False, False)


@pytest.mark.parametrize(
    "answers", [(), ("250 OK",), ("250 OK", "250 OK"), ("250 OK", "250 OK", "421 4.4.2 Going down")]
)
async def test_what_was_cut_off_before_the_message_leaves_no_doubt(answers: tuple[str, ...]) -> None:
    async with server(*answers) as sender:
        failure, handed = await failed(sender)
        assert isinstance(failure, Unavailable)
        assert (failure.ambiguous, handed) == (False, False)


async def test_what_was_cut_off_after_it_leaves_one() -> None:
    async with server("250 OK", "250 OK", "354 Go on", patient=True) as sender:
        failure, handed = await failed(sender)
        assert isinstance(failure, Unavailable)
        assert (failure.ambiguous, handed) == (True, True)
