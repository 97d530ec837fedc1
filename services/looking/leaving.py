"""Who stands behind an unsubscribe link, and the fact that they left or came back (SUB-09, SUB-10)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from domain.deliveries import ID_PATTERN
from domain.operations import Unsubscribe
from domain.values import is_unsubscribed
from ingest.accept import Acceptor
from store import deliveries
from store.database import Database
from store.reads import people

SOURCE: Final = "unsubscribe"
_ID = re.compile(ID_PATTERN)


@dataclass(frozen=True, slots=True)
class Leaver:
    """The person a delivery went to; `person_id` None where they are gone, `sender` None where nobody remembers it."""

    workspace_id: int
    delivery_id: str
    person_id: int | None
    recipient: str | None
    sender: str | None
    unsubscribed: bool


def is_delivery_id(text: str) -> bool:
    """Whether a text can be the id of a delivery; the id is its own signature, so that nobody can make one up."""
    return _ID.fullmatch(text) is not None


async def find(db: Database, delivery_id: str) -> Leaver | None:
    """Whose link it is, None where there is no such delivery."""
    if not is_delivery_id(delivery_id):
        return None
    async with db.connection() as conn:
        delivery = await deliveries.find(conn, delivery_id)
        if delivery is None:
            return None
        rendered = await deliveries.content_of(conn, delivery)
        person = None
        if delivery.person_id is not None:
            person = await people.by_number(conn, delivery.workspace_id, delivery.person_id)
    fields = {} if rendered is None else rendered.get("fields")
    sender = fields.get("from") if isinstance(fields, Mapping) else None
    return Leaver(
        workspace_id=delivery.workspace_id,
        delivery_id=delivery_id,
        person_id=None if person is None else person.person_id,
        recipient=delivery.recipient,
        sender=sender if isinstance(sender, str) and sender else None,
        unsubscribed=person is not None and is_unsubscribed(person.attributes.get("unsubscribed")),
    )


async def decide(acceptor: Acceptor, leaver: Leaver, *, unsubscribe: bool, now: datetime) -> None:
    """Record that the person left, or came back; nothing where the person is gone. Returns after the commit."""
    if leaver.person_id is None:
        return
    operation = Unsubscribe(delivery_id=leaver.delivery_id, person_id=leaver.person_id, unsubscribe=unsubscribe)
    await acceptor.append(leaver.workspace_id, [operation], SOURCE, now)


__all__ = ["Leaver", "decide", "find", "is_delivery_id"]
