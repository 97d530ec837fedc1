"""What an endpoint's answer means: taken, worth another try, or refused for good (ACT-31)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus

from channels.base import HttpAnswer, HttpCall, Receipt, Refused, SendFailure, Throttled, Unavailable

TOO_MANY = 429
_PASSING = frozenset({408, 409})
SHOWN = 2_000
"""How many characters of an answer logs keep."""


def judged(call: HttpCall, answer: HttpAnswer, at: datetime) -> Receipt:
    """The receipt of a call that was answered at an instant; raises a SendFailure where the answer is no success."""
    said = told(call, answer)
    if 200 <= answer.status < 300:
        return Receipt(said, response=answer)
    raise failed(answer, said, at)


def failed(answer: HttpAnswer, said: str, at: datetime) -> SendFailure:
    """The failure that an answer other than a success is."""
    status, until = answer.status, asked_until(answer, at)
    failure: SendFailure
    if status == TOO_MANY or (until is not None and (status >= 500 or status in _PASSING)):
        failure = Throttled(said, until)
    elif status >= 500 or status in _PASSING:
        failure = Unavailable(said)
    else:
        failure = Refused(said)
    failure.response = answer
    return failure


def told(call: HttpCall, answer: HttpAnswer) -> str:
    """Request and answer in a sentence that begins with the status."""
    reason = answer.reason or _usual_reason(answer.status)
    body = answer.body.decode("utf-8", "replace").replace("\x00", "").strip()
    shown = body if len(body) <= SHOWN else f"{body[:SHOWN]}..."
    head = f"{answer.status} {reason}".strip()
    return f"{head} to {asked(call)}: {shown}" if shown else f"{head} to {asked(call)}"


def asked(call: HttpCall) -> str:
    """The request as logs show it."""
    return f"{call.method} {call.shown}"


def asked_until(answer: HttpAnswer, at: datetime) -> datetime | None:
    """When the endpoint wants to be asked again, where it said so: seconds, or an HTTP date."""
    said = (answer.retry_after or "").strip()
    if said.isascii() and said.isdecimal():
        return at + timedelta(seconds=min(int(said[:9]), 86_400))
    try:
        found = parsedate_to_datetime(said)
    except (ValueError, OverflowError):
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def _usual_reason(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


__all__ = ["TOO_MANY", "asked", "asked_until", "failed", "judged", "told"]
