"""Messages that are caught instead of sent, and the rules by which catching goes wrong on purpose."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final, Literal, NamedTuple, get_args

from pydantic import Field, StringConstraints, model_validator

from domain.documents import Document, Refusal, refused

Purpose = Literal["delivery", "fake_bcc", "test"]
FaultOutcome = Literal[
    "soft_bounce",
    "hard_bounce",
    "complaint",
    "reject",
    "timeout",
    "http_status",
    "unregistered_token",
    "opt_out",
    "answer",
    "pass_through",
]
ACCEPTED: Final = "accepted"
_FOR_CALLS: Final = frozenset({"answer", "pass_through"})
"""Outcomes of calls to the outside, which messages are not."""
CALLED: Final = frozenset({"webhook", "slack"})
"""Channels on which an endpoint is called."""


class FaultRule(Document):
    """One rule by which the capture provider misbehaves; the first that fits and has uses left decides."""

    nullable = frozenset({"times"})

    channel: Literal["email", "sms", "push", "in_app", "inbox", "whatsapp", "line", "slack", "webhook"]
    outcome: FaultOutcome
    to: Annotated[str, StringConstraints(min_length=1)] | None = None
    url: str | None = None
    status: Annotated[int, Field(ge=100, le=599, strict=True)] | None = None
    body: Any = None
    reply: str | None = None
    times: Annotated[int, Field(ge=1, strict=True)] | None = None

    @model_validator(mode="after")
    def _complete(self) -> FaultRule:
        problems = list(self._faults())
        if problems:
            raise refused(*problems)
        return self

    def _faults(self) -> Iterator[Refusal]:
        if self.outcome == "http_status" and self.status is None:
            yield Refusal("required", "Say which status the provider answers with.", ("status",))
        if self.channel in CALLED:
            yield from self._faults_of_a_call()
            return
        if self.outcome in _FOR_CALLS:
            message = f"'{self.outcome}' is for calls to the outside, and a message is none."
            yield Refusal("not_applicable", message, ("outcome",), self.outcome)
        for name in ("url", "body"):
            if getattr(self, name) is not None:
                yield Refusal("not_applicable", "This is for calls to the outside, and a message is none.", (name,))

    def _faults_of_a_call(self) -> Iterator[Refusal]:
        if self.outcome not in _FOR_CALLS | {"timeout", "http_status"}:
            message = f"'{self.outcome}' is for messages, and a call to the outside is none."
            yield Refusal("not_applicable", message, ("outcome",), self.outcome)
        for name in ("to", "reply") if self.channel == "webhook" else ("reply",):
            if getattr(self, name) is not None:
                yield Refusal("not_applicable", "This is for messages, and a call to the outside is none.", (name,))

    def fits(self, channel: str, recipients: tuple[str, ...]) -> bool:
        """Whether the rule is for a message on this channel to these recipients; addresses are compared without case."""
        if self.channel != channel:
            return False
        return self.to is None or self.to.casefold() in {recipient.casefold() for recipient in recipients}

    def fits_call(self, url: str, channel: str = "webhook", recipients: tuple[str, ...] = ()) -> bool:
        """Whether the rule is for a call of this address: `url` is what an address begins with."""
        if self.channel != channel or (self.url is not None and not url.startswith(self.url)):
            return False
        return self.to is None or self.to.casefold() in {recipient.casefold() for recipient in recipients}

    @property
    def refuses_call(self) -> bool:
        """Whether a call is not taken by it; what becomes of one that passes is not known beforehand."""
        if self.outcome == "timeout":
            return True
        return self.outcome != "pass_through" and not 200 <= (self.status or 200) < 300


@dataclass(frozen=True, slots=True)
class CapturedMail:
    """One hand-over to the capture provider."""

    workspace_id: int
    delivery_id: str | None
    attempt: int
    purpose: Purpose
    channel: str
    recipients: tuple[str, ...]
    sender: str | None
    at: datetime
    rendered: Mapping[str, Any]
    raw: bytes | None = None
    person_id: int | None = None
    campaign: str | None = None
    block: str | None = None


class Taken(NamedTuple):
    """What became of a hand-over: the rule that decided it, None where it was simply accepted."""

    rule: FaultRule | None


FAULT_OUTCOMES: Final[tuple[str, ...]] = get_args(FaultOutcome)
REFUSING: Final = frozenset(FAULT_OUTCOMES) - _FOR_CALLS - {"complaint"}
"""Outcomes in which the message is not taken; a complaint follows a message that was."""

__all__ = ["ACCEPTED", "CALLED", "FAULT_OUTCOMES", "REFUSING", "CapturedMail", "FaultRule", "Purpose", "Taken"]
