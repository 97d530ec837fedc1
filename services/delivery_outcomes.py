"""What a hand-over came to, and what that makes of the delivery's row (SUB-20, SUB-21)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, NamedTuple

from channels.base import HttpAnswer, Receipt, Refused, SendFailure, Throttled, Unavailable, Undeliverable
from domain.deliveries import Event, apply, next_attempt
from store.deliveries import DeliveryRow, changed

Result = Literal["settled", "sent", "failed", "bounced", "soft_bounced", "unavailable", "held"]

AMBIGUOUS = "The connection broke while the message was being handed over; it may have been taken"
TOO_OLD = "Too old"
HELD = "Held back: the endpoint has said that it is called too often"
"""What a delivery says that has a turn of its own at an endpoint, and waits for it (ACT-31)."""
AWAY = "Held back: the server of the provider cannot be used at present"
"""What a delivery says that waits for a server to come back (SUB-21)."""
_REPORTED = frozenset({"suppressed", "bounced", "delivered", "opened", "clicked", "converted"})


@dataclass(frozen=True, slots=True)
class Outcome:
    """The answer of a provider, or why none was asked; `settled` where nothing was left to hand over."""

    result: Result
    answer: str = ""
    provider: str | None = None
    ref: str | None = None
    events: tuple[Event, ...] = ()
    until: datetime | None = None
    ambiguous: bool = False
    asked: bool = True
    """Whether a provider was spoken to at all."""
    response: HttpAnswer | None = None
    """What an endpoint answered."""


SETTLED = Outcome("settled", asked=False)


def accepted(receipt: Receipt, provider: str) -> Outcome:
    """The provider has taken the message."""
    return Outcome("sent", receipt.answer, provider, receipt.ref, receipt.events, response=receipt.response)


def interrupted(provider: str) -> Outcome:
    """The provider may have taken the message; nobody will hear from it any more."""
    return Outcome("sent", AMBIGUOUS, provider, ambiguous=True)


def refused(failure: SendFailure, provider: str, *, resend: bool) -> Outcome:
    """The provider has not taken the message; with `resend` one that it may have taken is tried again."""
    if failure.ambiguous and not resend:
        return replace(interrupted(provider), answer=f"{AMBIGUOUS}. {failure.answer}")
    result = _RESULTS.get(type(failure), "failed")
    if isinstance(failure, Undeliverable) and failure.soft:
        result = "soft_bounced"
    until = failure.until if isinstance(failure, Throttled) else None
    return Outcome(result, failure.answer, provider, until=until, response=failure.response)


_RESULTS: Mapping[type[SendFailure], Result] = {
    Undeliverable: "bounced",
    Throttled: "unavailable",
    Unavailable: "unavailable",
    Refused: "failed",
}


class Applied(NamedTuple):
    """The row after an outcome, the metrics it reached, how the attempt is called, and when the next one is due."""

    row: DeliveryRow
    reached: tuple[str, ...]
    attempt: Literal["accepted", "retry", "rejected"]
    due_at: datetime | None = None


def reported_ahead(row: DeliveryRow) -> bool:
    """Whether somebody reported what became of a message before the answer to its hand-over was written down."""
    return row.handed_over_at is not None and "sent" not in row.metrics and row.status in _REPORTED


def applied(row: DeliveryRow, outcome: Outcome, now: datetime, *, silent: bool = False) -> Applied:
    """The row after one more attempt; with `silent` nothing that came after the receipt is counted (OUT-26)."""
    if outcome.result == "held":
        # Nobody was asked, so that no attempt is used up.
        provider = outcome.provider or row.provider
        held = changed(row, held_until=outcome.until, failure_message=outcome.answer, provider=provider)
        return Applied(held, (), "retry", outcome.until)
    tried = changed(
        row,
        attempts=row.attempts + outcome.asked,
        first_attempt_at=row.first_attempt_at or (now if outcome.asked else None),
        provider=outcome.provider or row.provider,
        held_until=None,
    )
    if outcome.result == "sent":
        why = row.failure_message if row.status in _REPORTED else None
        sent = changed(tried, provider_ref=outcome.ref, ambiguous=outcome.ambiguous, failure_message=why)
        sent.handed_over_at = sent.handed_over_at or now
        return _with_events(sent, ("sent", *(() if silent else outcome.events)), now, "accepted")
    if outcome.result in ("unavailable", "soft_bounced") and row.status in _REPORTED:
        # It has arrived or come back already, whatever the provider said.
        return _with_events(changed(tried, failure_message=outcome.answer), ("attempted",), now, "rejected")
    if outcome.result in ("unavailable", "soft_bounced"):
        soft = outcome.result == "soft_bounced"
        due_at = next_attempt(tried.attempts, now, soft_bounce=soft, until=outcome.until)
        if due_at is not None:
            waiting = changed(tried, handed_over_at=None, held_until=due_at, failure_message=outcome.answer)
            return _with_events(waiting, ("attempted",), now, "retry")._replace(due_at=due_at)
        if soft:
            return _with_events(changed(tried, failure_message=TOO_OLD), ("bounced",), now, "rejected")
    event: Event = "bounced" if outcome.result == "bounced" else "failed"
    return _with_events(changed(tried, failure_message=outcome.answer), (event,), now, "rejected")


def corrected(row: DeliveryRow, outcome: Outcome, now: datetime) -> Applied | None:
    """The row of a hand-over that was given up for ambiguous, now that its true answer is known; None: no better known."""
    if outcome.ambiguous or not outcome.asked:
        return None
    known = changed(row, ambiguous=False, provider_ref=outcome.ref)
    if outcome.result == "sent":
        return _with_events(known, outcome.events, now, "accepted")
    return _with_events(changed(known, failure_message=outcome.answer), ("bounced",), now, "rejected")


def _with_events(
    row: DeliveryRow, events: tuple[Event, ...], now: datetime, attempt: Literal["accepted", "retry", "rejected"]
) -> Applied:
    reached: tuple[str, ...] = ()
    for event in events:
        change = apply(row.status, row.metrics, event, now, row.channel)  # type: ignore[arg-type]
        row = changed(row, status=change.status, metrics=change.metrics)
        reached += change.reached
    return Applied(row, reached, attempt)


__all__ = [
    "AWAY",
    "HELD",
    "SETTLED",
    "Applied",
    "Outcome",
    "accepted",
    "applied",
    "corrected",
    "interrupted",
    "refused",
    "reported_ahead",
]
