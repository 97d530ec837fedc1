"""Emails that may be looked at in a browser: those that show the link to their own page (MSG-08, CHN-11)."""

from __future__ import annotations

from typing import Final

from services.looking.leaving import is_delivery_id
from store import deliveries
from store.database import Database

_UNSENT: Final = frozenset({"drafted", "failed", "undeliverable", "suppressed"})
"""Deliveries that have gone to nobody who could have the link."""


async def html_of(db: Database, delivery_id: str) -> str | None:
    """The HTML of an email that has a page; None where there is none, or where it is no longer kept."""
    if not is_delivery_id(delivery_id):
        return None
    async with db.connection() as conn:
        delivery = await deliveries.find(conn, delivery_id)
        if delivery is None or delivery.channel != "email" or delivery.status in _UNSENT or delivery.forgotten:
            return None
        document = await deliveries.content_of(conn, delivery)
    html = None if document is None or not document.get("view_url") else document.get("html")
    return html if isinstance(html, str) else None


__all__ = ["html_of"]
