"""SMTP against a real server: TLS, pooling, every kind of refusal, and connections that break (MSG-26, SUB-21)."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from channels.base import Outgoing, Outside, Receipt, Refused, Throttled, Unavailable, Undeliverable
from channels.smtp import CONNECTIONS, SmtpChannel, SmtpSender
from channels.smtp_replies import classify
from domain.captured import CapturedMail, Taken
from domain.definitions.provider import SmtpConfig
from stack.sink import Behaviour, SmtpSink
from stack.tls import Certificates, ensure_certificates

RAW = b"Subject: Hi\r\n\r\n.hidden\r\nGr\xc3\xbc\xc3\x9fe\r\n"
MESSAGE = Outgoing(
    workspace_id=1,
    key="d1",
    attempt=1,
    purpose="delivery",
    channel="email",
    sender="team@example.com",
    recipients=("ann@example.com",),
    raw=RAW,
    at=datetime(2026, 1, 1, tzinfo=UTC),
)


class NoMailbox:
    async def take(self, mail: CapturedMail) -> Taken:
        raise AssertionError(mail)


@dataclass
class Server:
    sink: SmtpSink
    sender: SmtpSender
    received: list[tuple[bytes, str, list[str]]] = field(default_factory=list)
    handed_over: int = 0

    async def hand_over(self) -> None:
        self.handed_over += 1

    async def send(self, message: Outgoing = MESSAGE) -> Receipt:
        return await self.sender.send(message, self.hand_over)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return ensure_certificates(tmp_path_factory.mktemp("tls"))


def outside(certificates: Certificates | None) -> Outside:
    trust = None if certificates is None else ssl.create_default_context(cafile=certificates.ca_file)
    return Outside(NoMailbox(), {"PASSWORD": "secret"}, trust)


@asynccontextmanager
async def running(
    certificates: Certificates | None = None, *, trusted: Certificates | None = None, **config: object
) -> AsyncIterator[Server]:
    received: list[tuple[bytes, str, list[str]]] = []

    async def keep(raw: bytes, sender: str, recipients: list[str]) -> None:
        received.append((raw, sender, recipients))

    sink = SmtpSink(0, tls=certificates.server_context() if certificates else None, on_message=keep)
    await sink.start()
    options = SmtpConfig.model_validate({"host": "127.0.0.1", "port": sink.port, "require_tls": False, **config})
    sender = SmtpChannel().open(options, outside(trusted or certificates))
    try:
        yield Server(sink, sender, received)
    finally:
        await sender.close()
        await sink.stop()


async def test_a_message_arrives_as_it_was_given_and_connections_are_used_again() -> None:
    async with running() as server:
        receipts = [await server.send() for _ in range(3)]
        assert [receipt.answer for receipt in receipts] == ["250 2.0.0 Taken"] * 3
        assert server.received == [(RAW, "team@example.com", ["ann@example.com"])] * 3
        assert server.sink.counts["connections"] == 1
        assert server.handed_over == 3


async def test_many_at_once_share_a_bounded_pool() -> None:
    async with running() as server:
        await asyncio.gather(*(server.send() for _ in range(60)))
        assert len(server.received) == 60
        assert 1 < server.sink.counts["connections"] <= CONNECTIONS


async def test_starttls_is_used_and_checked(certificates: Certificates, tmp_path: Path) -> None:
    async with running(certificates, require_tls=True) as server:
        await server.send()
        assert server.sink.counts["tls"] == 1
    async with running(certificates) as server:
        await server.send()
        assert server.sink.counts["tls"] == 1, "offered encryption is taken even where it is not required"
    strangers = ensure_certificates(tmp_path)
    async with running(certificates, trusted=strangers, require_tls=True) as server:
        with pytest.raises(Unavailable):
            await server.send()
        assert server.received == []
        assert server.handed_over == 0


async def test_without_encryption_nothing_leaves_where_it_is_required() -> None:
    async with running(require_tls=True) as server:
        with pytest.raises(Unavailable, match="STARTTLS"):
            await server.send()
        assert server.received == []


async def test_copies_travel_with_the_message_and_cannot_make_it_fail() -> None:
    async with running() as server:
        message = replace(MESSAGE, recipients=("ann@example.com", "bad@example.com", "crm@example.com"))
        server.sink.behaviours = [Behaviour("rcpt", "550 5.1.1 No such user", to="bad@example.com")]
        await server.send(message)
        assert server.received[0][2] == ["ann@example.com", "crm@example.com"]


@pytest.mark.parametrize(
    ("stage", "reply", "failure", "soft"),
    [
        ("mail", "451 4.3.0 Try later", Unavailable, None),
        ("mail", "550 5.7.1 Sender not allowed", Refused, None),
        ("rcpt", "550 5.1.1 No such user", Undeliverable, False),
        ("rcpt", "452 4.2.2 Mailbox full", Undeliverable, True),
        ("rcpt", "450 4.7.1 Client host blocked using Spamhaus", Undeliverable, False),
        ("rcpt", "554 5.7.1 Relay access denied", Refused, None),
        ("rcpt", "421 4.3.2 Shutting down", Throttled, None),
        ("data", "554 5.6.0 Message refused", Undeliverable, False),
        ("data", "451 4.3.0 Local error", Undeliverable, True),
        ("data", "450 4.7.28 Rate limit exceeded", Throttled, None),
    ],
)
async def test_each_refusal_is_one_of_four_and_the_next_message_goes_out(
    stage: str, reply: str, failure: type, soft: bool | None
) -> None:
    async with running() as server:
        server.sink.behaviours = [Behaviour(stage, reply)]  # type: ignore[arg-type]
        with pytest.raises(failure) as caught:
            await server.send()
        assert type(caught.value) is failure
        assert caught.value.answer == reply
        assert not caught.value.ambiguous
        assert soft is None or caught.value.soft is soft
        assert server.handed_over == (1 if stage == "data" else 0)
        await server.send()
        assert len(server.received) == 1


async def test_a_connection_that_breaks_before_data_leaves_no_doubt_and_after_it_does() -> None:
    async with running() as server:
        await server.send()
        server.sink.drop_after_data = 1
        with pytest.raises(Unavailable) as caught:
            await server.send()
        assert caught.value.ambiguous
        assert len(server.received) == 2
    with pytest.raises(Unavailable) as caught:
        await server.send()
    assert not caught.value.ambiguous
    assert server.handed_over == 2


async def test_a_stale_connection_is_replaced_unnoticed() -> None:
    async with running() as server:
        await server.send()
        port = server.sink.port
        await server.sink.stop()
        server.sink.port = port
        await server.sink.start()
        await server.send()
        assert len(server.received) == 2


async def test_a_connection_told_to_go_is_replaced_unnoticed() -> None:
    async with running() as server:
        await server.send()
        server.sink.behaviours = [Behaviour("mail", "421 4.4.2 Idle for too long")]
        await server.send()
        assert server.sink.counts["connections"] == 2


async def test_a_claim_that_fails_sends_nothing_and_spoils_nothing() -> None:
    async with running() as server:

        async def taken_by_another() -> None:
            raise RuntimeError("somebody else has it")

        with pytest.raises(RuntimeError):
            await server.sender.send(MESSAGE, taken_by_another)
        await server.send()
        assert len(server.received) == 1


async def test_a_secret_that_is_not_there_is_a_refusal() -> None:
    async with running(username="u", password={"secret": "NOT_THERE"}) as server:
        with pytest.raises(Refused, match="NOT_THERE"):
            await server.send()


def test_credentials_are_no_bounce() -> None:
    assert isinstance(classify("auth", 535, "5.7.8 Authentication credentials invalid"), Refused)
    assert isinstance(classify("auth", 454, "4.7.0 Temporary authentication failure"), Unavailable)
    assert isinstance(classify("rcpt", 530, "5.7.0 Must issue a STARTTLS command first"), Refused)
    assert isinstance(classify("connect", 554, "No service"), Refused)
    assert isinstance(classify("connect", 421, "Busy"), Unavailable)


def test_addresses() -> None:
    assert SmtpChannel().normalise("ann@bücher.example") == "ann@xn--bcher-kva.example"
    with pytest.raises(Undeliverable):
        SmtpChannel().normalise("nobody")
