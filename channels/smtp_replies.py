"""What an SMTP server's answer means: one of the four failures, by stage, reply code and enhanced code (MSG-26, SUB-21)."""

from __future__ import annotations

import re
from typing import Final, Literal

from channels.base import Refused, SendFailure, Throttled, Unavailable, Undeliverable
from domain.suppressed import names_blocklist

Stage = Literal["connect", "auth", "mail", "rcpt", "data"]

_ENHANCED: Final = re.compile(r"\b([245]\.\d{1,3}\.\d{1,3})\b")
_RATE: Final = re.compile(
    r"\b(rate limit|rate-limit|throttl\w*|too many (messages|connections|recipients)|slow down)", re.IGNORECASE
)
_OURSELVES: Final = re.compile(r"\b(relay\w*|authenticat\w+|credential\w*|starttls|not logged in)", re.IGNORECASE)
_CREDENTIALS: Final = frozenset({"4.7.0", "5.7.0", "5.7.8", "5.7.9", "5.7.11", "5.7.13"})
_RATE_CODES: Final = frozenset({"4.7.28", "4.3.2", "4.4.5", "4.2.1"})
_MUST_LOG_IN: Final = frozenset({530, 534, 535, 538})
LONGEST_ANSWER: Final = 500


def answer_text(code: int, message: str) -> str:
    """The reply in one line."""
    text = " ".join(f"{code} {message}".split())
    return text[:LONGEST_ANSWER]


def classify(stage: Stage, code: int, message: str) -> SendFailure:
    """The failure that a reply other than success means."""
    answer = answer_text(code, message)
    enhanced = _enhanced(message)
    if 400 <= code < 500 and (enhanced in _RATE_CODES or _RATE.search(message)):
        return Throttled(answer)
    if code == 421 or code < 400:
        return Unavailable(answer)
    if code in _MUST_LOG_IN:
        return Refused(answer)
    if stage in ("connect", "auth", "mail"):
        return Refused(answer) if code >= 500 else Unavailable(answer)
    if code >= 500:
        ours = (enhanced in _CREDENTIALS or enhanced == "5.7.1") and _OURSELVES.search(message) is not None
        return Refused(answer) if ours else Undeliverable(answer)
    return Undeliverable(answer, soft=not names_blocklist(message))


def _enhanced(message: str) -> str | None:
    found = _ENHANCED.search(message[:40])
    return found[1] if found is not None else None


__all__ = ["Stage", "answer_text", "classify"]
