"""SMTP servers of every sort: how they are encrypted, how they are spoken to, and what is told of one that is away."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from channels.base import Outside, Refused, SendFailure, Unavailable, Undeliverable
from channels.smtp import SmtpChannel, SmtpSender
from channels.smtp_conversation import dotted
from domain.definitions.provider import SmtpConfig
from stack.tls import Certificates, ensure_certificates
from tests.support.smtp_server import SmtpServer
from tests.unit.channels.test_smtp import MESSAGE, RAW, NoMailbox


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return ensure_certificates(tmp_path_factory.mktemp("tls"))


@asynccontextmanager
async def sending(server: SmtpServer, trusted: Certificates | None = None, **config: Any) -> AsyncIterator[SmtpSender]:
    trust = None if trusted is None else ssl.create_default_context(cafile=trusted.ca_file)
    options = {"host": "127.0.0.1", "port": server.port, "require_tls": False, **config}
    sender = SmtpChannel().open(SmtpConfig.model_validate(options), Outside(NoMailbox(), {}, trust))
    try:
        yield sender
    finally:
        await sender.close()


async def nothing() -> None:
    """Nothing to note."""


@pytest.mark.parametrize("pipelining", [False, True])
async def test_messages_one_after_the_other_over_one_connection(pipelining: bool) -> None:
    async with SmtpServer(pipelining=pipelining) as server, sending(server) as sender:
        for _ in range(3):
            receipt = await sender.send(MESSAGE, nothing)
            assert receipt.answer == "250 2.0.0 Taken"
        assert server.taken == [(RAW, ["ann@example.com"])] * 3
        assert server.connections == 1
        envelope = b"MAIL FROM:<team@example.com>\r\nRCPT TO:<ann@example.com>\r\nDATA\r\n"
        assert (envelope in server.read) is pipelining


@pytest.mark.parametrize("pipelining", [False, True])
async def test_a_refused_recipient_sends_nothing_and_a_refused_copy_only_itself(pipelining: bool) -> None:
    unknown = frozenset({"gone@example.com"})
    handed: list[str] = []

    async def hand_over() -> None:
        handed.append("now")

    async with SmtpServer(pipelining=pipelining, refused=unknown) as server, sending(server) as sender:
        with pytest.raises(Undeliverable) as caught:
            await sender.send(replace(MESSAGE, recipients=("gone@example.com",)), hand_over)
        assert caught.value.answer == "550 5.1.1 No such user"
        with pytest.raises(Undeliverable):
            # Only the copy was taken: it must not go out alone.
            await sender.send(replace(MESSAGE, recipients=("gone@example.com", "crm@example.com")), hand_over)
        assert handed == []
        assert server.taken == []
        await sender.send(replace(MESSAGE, recipients=("ann@example.com", "gone@example.com")), hand_over)
        assert [recipients for _, recipients in server.taken] == [["ann@example.com"]]
        assert not caught.value.of_server


async def test_a_claim_that_fails_while_the_server_waits_sends_nothing() -> None:
    async def taken_by_another() -> None:
        raise RuntimeError("somebody else has it")

    async with SmtpServer(pipelining=True) as server, sending(server) as sender:
        with pytest.raises(RuntimeError):
            await sender.send(MESSAGE, taken_by_another)
        await sender.send(MESSAGE, nothing)
        assert len(server.taken) == 1


async def test_encryption_from_the_first_byte(certificates: Certificates, tmp_path: Path) -> None:
    server = SmtpServer(tls=certificates.server_context(), implicit=True)
    async with server:
        async with sending(server, certificates, tls="implicit", require_tls=True) as sender:
            await sender.send(MESSAGE, nothing)
        assert len(server.taken) == 1
        strangers = ensure_certificates(tmp_path)
        async with sending(server, strangers, tls="implicit") as sender:
            with pytest.raises(Unavailable) as caught:
                await sender.send(MESSAGE, nothing)
        assert caught.value.of_server
        assert len(server.taken) == 1


async def test_port_465_is_encrypted_from_the_first_byte(
    monkeypatch: pytest.MonkeyPatch, certificates: Certificates
) -> None:
    async with SmtpServer(tls=certificates.server_context(), implicit=True) as server:
        monkeypatch.setattr("channels.smtp.IMPLICIT_TLS_PORT", server.port)
        async with sending(server, certificates, require_tls=True) as sender:
            await sender.send(MESSAGE, nothing)
        assert len(server.taken) == 1


async def test_starttls_and_a_login(certificates: Certificates) -> None:
    server = SmtpServer(tls=certificates.server_context(), password="secret", pipelining=True)
    async with server:
        async with sending(server, certificates, require_tls=True, username="u", password="secret") as sender:
            await asyncio.gather(*(sender.send(MESSAGE, nothing) for _ in range(20)))
        assert len(server.taken) == 20
        assert set(server.logins) == {"u"}
        async with sending(server, certificates, require_tls=True, username="u", password="wrong") as sender:
            with pytest.raises(Refused) as caught:
                await sender.send(MESSAGE, nothing)
        assert caught.value.of_server


@pytest.mark.parametrize("greeting", ["421 4.3.2 Busy", "451 4.3.0 Not now", "554 5.3.2 No service", None])
async def test_a_server_that_is_away_says_so_of_itself_and_a_probe_finds_it_back(greeting: str | None) -> None:
    server = SmtpServer(greeting=greeting)
    async with server, sending(server) as sender:
        if greeting is None:
            await server.stop()
        for attempt in (sender.probe(), sender.send(MESSAGE, nothing)):
            with pytest.raises(SendFailure) as caught:
                await attempt
            assert caught.value.of_server
        server.greeting = None
        if greeting is None:
            await server.start()
        before = server.connections
        await sender.probe()
        await sender.send(MESSAGE, nothing)
        assert (server.connections - before, len(server.taken)) == (1, 1)


async def test_no_further_connection_while_others_stand_is_no_outage() -> None:
    async with SmtpServer() as server, sending(server) as sender:
        release = asyncio.Event()
        begun = asyncio.Event()

        async def hold() -> None:
            begun.set()
            await release.wait()

        first = asyncio.create_task(sender.send(MESSAGE, hold))
        await begun.wait()
        server.greeting = "421 4.7.0 Too many connections"
        with pytest.raises(SendFailure) as caught:
            await sender.send(MESSAGE, nothing)
        assert not caught.value.of_server
        server.greeting = None
        release.set()
        await first


async def test_a_server_that_talks_nonsense_is_away() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 hello\r\n")
        while line := await reader.readline():
            writer.write(b"250 fine\r\n" if line.startswith(b"EHLO") else b"what?\r\n")
        writer.close()

    listener = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with listener, sending(SmtpServer(port=listener.sockets[0].getsockname()[1])) as sender:
        with pytest.raises(Unavailable, match="what") as caught:
            await sender.send(MESSAGE, nothing)
        assert not caught.value.ambiguous


def test_what_goes_over_the_wire() -> None:
    assert dotted(b"a\r\n.b\r\n") == b"a\r\n..b\r\n.\r\n"
    assert dotted(b".a\nb\rc") == b"..a\r\nb\r\nc\r\n.\r\n"
    assert dotted(b"") == b"\r\n.\r\n"
