"""Links that belong to one delivery: the delivery id in them is a keyed digest and thus their signature (SUB-08)."""

from __future__ import annotations

UNSENT = "unsent"
"""What stands for the delivery id in previews (MSG-04); its links do nothing."""

_PATH = "/unsubscribe/"
_VIEW = "/view/"


def unsubscribe_url(base_url: str, delivery_id: str) -> str:
    """Where the recipient of a delivery can unsubscribe, by hand or with one click."""
    return f"{base_url}{_PATH}{delivery_id}"


def view_url(base_url: str, delivery_id: str) -> str:
    """Where an email can be looked at in a browser, if it says so itself (MSG-08)."""
    return f"{base_url}{_VIEW}{delivery_id}"


__all__ = ["UNSENT", "unsubscribe_url", "view_url"]
