"""A delivery's life: how it is named, what each event makes of its status, when it is tried again (SUB-20, SUB-21)."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final, Literal, NamedTuple, get_args

from domain.values import EPOCH

Status = Literal[
    "drafted",
    "queued",
    "attempted",
    "failed",
    "undeliverable",
    "suppressed",
    "sent",
    "bounced",
    "delivered",
    "opened",
    "clicked",
    "converted",
]
Event = Literal[
    "drafted",
    "queued",
    "attempted",
    "failed",
    "undeliverable",
    "suppressed",
    "sent",
    "bounced",
    "deferred",
    "delivered",
    "opened",
    "clicked",
    "converted",
    "replied",
    "spammed",
    "unsubscribed",
    "topic_unsubscribed",
]
STATUSES: Final[tuple[Status, ...]] = get_args(Status)
EVENTS: Final[tuple[Event, ...]] = get_args(Event)
FLAGS: Final = frozenset({"deferred", "replied", "spammed", "unsubscribed", "topic_unsubscribed"})
"""Events that are counted and shown beside the status, which they leave alone."""

_RANK: Final[Mapping[str, tuple[int, int]]] = {
    "drafted": (0, 0),
    "queued": (1, 0),
    "attempted": (2, 0),
    "failed": (3, 0),
    "undeliverable": (3, 0),
    "sent": (3, 1),
    "suppressed": (3, 2),
    "bounced": (3, 2),
    "delivered": (4, 0),
    "opened": (5, 0),
    "clicked": (6, 0),
    "converted": (7, 0),
}
"""How far a status is; within the third rank, what the provider said outweighs what we said, and a refusal a receipt."""

_RELEASED_FROM: Final = frozenset({"drafted", "queued", "attempted", "failed", "undeliverable"})


def _next(status: Status, event: Event) -> Status:
    if event in FLAGS:
        return status
    if event == "queued":
        return "queued" if status in _RELEASED_FROM else status
    return event if _RANK[event] > _RANK[status] else status  # type: ignore[return-value]


TABLE: Final[Mapping[tuple[Status, Event], Status]] = {
    (status, event): _next(status, event) for status in STATUSES for event in EVENTS
}
"""The status after each event, for every status: what came later never erases what was reached (SUB-20)."""


class Change(NamedTuple):
    """What an event made of a delivery; `reached` are the metrics it reached for the first time."""

    status: Status
    metrics: dict[str, int]
    reached: tuple[str, ...]


def apply(status: Status, metrics: Mapping[str, int], event: Event, at: datetime, channel: str) -> Change:
    """The delivery after an event; an open or click implies the delivery, a click in an email the open."""
    instant = microseconds(at)
    implied: list[str] = []
    if event in ("opened", "clicked"):
        implied.append("delivered")
    if event == "clicked" and channel == "email":
        implied.append("opened")
    known = dict(metrics)
    reached: list[str] = []
    if event != "queued":
        implied.append(event)
    for metric in implied:
        before = known.get(metric)
        if before is None:
            reached.append(metric)
            known[metric] = instant
        elif metric == event and instant < before:
            known[metric] = instant
    return Change(TABLE[status, event], known, tuple(reached))


def microseconds(at: datetime) -> int:
    """An instant as metrics keep it."""
    return (at - EPOCH) // timedelta(microseconds=1)


ID_PATTERN: Final = r"[A-Za-z0-9_-]{24}"
_ID_BYTES: Final = 18


def delivery_id(key: bytes, subject: str) -> str:
    """The id of the delivery of a subject such as `journey/<journey id>/<action id>`: derived, and not to be guessed."""
    digest = hmac.digest(key, subject.encode(), "sha256")
    return base64.urlsafe_b64encode(digest[:_ID_BYTES]).decode()


def journey_subject(journey_id: str, action_id: int) -> str:
    """What the delivery of a journey's block is derived from."""
    return f"journey/{journey_id}/{action_id}"


def trigger_subject(broadcast_id: int, trigger_no: int, action_id: int, recipient_no: int) -> str:
    """What the delivery of a broadcast's block is derived from: the place in the audience, whoever stands there by then."""
    return f"trigger/{broadcast_id}-{trigger_no}/{action_id}/{recipient_no}"


def message_id(key: bytes, delivery: str, domain: str) -> str:
    """The `Message-ID` of an email, from which the delivery id cannot be told."""
    digest = hmac.digest(key, f"message-id/{delivery}".encode(), "sha256")
    return f"<{digest[:16].hex()}@{domain}>"


HAND_OVER_GAPS: Final = (*(timedelta(seconds=2**n) for n in range(1, 11)), timedelta(seconds=1200))
"""Between hand-overs that did not come about: eleven retries within an hour (ACT-31)."""

SOFT_BOUNCE_GAPS: Final = tuple(timedelta(minutes=minutes) for minutes in (10, 15, 30, 60, 120, 240, 240))
"""Between attempts at an address that is full or busy: eight attempts within twelve hours (SUB-21)."""

LONGEST_ASKED: Final = timedelta(minutes=20)


def next_attempt(attempts: int, at: datetime, *, soft_bounce: bool, until: datetime | None = None) -> datetime | None:
    """When a delivery that was tried `attempts` times, last at `at`, is tried again; None when that was the last time.

    `until` is what the provider asked for, honoured up to twenty minutes.
    """
    gaps = SOFT_BOUNCE_GAPS if soft_bounce else HAND_OVER_GAPS
    if attempts > len(gaps):
        return None
    planned = at + gaps[max(attempts, 1) - 1]
    return planned if until is None else max(planned, min(until, at + LONGEST_ASKED))


__all__ = [
    "EVENTS",
    "FLAGS",
    "HAND_OVER_GAPS",
    "ID_PATTERN",
    "SOFT_BOUNCE_GAPS",
    "STATUSES",
    "TABLE",
    "Change",
    "Event",
    "Status",
    "apply",
    "delivery_id",
    "journey_subject",
    "message_id",
    "microseconds",
    "next_attempt",
    "trigger_subject",
]
