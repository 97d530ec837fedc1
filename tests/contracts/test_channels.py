"""What holds for every channel: it sends, it fails in one of four ways, it claims before it hands over."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from channels import CAPTURE, CHANNELS, Channels
from channels.base import HttpCall, Outgoing, Outside, Refused, SendFailure, Throttled, Unavailable, Undeliverable
from domain.captured import FaultRule
from domain.definitions.provider import ProviderDefinition
from services.captures import CaptureMailbox
from stack.sink import Behaviour, SmtpSink
from store import mailbox
from store.database import Database
from tests.services.test_webhooks_live import Endpoint, endpoint, http
from tests.support.database import Room

KINDS = sorted(CHANNELS)
FAILURES = (Undeliverable, Refused, Throttled, Unavailable)
_REPLIES = {
    Undeliverable: ("rcpt", "550 5.1.1 No such user"),
    Refused: ("mail", "550 5.7.1 Not you"),
    Throttled: ("data", "450 4.7.28 Rate limit exceeded"),
    Unavailable: ("mail", "451 4.3.0 Try later"),
}
_SLACK = {
    Refused: http(body=b'{"ok":false,"error":"not_in_channel"}'),
    Throttled: http("429 Too Many Requests", b"", Retry_After="3"),
    Unavailable: http("503 Service Unavailable", b""),
}
_NEVER = {("slack", Undeliverable)}
"""Slack tells nobody that a member is gone for good."""
_RULES: dict[type, dict[str, Any]] = {
    Undeliverable: {"outcome": "hard_bounce"},
    Refused: {"outcome": "reject"},
    Throttled: {"outcome": "http_status", "status": 429},
    Unavailable: {"outcome": "timeout"},
}


@dataclass
class Provider:
    """A real provider of one kind that can be told to fail once, and what it has received."""

    definition: ProviderDefinition
    room: Room
    sink: SmtpSink
    slack: Endpoint
    taken: list[bytes] = field(default_factory=list)
    refused: int = 0

    @property
    def outside(self) -> Outside:
        tls = ssl.create_default_context()
        return Outside(CaptureMailbox(self.room.db), tls=tls, allow_private=True, slack_url=self.slack.url)

    def message(self, key: str = "d1") -> Outgoing:
        one = message(self.room, key)
        if self.definition.provider != "slack":
            return one
        return replace(one, channel="slack", call=HttpCall("POST", "https://slack.com/api", (), one.raw, "Slack"))

    async def fail_once(self, failure: type[SendFailure]) -> None:
        if self.definition.provider == "smtp":
            stage, reply = _REPLIES[failure]
            self.sink.behaviours = [Behaviour(stage, reply)]  # type: ignore[arg-type]
        elif self.definition.provider == "slack":
            self.slack.answers.insert(0, _SLACK[failure])
            self.refused += 1
        else:
            rule = FaultRule.model_validate({"channel": "email", "times": 1, **_RULES[failure]})
            async with self.room.db.transaction() as conn:
                await mailbox.replace_faults(conn, self.room.workspace_id, [rule])

    async def received(self) -> list[bytes]:
        if self.definition.provider == "smtp":
            return self.taken
        if self.definition.provider == "slack":
            return [asked.body for asked in self.slack.asked[self.refused :]]
        query = "SELECT raw FROM mailbox WHERE workspace_id = $1 AND outcome = 'accepted' ORDER BY captured_id"
        return [row["raw"] for row in await self.room.rows(query)]


@asynccontextmanager
async def provider(kind: str, room: Room) -> AsyncIterator[Provider]:
    taken: list[bytes] = []

    async def keep(raw: bytes, _sender: str, _recipients: list[str]) -> None:
        taken.append(raw)

    sink = SmtpSink(0, on_message=keep)
    await sink.start()
    document: dict[str, Any] = {"kind": "provider", "key": "p", "channel": "email", "provider": kind}
    if kind == "smtp":
        document["config"] = {"host": "127.0.0.1", "port": sink.port, "require_tls": False}
    if kind == "slack":
        document |= {"channel": "slack", "config": {"bot_token": "xoxb-1"}}
    try:
        async with endpoint(http(body=b'{"ok":true}')) as slack:
            yield Provider(ProviderDefinition.model_validate(document), room, sink, slack, taken)
    finally:
        await sink.stop()


def message(room: Room, key: str = "d1") -> Outgoing:
    return Outgoing(
        workspace_id=room.workspace_id,
        key=key,
        attempt=1,
        purpose="delivery",
        channel="email",
        sender="team@example.com",
        recipients=("ann@example.com",),
        raw=f"Subject: {key}\r\n\r\nHi\r\n".encode(),
        at=datetime(2026, 1, 1, tzinfo=UTC),
        rendered={"channel": "email", "errors": []},
    )


async def nothing() -> None:
    """Nothing to note."""


def outside(database: Database) -> Outside:
    return Outside(CaptureMailbox(database), tls=ssl.create_default_context())


@pytest.mark.parametrize("kind", KINDS)
def test_a_channel_names_itself_and_its_options(kind: str) -> None:
    channel = CHANNELS[kind]
    assert channel.kind == kind
    assert kind in get_args(ProviderDefinition.model_fields["provider"].annotation)
    assert channel.channel in get_args(ProviderDefinition.model_fields["channel"].annotation)
    assert issubclass(channel.Options, BaseModel)
    assert isinstance(channel.idempotent, bool)
    assert channel.normalise("ann@example.com") == "ann@example.com"


@pytest.mark.parametrize("kind", KINDS)
async def test_a_message_arrives_once_claimed_first(kind: str, room: Room) -> None:
    channels = Channels()
    async with provider(kind, room) as there:
        seen: list[int] = []

        async def claim() -> None:
            seen.append(len(await there.received()))

        way = channels.open(room.workspace_id, there.definition, there.outside)
        receipt = await way.sender.send(there.message(), claim)
        assert receipt.answer
        assert seen == [0]
        assert await there.received() == [there.message().raw]
        await channels.close()


@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize("kind", KINDS)
async def test_each_kind_of_failure_and_then_a_message(kind: str, failure: type[SendFailure], room: Room) -> None:
    channels = Channels()
    if (kind, failure) in _NEVER:
        return
    async with provider(kind, room) as there:
        await there.fail_once(failure)
        way = channels.open(room.workspace_id, there.definition, there.outside)
        with pytest.raises(SendFailure) as caught:
            await way.sender.send(there.message(), nothing)
        assert type(caught.value) is failure
        assert caught.value.answer
        assert not caught.value.ambiguous
        await way.sender.send(replace(there.message(), attempt=2), nothing)
        assert await there.received() == [there.message().raw]
        await channels.close()


@pytest.mark.parametrize("kind", KINDS)
async def test_a_claim_that_fails_sends_nothing(kind: str, room: Room) -> None:
    channels = Channels()
    async with provider(kind, room) as there:

        async def taken() -> None:
            raise RuntimeError("somebody else has it")

        way = channels.open(room.workspace_id, there.definition, there.outside)
        with pytest.raises(RuntimeError):
            await way.sender.send(there.message(), taken)
        assert await there.received() == []
        await channels.close()


@pytest.mark.parametrize("kind", [kind for kind in KINDS if CHANNELS[kind].idempotent])
@pytest.mark.parametrize("failure", [None, Undeliverable, Unavailable])
async def test_an_idempotent_channel_takes_and_answers_the_same_attempt_once(
    kind: str, failure: type[SendFailure] | None, room: Room
) -> None:
    channels = Channels()
    async with provider(kind, room) as there:
        if failure is not None:
            await there.fail_once(failure)
        way = channels.open(room.workspace_id, there.definition, there.outside)
        for _ in range(2):
            if failure is None:
                await way.sender.send(there.message(), nothing)
            else:
                with pytest.raises(failure):
                    await way.sender.send(there.message(), nothing)
        assert len(await there.received()) == (1 if failure is None else 0)
        await channels.close()


@pytest.mark.parametrize("kind", KINDS)
async def test_senders_are_kept_until_their_definition_changes(kind: str, room: Room) -> None:
    channels = Channels()
    async with provider(kind, room) as there:
        one = channels.open(1, there.definition, there.outside)
        assert channels.open(1, there.definition.model_copy(), there.outside) is one
        assert channels.open(2, there.definition, there.outside) is not one
        changed = there.definition.model_copy(update={"max_per_second": 1000.0})
        other = channels.open(1, changed, there.outside)
        assert other is not one
        await other.sender.send(there.message(), nothing)
        assert len(await there.received()) == 1
        await channels.close()


async def test_a_provider_is_given_no_more_than_it_takes(room: Room) -> None:
    paced = CAPTURE.model_copy(update={"max_per_second": 50.0})
    channels = Channels()
    way = channels.open(room.workspace_id, paced, outside(room.db))
    begun = asyncio.get_running_loop().time()
    for number in range(6):
        await way.sender.send(message(room, f"d{number}"), nothing)
    assert asyncio.get_running_loop().time() - begun >= 5 / 50
    await channels.close()
