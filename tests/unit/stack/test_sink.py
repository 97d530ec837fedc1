"""The SMTP sink, spoken to by the SMTP client that the product uses."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from typing import TYPE_CHECKING

import aiosmtplib
import pytest

from stack.sink import Behaviour, SmtpSink
from stack.tls import ensure_certificates

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

RAW = b"From: a@example.com\r\nTo: ann@example.com\r\nSubject: =?utf-8?q?gr=C3=BC=C3=9F?=\r\n\r\n.dot\r\nend\r\n"
Message = tuple[bytes, str, list[str]]


@contextlib.asynccontextmanager
async def conversation(
    folder: Path, kept: list[Message], tls: bool = True
) -> AsyncIterator[tuple[SmtpSink, aiosmtplib.SMTP]]:
    async def keep(raw: bytes, mail_from: str, recipients: list[str]) -> None:
        kept.append((raw, mail_from, recipients))

    made = ensure_certificates(folder)
    sink = SmtpSink(0, tls=made.server_context(), on_message=keep)
    await sink.start()
    trust = ssl.create_default_context(cafile=str(made.ca_file))
    client = aiosmtplib.SMTP(
        hostname="127.0.0.1", port=sink.port, start_tls=tls, tls_context=trust if tls else None, timeout=5
    )
    try:
        await client.connect()
        yield sink, client
    finally:
        client.close()
        await sink.stop()


@pytest.mark.parametrize("tls", [True, False])
async def test_a_message_arrives_byte_for_byte(tmp_path: Path, tls: bool) -> None:
    kept: list[Message] = []
    async with conversation(tmp_path, kept, tls) as (sink, client):
        await client.sendmail("a@example.com", ["ann@example.com", "bob@example.com"], RAW)
        await client.sendmail("a@example.com", ["ann@example.com"], RAW)
        await client.quit()
        assert kept == [
            (RAW, "a@example.com", ["ann@example.com", "bob@example.com"]),
            (RAW, "a@example.com", ["ann@example.com"]),
        ]
        assert sink.counts == {"connections": 1, "accepted": 2} | ({"tls": 1} if tls else {})


@pytest.mark.parametrize(
    ("stage", "reply"),
    [("mail", "452 4.3.1 full"), ("rcpt", "550 5.1.1 nobody"), ("data", "554 5.7.1 spam")],
)
async def test_it_refuses_on_demand_so_many_times(tmp_path: Path, stage: str, reply: str) -> None:
    kept: list[Message] = []
    async with conversation(tmp_path, kept) as (sink, client):
        sink.behaviours.append(Behaviour(stage, reply, times=2))
        for _ in range(2):
            with pytest.raises(aiosmtplib.SMTPException) as refused:
                await client.sendmail("a@example.com", ["ann@example.com"], RAW)
            assert reply[:3] in repr(refused.value)
        await client.sendmail("a@example.com", ["ann@example.com"], RAW)
        assert (len(kept), sink.counts["refused"], sink.counts["accepted"]) == (1, 2, 1)


async def test_it_refuses_one_recipient_and_takes_the_others(tmp_path: Path) -> None:
    kept: list[Message] = []
    async with conversation(tmp_path, kept) as (sink, client):
        sink.behaviours.append(Behaviour("rcpt", "451 4.3.0 later", to="bob@example.com"))
        refused, _ = await client.sendmail("a@example.com", ["ann@example.com", "bob@example.com"], RAW)
        assert list(refused) == ["bob@example.com"]
        assert [message[2] for message in kept] == [["ann@example.com"]]


async def test_it_can_take_a_message_and_never_say_so(tmp_path: Path) -> None:
    kept: list[Message] = []
    async with conversation(tmp_path, kept) as (sink, client):
        sink.drop_after_data = 1
        with pytest.raises(aiosmtplib.SMTPServerDisconnected):
            await client.sendmail("a@example.com", ["ann@example.com"], RAW)
        await client.connect()
        await client.sendmail("a@example.com", ["ann@example.com"], RAW)
        assert (len(kept), sink.counts["dropped"], sink.counts["accepted"]) == (2, 1, 1)


async def test_a_slow_answer_comes(tmp_path: Path) -> None:
    kept: list[Message] = []
    async with conversation(tmp_path, kept) as (sink, client):
        sink.delay = 0.2
        with pytest.raises(aiosmtplib.SMTPReadTimeoutError):
            await client.sendmail("a@example.com", ["ann@example.com"], RAW, timeout=0.05)
        sink.delay = 0.0
        await client.connect()
        await client.sendmail("a@example.com", ["ann@example.com"], RAW)
        assert sink.counts["accepted"] >= 1


async def test_a_message_that_cannot_be_stored_is_not_accepted(tmp_path: Path) -> None:
    async def broken(*_message: object) -> None:
        raise ConnectionError("database away")

    sink = SmtpSink(0, on_message=broken)
    await sink.start()
    client = aiosmtplib.SMTP(hostname="127.0.0.1", port=sink.port, start_tls=False)
    await client.connect()
    with pytest.raises(aiosmtplib.SMTPDataError, match="could not be stored"):
        await client.sendmail("a@example.com", ["ann@example.com"], RAW)
    client.close()
    await sink.stop()
    assert sink.counts["failed"] == 1


async def test_stopping_closes_every_conversation(tmp_path: Path) -> None:
    async with conversation(tmp_path, []) as (sink, client):
        await sink.stop()
        refused = asyncio.open_connection("127.0.0.1", sink.port)
        with pytest.raises(ConnectionRefusedError):
            await refused
        with pytest.raises(aiosmtplib.SMTPServerDisconnected):
            await client.noop(timeout=5)
