"""What a metric that somebody reports makes of a delivery, beside its status (SUB-22, SUB-24, SUB-25)."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

from domain.deliveries import EVENTS, Event, microseconds

MONTHS: Final = 6
"""For how long after it was sent anything is counted of a message."""
MACHINE: Final = ("machine", "prefetched", "proxied")
"""What a report may say of itself: true means that no person did it."""
_CHANNEL: Final[Mapping[str, str]] = {"sms": "twilio"}


class Screened(NamedTuple):
    """The metrics with those of people and of machines; `reached` came new, `retracted` is true no more."""

    metrics: dict[str, int]
    reached: tuple[str, ...] = ()
    retracted: tuple[str, ...] = ()


def event_of(metric: str) -> Event | None:
    """The event of a delivery that a reported word means, None for a word that is none."""
    word = "suppressed" if metric == "dropped" else metric
    return next((event for event in EVENTS if event == word), None)


def activity_type(metric: str, channel: str) -> str:
    """What the activity log calls the report (APP-09)."""
    return f"{metric}_{_CHANNEL.get(channel, channel)}"


def is_too_old(sent: datetime, at: datetime) -> bool:
    """Whether so many calendar months have passed that nothing is counted any more."""
    year, month = divmod(sent.year * 12 + sent.month - 1 + MONTHS, 12)
    day = min(sent.day, monthrange(year, month + 1)[1])
    return at > sent.replace(year=year, month=month + 1, day=day)


def by_machine(details: Mapping[str, Any]) -> bool:
    """Whether a report says that no person did it; without a word about it a person did."""
    return any(details.get(name) is True for name in MACHINE)


def screened(event: Event, metrics: Mapping[str, int], at: datetime, *, machine: bool) -> Screened:
    """Whose an open or click of an email is; a person's click means a person's open, and takes back a machine's (SUB-24)."""
    words: tuple[str, ...] = ()
    if event == "opened":
        words = ("prefetch_opened",) if machine else ("human_opened",)
    elif event == "clicked":
        words = ("machine_clicked",) if machine else ("human_clicked", "human_opened")
    known, instant = dict(metrics), microseconds(at)
    reached = tuple(word for word in words if word not in known)
    for word in words:
        known[word] = min(known.get(word, instant), instant)
    retracted = ("prefetch_opened",) if "human_clicked" in words and "prefetch_opened" in known else ()
    for word in retracted:
        del known[word]
    return Screened(known, reached, retracted)


__all__ = ["MACHINE", "MONTHS", "Screened", "activity_type", "by_machine", "event_of", "is_too_old", "screened"]
