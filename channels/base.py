"""What a channel is: a stateless class that opens senders, and the four ways in which sending fails."""

from __future__ import annotations

import ssl
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Final, Protocol

from pydantic import BaseModel

from domain.captured import CapturedMail, FaultRule, Purpose, Taken
from domain.deliveries import Event

HandingOver = Callable[[], Awaitable[None]]
"""Awaited right before the provider may take the message: until then it certainly has not."""

Probe = Callable[[], Awaitable[None]]
"""Looks whether a provider can be used, without sending anything; raises a SendFailure where it cannot."""

CALL_SECONDS: Final = 16.0
SLACK_URL: Final = "https://slack.com/api/chat.postMessage"


@dataclass(frozen=True, slots=True)
class HttpCall:
    """One request over HTTP; `shown` is its address as logs may show it, `authorization` a header that none may."""

    method: str
    url: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    shown: str
    authorization: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """What an endpoint answered; `retry_after` as it said it."""

    status: int
    body: bytes = b""
    reason: str = ""
    retry_after: str | None = None


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message on its way out; `key` is the same for every attempt at the same message.

    `recipients` begins with the one the message is for; the others get copies and cannot make it fail.
    """

    workspace_id: int
    key: str
    attempt: int
    purpose: Purpose
    channel: str
    sender: str
    recipients: tuple[str, ...]
    raw: bytes
    at: datetime
    rendered: Mapping[str, Any] = field(default_factory=dict)
    person_id: int | None = None
    campaign: str | None = None
    block: str | None = None
    call: HttpCall | None = None
    """What is asked of an endpoint, where that is what is sent."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """The provider has taken the message; `events` are what it reported in the same breath."""

    answer: str = ""
    ref: str | None = None
    events: tuple[Event, ...] = ()
    response: HttpAnswer | None = None


class SendFailure(Exception):
    """The provider has not taken the message; `answer` is what it said.

    `ambiguous` where the connection broke after the hand-over had begun, so that it may have taken it after all.
    `of_server` where it has nothing to do with the message: whatever else is sent that way now meets the same.
    """

    def __init__(self, answer: str, *, ambiguous: bool = False) -> None:
        super().__init__(answer)
        self.answer = answer
        self.ambiguous = ambiguous
        self.of_server = False
        self.response: HttpAnswer | None = None


class Undeliverable(SendFailure):
    """The recipient cannot be reached: for good, or (`soft`) at present."""

    def __init__(self, answer: str, *, soft: bool = False) -> None:
        super().__init__(answer)
        self.soft = soft


class Refused(SendFailure):
    """The provider will not have it from us: bad credentials, a sender it does not know, a request it does not accept."""


class Throttled(SendFailure):
    """Too much at once; `until` is when to come back, where the provider said so."""

    def __init__(self, answer: str, until: datetime | None = None) -> None:
        super().__init__(answer)
        self.until = until


class Unavailable(SendFailure):
    """The provider cannot be reached or has a fault of its own."""


class Mailbox(Protocol):
    """Where captured messages go."""

    async def take(self, mail: CapturedMail) -> Taken:
        """Keep one hand-over, once for each key, purpose and attempt, and say what became of it."""

    async def take_call(self, mail: CapturedMail, url: str) -> FaultRule:
        """Keep one call of an address, and say how it is answered; the same attempt is answered the same again."""


@dataclass(frozen=True)
class Outside:
    """What senders need of the deployment: its secrets, the mailbox of captured messages, the authorities it trusts.

    `tls` None trusts what the machine trusts. With `allow_private` endpoints may be private addresses; each has
    `call_seconds` to answer. `slack_url` is where Slack takes messages.
    """

    mailbox: Mailbox
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    tls: ssl.SSLContext | None = None
    allow_private: bool = False
    call_seconds: float = CALL_SECONDS
    slack_url: str = SLACK_URL


class Sender(Protocol):
    """A way to one provider, kept open while it is used."""

    async def send(self, outgoing: Outgoing, handing_over: HandingOver) -> Receipt:
        """Hand one message over; raises a SendFailure where it is not taken."""

    async def close(self) -> None:
        """Give up what is open; a message being sent is finished first."""


class Channel(Protocol):
    """One kind of provider.

    `kind` is the word of a provider definition, `channel` what it carries, `Options` the shape of its `config`;
    `idempotent` says that the same key, purpose and attempt handed over twice is taken once.
    """

    kind: ClassVar[str]
    channel: ClassVar[str]
    idempotent: ClassVar[bool]
    Options: ClassVar[type[BaseModel]]

    def normalise(self, address: str) -> str:
        """The address in the form the provider takes; raises Undeliverable for one it cannot reach."""

    def open(self, options: Any, outside: Outside) -> Sender:
        """A sender with these options; connects when there is something to send."""


__all__ = [
    "CALL_SECONDS",
    "SLACK_URL",
    "Channel",
    "HandingOver",
    "HttpAnswer",
    "HttpCall",
    "Mailbox",
    "Outgoing",
    "Outside",
    "Probe",
    "Receipt",
    "Refused",
    "SendFailure",
    "Sender",
    "Throttled",
    "Unavailable",
    "Undeliverable",
]
