"""Capture: takes every message into the mailbox, or misbehaves as a fault rule says; nothing reaches the outside."""

from __future__ import annotations

from typing import ClassVar

from pydantic import BaseModel

from channels.base import (
    HandingOver,
    Outgoing,
    Outside,
    Receipt,
    Refused,
    SendFailure,
    Throttled,
    Unavailable,
    Undeliverable,
)
from channels.captured_calls import CapturedCalls
from domain.captured import CapturedMail, FaultRule
from domain.deliveries import Event
from domain.documents import Document

_BUSY = frozenset({408, 409})
_NEVER_DELIVERED = frozenset({"in_app"})
"""Channels in which a message is fetched, and nobody says that it has arrived before it is shown (SUB-43)."""


class CaptureOptions(Document):
    """Nothing to configure."""


class CaptureSender:
    """Hands everything to the mailbox."""

    def __init__(self, outside: Outside) -> None:
        self._mailbox = outside.mailbox
        self._calls = CapturedCalls(outside)

    async def send(self, outgoing: Outgoing, handing_over: HandingOver) -> Receipt:
        """Keep the message and answer as the rules of the workspace say."""
        mail = CapturedMail(
            workspace_id=outgoing.workspace_id,
            delivery_id=outgoing.key,
            attempt=outgoing.attempt,
            purpose=outgoing.purpose,
            channel=outgoing.channel,
            recipients=outgoing.recipients,
            sender=outgoing.sender or None,
            at=outgoing.at,
            rendered=outgoing.rendered,
            raw=outgoing.raw,
            person_id=outgoing.person_id,
            campaign=outgoing.campaign,
            block=outgoing.block,
        )
        if outgoing.call is not None:
            return await self._calls.send(outgoing, mail, handing_over)
        await handing_over()
        taken = await self._mailbox.take(mail)
        arrived: tuple[Event, ...] = () if outgoing.channel in _NEVER_DELIVERED else ("delivered",)
        if taken.rule is None:
            return Receipt("250 2.0.0 Captured", events=arrived)
        failure = failure_of(taken.rule)
        if failure is not None:
            raise failure
        spammed = taken.rule.outcome == "complaint"
        return Receipt("250 2.0.0 Captured", events=(*arrived, "spammed") if spammed else arrived)

    async def close(self) -> None:
        """Give up what is open."""
        await self._calls.close()


def failure_of(rule: FaultRule) -> SendFailure | None:
    """The failure a rule asks for, None where the message is taken all the same."""
    status = (rule.status or 0) if rule.outcome == "http_status" else 0
    if rule.outcome == "complaint" or (rule.outcome == "http_status" and 200 <= status < 300):
        return None
    answer = rule.reply or (f"status {status}" if rule.outcome == "http_status" else rule.outcome.replace("_", " "))
    if rule.outcome == "soft_bounce":
        return Undeliverable(answer, soft=True)
    if rule.outcome in ("hard_bounce", "unregistered_token", "opt_out"):
        return Undeliverable(answer)
    if rule.outcome == "http_status" and status == 429:
        return Throttled(answer)
    if rule.outcome == "timeout" or status >= 500 or status in _BUSY:
        return Unavailable(answer)
    return Refused(answer)


class CaptureChannel:
    """The provider of a sandbox, and of anybody who wants to see messages without sending them."""

    kind: ClassVar[str] = "capture"
    channel: ClassVar[str] = "email"
    idempotent: ClassVar[bool] = True
    Options: ClassVar[type[BaseModel]] = CaptureOptions

    def normalise(self, address: str) -> str:
        """Any address will do."""
        return address

    def open(self, _options: CaptureOptions, outside: Outside) -> CaptureSender:
        """A sender into the mailbox."""
        return CaptureSender(outside)


__all__ = ["CaptureChannel", "CaptureOptions", "CaptureSender", "failure_of"]
