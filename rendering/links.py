"""Links that belong to one delivery: the delivery id in them is a keyed digest and thus their signature (SUB-08)."""

from __future__ import annotations

import re

from domain.deliveries import ID_PATTERN

UNSENT = "unsent"
"""What stands for the delivery id in previews (MSG-04); its links do nothing."""

_ID = re.compile(ID_PATTERN)
_PATH = "/unsubscribe/"


def unsubscribe_url(base_url: str, delivery_id: str) -> str:
    """Where the recipient of a delivery can unsubscribe, by hand or with one click."""
    return f"{base_url}{_PATH}{delivery_id}"


def delivery_id_of(segment: str) -> str | None:
    """The delivery id that the last segment of a link may be, None where it cannot be one.

    Whether there is such a delivery is for the database to say: nobody can make up an id that exists.
    """
    return segment if _ID.fullmatch(segment) else None


__all__ = ["UNSENT", "delivery_id_of", "unsubscribe_url"]
