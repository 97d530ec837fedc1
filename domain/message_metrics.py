"""The metrics of messages by the words of the App API, in which a suppressed one is called dropped (APP-04)."""

from __future__ import annotations

from typing import Literal

MessageMetric = Literal[
    "attempted",
    "sent",
    "delivered",
    "opened",
    "clicked",
    "converted",
    "bounced",
    "spammed",
    "unsubscribed",
    "dropped",
    "failed",
    "undeliverable",
]

__all__ = ["MessageMetric"]
