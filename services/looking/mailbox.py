"""The mailbox: exactly what left, or would have left."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from domain.errors import DomainError, NotFound
from domain.values import from_unix, to_unix
from services.looking import people
from store.database import Connection, Database
from store.reads import mailbox as reads
from store.reads import people as people_reads
from store.reads.cursor import decode, encode
from store.reads.mailbox import CapturedRead, MailboxFilter
from store.reads.people import PersonRead

Channel = Literal["email", "sms", "push", "in_app", "inbox", "whatsapp", "line", "slack", "webhook", "llm"]
SOURCES = ("campaign", "broadcast", "transactional")
LAST_ID = 2**63 - 1


@dataclass(frozen=True, slots=True)
class MailboxQuery:
    """The filters of the list as a caller gives them; both times are included."""

    to: str | None = None
    channel: Channel | None = None
    include: Literal["refused"] | None = None
    customer: str | None = None
    id_type: people.IdType = "id"
    since: int | None = None
    until: int | None = None
    campaign: str | None = None
    broadcast: str | None = None
    transactional: str | None = None

    @property
    def source(self) -> tuple[str, str] | None:
        """The kind and the key of what the messages are to come of; raises DomainError where several are named."""
        named = [(kind, key) for kind in SOURCES if (key := getattr(self, kind)) is not None]
        if len(named) > 1:
            message = f"Name only one of {', '.join(kind for kind, _ in named)}."
            raise DomainError("invalid_parameter", message, f"/{named[1][0]}")
        return named[0] if named else None


async def page(
    db: Database, workspace_id: int, query: MailboxQuery, *, start: str | None, limit: int, newest_first: bool = False
) -> dict[str, Any]:
    """One page, oldest first unless said otherwise; an unknown person got nothing."""
    parts, source = decode(start, int), query.source
    after = 0 if parts is None else min(max(parts[0], 0), LAST_ID)
    async with db.connection() as conn:
        person_id = None
        if query.customer is not None:
            person = await people.find(conn, workspace_id, query.customer, query.id_type)
            if person is None:
                return {"messages": [], "next": ""}
            person_id = person.person_id
        which = MailboxFilter(
            to=query.to,
            channel=query.channel,
            refused=query.include == "refused",
            person_id=person_id,
            since=None if query.since is None else from_unix(query.since),
            until=None if query.until is None else from_unix(query.until + 1),
            kind=None if source is None else source[0],
            source=None if source is None else source[1],
        )
        found = await reads.page(conn, workspace_id, which, after=after, limit=limit + 1, newest_first=newest_first)
        kept = found[:limit]
        persons = await people_reads.by_numbers(conn, workspace_id, [message.person_id for message in kept])
    return {
        "messages": [shown(message, persons.get(message.person_id or 0)) for message in kept],
        "next": encode(kept[-1].captured_id) if len(found) > limit else "",
    }


async def one(db: Database, workspace_id: int, captured_id: str) -> dict[str, Any]:
    """One captured message; raises NotFound."""
    number = _number(captured_id)
    async with db.connection() as conn:
        message = await _stored(conn, workspace_id, number)
        persons = await people_reads.by_numbers(conn, workspace_id, [message.person_id])
    return {"message": shown(message, persons.get(message.person_id or 0))}


async def raw(db: Database, workspace_id: int, captured_id: str) -> tuple[bytes, str]:
    """The source of a captured message with its media type; raises NotFound."""
    number = _number(captured_id)
    async with db.connection() as conn:
        message = await _stored(conn, workspace_id, number)
        source = await reads.raw(conn, workspace_id, number)
    if source is None:
        raise NotFound("source of message", captured_id)
    return source, "message/rfc822" if message.channel == "email" else "application/json"


def shown(message: CapturedRead, person: PersonRead | None) -> dict[str, Any]:
    """A captured message in the contract's shape."""
    fields = message.rendered.get("fields")
    return {
        "id": str(message.captured_id),
        "delivery_id": message.delivery_id,
        "channel": message.channel,
        "outcome": message.outcome,
        "purpose": message.purpose,
        "to": list(message.to),
        "from": fields.get("from", message.sender) if isinstance(fields, Mapping) else message.sender,
        "at": to_unix(message.at),
        "customer_identifiers": None if person is None else person.identifiers,
        **dict.fromkeys(("campaign", "broadcast", "newsletter", "transactional")),
        _kind(message): message.campaign,
        "block": message.block,
        "language": message.language,
        "rendered": {"errors": [], **{name: said for name, said in message.rendered.items() if name != "attachments"}},
        "attachments": message.rendered.get("attachments", []),
    }


def _kind(message: CapturedRead) -> str:
    """The kind of definition whose key the message carries."""
    if message.transactional_id is not None:
        return "transactional"
    return "campaign" if message.trigger_no is None else "broadcast"


def _number(captured_id: str) -> int:
    if not captured_id.isascii() or not captured_id.isdecimal() or len(captured_id) > len(str(LAST_ID)):
        raise NotFound("message", captured_id)
    number = int(captured_id)
    if number > LAST_ID:
        raise NotFound("message", captured_id)
    return number


async def _stored(conn: Connection, workspace_id: int, captured_id: int) -> CapturedRead:
    message = await reads.get(conn, workspace_id, captured_id)
    if message is None:
        raise NotFound("message", captured_id)
    return message


__all__ = ["Channel", "MailboxQuery", "one", "page", "raw", "shown"]
