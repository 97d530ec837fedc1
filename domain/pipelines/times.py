"""When a Pipelines message happened: its instants, and the correction of a client's clock (API-19)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from domain.pipelines.findings import Findings
from domain.pipelines.terms import Terms
from domain.values import LAST_TIMESTAMP, SECOND, from_unix, is_blank, to_unix

MILLISECONDS_FROM: Final = 100_000_000_000
MAX_TEXT: Final = 40


def instant_of(value: Any) -> datetime | None:
    """The instant that ISO 8601 or a number of seconds or milliseconds means, as a number or as its digits, else None."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        text = value.strip()
        if not text.isascii() or len(text) > MAX_TEXT:
            return None
        if not text.isdecimal():
            return _from_iso(text)
        value = int(text)
    if not isinstance(value, int | float) or not math.isfinite(value):
        return None
    seconds = value / 1000 if value > MILLISECONDS_FROM else value
    return from_unix(seconds) if 0 <= seconds < LAST_TIMESTAMP else None


def corrected(original: datetime, sent: datetime, received: datetime) -> datetime:
    """When something happened by our clock: as long before the receipt as the client's clock says it was sent after it.

    Raises OverflowError beyond the years 1 to 9999.
    """
    return received - (sent - original)


def moment(body: Mapping[str, Any], batch_sent: Any, terms: Terms, findings: Findings) -> int | None:
    """When a message happened in Unix seconds, None for the time of its receipt."""
    field = "timestamp" if is_blank(body.get("originalTimestamp")) else "originalTimestamp"
    original = _read(body.get(field), field, findings)
    given = body.get("sentAt")
    sent = _read(batch_sent if is_blank(given) else given, "sentAt", findings)
    if original is None:
        return None
    if sent is None:
        return to_unix(original)
    try:
        happened = corrected(original, sent, terms.received)
    except OverflowError:
        happened = None
    if happened is None or to_unix(happened) < 0:
        findings.doubt(field, f"{field} and sentAt lie too far apart", "timestamp")
        return None
    # What was sent at once would otherwise come before what was done while the clock stood at that very instant.
    at_once = terms.sandbox and abs(terms.received - happened) < SECOND
    return to_unix(terms.received if at_once else happened)


def _read(value: Any, field: str, findings: Findings) -> datetime | None:
    if is_blank(value):
        return None
    instant = instant_of(value)
    if instant is None:
        findings.doubt(field, f"{field} must be an ISO 8601 date-time or a Unix timestamp", "timestamp")
    return instant


def _from_iso(text: str) -> datetime | None:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        return None
    if instant.tzinfo is None:
        instant = instant.replace(tzinfo=UTC)
    try:
        return instant.astimezone(UTC) if to_unix(instant) >= 0 else None
    except OverflowError:
        return None


__all__ = ["corrected", "instant_of", "moment"]
