"""What drafts are: kept for a while, edited by hand, released one by one or many at a time (CMP-27, CMP-28, ACT-02)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Final, Literal

KEPT: Final = timedelta(days=30)
"""How long a draft waits for somebody to send it; then it is deleted."""

RELEASE: Final = "release"
"""The kind of `due` row that asks for a delivery to be sent, or tried again, at its instant; its `ref` is the delivery id."""

EXPIRY: Final = "draft_expiry"
"""What the instants are called at which drafts are deleted."""

BulkAction = Literal["send_drafts", "delete_drafts", "retry_failed"]

FIELDS: Final[Mapping[str, str]] = {
    "recipient": "to",
    "subject": "subject",
    "preheader": "preheader",
    "body": "body",
    "body_plain": "body_plain",
}
"""What may be edited of a draft by hand, and what it is called in the content of a message."""

EDITS: Final = "edits"
"""Where the document of a draft keeps what was edited by hand, as templates by the names of `FIELDS`."""

ATTRIBUTES: Final = "journey"
"""Where the document of a delivery keeps the journey's attributes, which are gone when the journey is over."""

RETRIED_FROM: Final = frozenset({"failed", "undeliverable"})
"""The states of deliveries that can be tried again by hand."""

__all__ = ["ATTRIBUTES", "EDITS", "EXPIRY", "FIELDS", "KEPT", "RELEASE", "RETRIED_FROM", "BulkAction"]
